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
    for (index, attribute) in scanner.key.attributes.enumerated() {
      guard let text = stringValue(bytes, scanner.values[index], type: attribute.type) else {
        throw .wrongKeyType(attribute.name, expected: attribute.type)
      }
      output.append(attribute.type.letter)
      let lengthAt = output.count
      for _ in 0..<4 { output.append(0) }
      let value = bytes.extracting(text)
      if attribute.type == .number {
        if !appendInteger(value, to: &output) {
          var spelled: [UInt8] = []
          do throws(JSONError) {
            try JSONText.unescape(bytes, text, into: &spelled)
          } catch { throw .json(error) }
          guard let number = CanonicalNumber(spelled.span) else {
            throw .badNumber(attribute.name)
          }
          number.append(to: &output)
        }
      } else if value.contains(UInt8(ascii: "\\")) {
        do throws(JSONError) {
          try JSONText.unescape(bytes, text, into: &output)
        } catch { throw .json(error) }
      } else {
        value.withUnsafeBufferPointer { output.append(contentsOf: $0) }
      }
      let length = UInt32(output.count - lengthAt - 4)
      for shift in 0..<4 {
        output[lengthAt + shift] = UInt8(truncatingIfNeeded: length >> (8 * shift))
      }
    }
  }

  /// The quick way for what most numeric keys are: a positive integer without leading zeros. Says no,
  /// and appends nothing, where it is something else.
  private static func appendInteger(_ text: Span<UInt8>, to output: inout [UInt8]) -> Bool {
    guard !text.isEmpty, text[0] != UInt8(ascii: "0") else { return false }
    var significant = 0
    for i in 0..<text.count {
      guard text[i] &- UInt8(ascii: "0") < 10 else { return false }
      if text[i] != UInt8(ascii: "0") { significant = i + 1 }
    }
    text.extracting(0..<significant).withUnsafeBufferPointer { output.append(contentsOf: $0) }
    CanonicalNumber.append(exponent: text.count - significant, to: &output)
    return true
  }

  /// The text inside `{"S":"text"}`, where the value is exactly that with the type asked for.
  static func stringValue(
    _ bytes: Span<UInt8>, _ value: Range<Int>, type: KeyType
  ) -> Range<Int>? {
    var scanner = JSONScanner()
    guard !value.isEmpty, bytes[value.lowerBound] == UInt8(ascii: "{") else { return nil }
    var i = scanner.skipWhitespace(bytes, at: value.lowerBound + 1)
    guard i + 2 < value.upperBound, bytes[i] == UInt8(ascii: "\""), bytes[i + 1] == type.letter,
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

  /// Appends `-?digits E exponent`, one spelling for each value.
  func append(to output: inout [UInt8]) {
    if isNegative { output.append(UInt8(ascii: "-")) }
    output.append(contentsOf: digits)
    CanonicalNumber.append(exponent: exponent, to: &output)
  }

  static func append(exponent: Int, to output: inout [UInt8]) {
    output.append(UInt8(ascii: "E"))
    output.append(contentsOf: String(exponent).utf8)
  }
}

extension KeyType {
  fileprivate var letter: UInt8 {
    switch self {
    case .string: UInt8(ascii: "S")
    case .number: UInt8(ascii: "N")
    case .binary: UInt8(ascii: "B")
    }
  }
}
