internal import JSON

/// A key in one spelling, so that equal keys are equal bytes: strings unescaped, numbers
/// normalised (`1.0`, `1e0` and `1` are one key to DynamoDB).
///
/// Layout: for each key attribute its type letter, the length in four bytes (little endian), and
/// the bytes. It is used in memory only and never stored.
public enum CanonicalKey {
  /// Appends the canonical form of the key that `scanner` found last.
  ///
  /// - Parameter bytes: the bytes that were scanned.
  /// - Throws: `ItemFault` for a key value that is not of the type its schema demands.
  public static func append(
    _ bytes: Span<UInt8>, _ scanner: borrowing ItemScanner, to output: inout [UInt8]
  ) throws(ItemFault) {
    for index in scanner.types.indices {
      let type = scanner.types[index]
      guard let text = stringValue(bytes, scanner.values[index], type: type) else {
        throw .wrongKeyType(scanner.key.attributes[index].name, expected: type)
      }
      output.append(type.letter)
      let lengthAt = output.count
      for _ in 0..<4 { output.append(0) }
      let slice = bytes.extracting(text)
      let isPlain = !slice.contains(UInt8(ascii: "\\"))
      if isPlain, type != .number {
        slice.withUnsafeBufferPointer { output.append(contentsOf: $0) }
      } else if !isPlain || !CanonicalNumber.appendInteger(slice, to: &output) {
        try appendSlowly(bytes, text, scanner.key.attributes[index], to: &output)
      }
      let length = UInt32(output.count - lengthAt - 4)
      for shift in 0..<4 {
        output[lengthAt + shift] = UInt8(truncatingIfNeeded: length >> (8 * shift))
      }
    }
  }

  /// A value with escapes, or a number that is more than an integer.
  @inline(never)
  private static func appendSlowly(
    _ bytes: Span<UInt8>, _ text: Range<Int>, _ attribute: KeyAttribute, to output: inout [UInt8]
  ) throws(ItemFault) {
    var spelled: [UInt8] = []
    do throws(JSONError) { try JSONText.unescape(bytes, text, into: &spelled) } catch {
      throw .json(error)
    }
    guard attribute.type == .number else {
      output += spelled
      return
    }
    guard let number = CanonicalNumber(spelled.span) else { throw .badNumber(attribute.name) }
    number.append(to: &output)
  }

  /// The text inside `{"S":"text"}`, where the value is exactly that with the type asked for.
  static func stringValue(
    _ bytes: Span<UInt8>, _ value: Range<Int>, type: KeyType
  ) -> Range<Int>? {
    var scanner = JSONScanner()
    guard !value.isEmpty, bytes[value.lowerBound] == UInt8(ascii: "{") else { return nil }
    var i = scanner.skipWhitespace(bytes, at: value.lowerBound + 1)
    let letter = type.letter
    guard i + 2 < value.upperBound, bytes[i] == UInt8(ascii: "\""), bytes[i + 1] == letter,
      bytes[i + 2] == UInt8(ascii: "\"")
    else { return nil }
    i = scanner.skipWhitespace(bytes, at: i + 3)
    guard i < value.upperBound, bytes[i] == UInt8(ascii: ":") else { return nil }
    let start = scanner.skipWhitespace(bytes, at: i + 1)
    guard start < value.upperBound, bytes[start] == UInt8(ascii: "\""),
      let end = try? scanner.skipString(bytes, at: start)
    else { return nil }
    // One member only: the brace must close it.
    guard scanner.skipWhitespace(bytes, at: end) == value.upperBound - 1 else { return nil }
    return (start + 1)..<(end - 1)
  }
}

extension KeyType {
  /// The letter of the service's typed JSON.
  var letter: UInt8 {
    switch self {
    case .string: UInt8(ascii: "S")
    case .number: UInt8(ascii: "N")
    case .binary: UInt8(ascii: "B")
    }
  }
}

/// A DynamoDB number as sign, significant digits and a power of ten.
public struct CanonicalNumber: Equatable, Sendable {
  /// Whether it is below zero; zero has no sign.
  public private(set) var isNegative = false
  /// The digits as ASCII, without zeros at either end; empty for zero.
  public private(set) var digits: [UInt8] = []
  /// The power of ten of the last digit.
  public private(set) var exponent = 0

  /// Reads `[+-]? digits [. digits] ([eE] [+-]? digits)?`; nil for anything else.
  public init?(_ text: Span<UInt8>) {
    var i = 0
    let count = text.count
    if i < count, text[i] == UInt8(ascii: "-") || text[i] == UInt8(ascii: "+") {
      isNegative = text[i] == UInt8(ascii: "-")
      i += 1
    }
    var any = false
    var afterPoint = false
    while i < count {
      let byte = text[i]
      if byte &- UInt8(ascii: "0") < 10 {
        any = true
        if afterPoint { exponent -= 1 }
        if byte != UInt8(ascii: "0") || !digits.isEmpty { digits.append(byte) }
      } else if byte == UInt8(ascii: "."), !afterPoint {
        afterPoint = true
      } else {
        break
      }
      i += 1
    }
    guard any else { return nil }
    if i < count {
      guard text[i] | 0x20 == UInt8(ascii: "e") else { return nil }
      i += 1
      var negative = false
      if i < count, text[i] == UInt8(ascii: "-") || text[i] == UInt8(ascii: "+") {
        negative = text[i] == UInt8(ascii: "-")
        i += 1
      }
      guard i < count else { return nil }
      var power = 0
      while i < count {
        guard text[i] &- UInt8(ascii: "0") < 10, power < 1_000_000 else { return nil }
        power = power * 10 + Int(text[i] &- UInt8(ascii: "0"))
        i += 1
      }
      exponent += negative ? -power : power
    }
    while digits.last == UInt8(ascii: "0") {
      digits.removeLast()
      exponent += 1
    }
    if digits.isEmpty {
      isNegative = false
      exponent = 0
    }
  }

  /// Appends the canonical form of an integer without zeros in front, which is how most numbers
  /// arrive; of anything else, nothing.
  static func appendInteger(_ text: Span<UInt8>, to output: inout [UInt8]) -> Bool {
    let start = !text.isEmpty && text[0] == UInt8(ascii: "-") ? 1 : 0
    guard start < text.count, text[start] != UInt8(ascii: "0") else { return false }
    for i in start..<text.count where text[i] &- UInt8(ascii: "0") >= 10 { return false }
    var end = text.count
    while text[end - 1] == UInt8(ascii: "0") { end -= 1 }
    text.extracting(0..<end).withUnsafeBufferPointer { output.append(contentsOf: $0) }
    output.append(UInt8(ascii: "E"))
    if end == text.count {
      output.append(UInt8(ascii: "0"))
    } else {
      output.append(contentsOf: String(text.count - end).utf8)
    }
    return true
  }

  /// Appends `-?digits E exponent`, one spelling for each value.
  func append(to output: inout [UInt8]) {
    if isNegative { output.append(UInt8(ascii: "-")) }
    output.append(contentsOf: digits)
    output.append(UInt8(ascii: "E"))
    output.append(contentsOf: String(exponent).utf8)
  }
}
