import Archive
import JSON

/// What an item counts as when DynamoDB measures it for capacity: names and values, not their JSON
/// (Developer Guide, "DynamoDB item sizes and formats").
///
/// | what | bytes |
/// |---|---|
/// | name of an attribute | its UTF-8 |
/// | `S` | its UTF-8 |
/// | `B` | as it is without base64 |
/// | `N` | one for each two significant digits, begun ones too, and one more |
/// | `BOOL`, `NULL` | 1 |
/// | `SS`, `NS`, `BS` | the sum of the members |
/// | `L`, `M` | 3, and 1 for each element beside what it counts itself |
///
/// What is none of the ten types counts as its JSON does. The rule for numbers is the documented
/// approximation.
public enum StoredSize {
  /// Bytes of an item, or of a key.
  ///
  /// - Parameter item: typed JSON.
  public static func bytes(_ item: Span<UInt8>) -> Int {
    var size = 0
    let isObject = attributes(item, 0..<item.count) { size += $0.count + $1 }
    return isObject ? size : item.count
  }

  /// The attributes of an item: the UTF-8 of each name, and the bytes of its value.
  ///
  /// - Parameter item: where its object stands.
  /// - Returns: false where there is no object of valid JSON, as far as it has been read.
  @discardableResult
  static func attributes(
    _ bytes: Span<UInt8>, _ item: Range<Int>, _ body: (_ name: Span<UInt8>, _ bytes: Int) -> Void
  ) -> Bool {
    var sizer = Sizer()
    do throws(JSONError) {
      _ = try sizer.members(bytes, item.lowerBound, isWhole: true, body)
      return true
    } catch { return false }
  }
}

/// One pass over an item: nothing is built, and only what has escapes is copied.
private struct Sizer {
  private var scanner = JSONScanner()
  private var text: [UInt8] = []

  /// What a list or a map takes, beside a byte for each element.
  private static let containerOverhead = 3

  /// An object of names and typed values: an item, or what stands in an `M`.
  ///
  /// - Parameter isWhole: whether it is the item, of which a value of another shape counts as it stands.
  /// - Returns: the offset behind it.
  mutating func members(
    _ bytes: Span<UInt8>, _ start: Int, isWhole: Bool, _ body: (Span<UInt8>, Int) -> Void
  ) throws(JSONError) -> Int {
    var i = try open(bytes, start, "{")
    while try at(bytes, i) != UInt8(ascii: "}") {
      let name = i + 1..<(try scanner.skipString(bytes, at: i)) - 1
      let start = try scanner.skipName(bytes, at: i)
      let value: (end: Int, size: Int)
      if isWhole {
        value = try anyValue(bytes, start)
      } else {
        value = try self.value(bytes, start)
      }
      if try isEscaped(bytes, name) {
        body(text.span, value.size)
      } else {
        body(bytes.extracting(name), value.size)
      }
      i = try separator(bytes, value.end)
    }
    return i + 1
  }

  private mutating func anyValue(
    _ bytes: Span<UInt8>, _ start: Int
  ) throws(JSONError) -> (end: Int, size: Int) {
    if let value = try? value(bytes, start) { return value }
    let end = try scanner.skipValue(bytes, at: start)
    return (end, end - start)
  }

  /// A typed value, `{"S":"x"}`.
  private mutating func value(
    _ bytes: Span<UInt8>, _ start: Int
  ) throws(JSONError) -> (end: Int, size: Int) {
    let name = try open(bytes, start, "{")
    let nameEnd = try scanner.skipString(bytes, at: name)
    let inner = try scanner.skipName(bytes, at: name)
    let (end, size) = try content(bytes, inner, Kind(bytes, name + 1..<nameEnd - 1))
    // One member only: the brace must close it.
    let brace = scanner.skipWhitespace(bytes, at: end)
    guard try at(bytes, brace) == UInt8(ascii: "}") else {
      throw JSONError(.unexpectedByte, at: brace)
    }
    return (brace + 1, size)
  }

  /// What a type's letters ask for.
  private enum Kind {
    case string, number, binary, flag, map, list, strings, numbers, binaries, unknown

    init(_ bytes: Span<UInt8>, _ name: Range<Int>) {
      let first = name.isEmpty ? 0 : bytes[name.lowerBound]
      let isSet = name.count == 2 && bytes[name.lowerBound + 1] == UInt8(ascii: "S")
      switch (first, name.count) {
      case (UInt8(ascii: "S"), 1): self = .string
      case (UInt8(ascii: "N"), 1): self = .number
      case (UInt8(ascii: "B"), 1): self = .binary
      case (UInt8(ascii: "M"), 1): self = .map
      case (UInt8(ascii: "L"), 1): self = .list
      case (UInt8(ascii: "S"), 2) where isSet: self = .strings
      case (UInt8(ascii: "N"), 2) where isSet: self = .numbers
      case (UInt8(ascii: "B"), 2) where isSet: self = .binaries
      case (UInt8(ascii: "B"), 4), (UInt8(ascii: "N"), 4):
        self = Kind.isFlag(bytes, name) ? .flag : .unknown
      default: self = .unknown
      }
    }

    private static func isFlag(_ bytes: Span<UInt8>, _ name: Range<Int>) -> Bool {
      let word: StaticString = bytes[name.lowerBound] == UInt8(ascii: "B") ? "BOOL" : "NULL"
      for offset in 0..<4 where bytes[name.lowerBound + offset] != word.utf8Start[offset] {
        return false
      }
      return true
    }
  }

  private mutating func content(
    _ bytes: Span<UInt8>, _ start: Int, _ kind: Kind
  ) throws(JSONError) -> (end: Int, size: Int) {
    switch kind {
    case .string, .number, .binary:
      return try scalar(bytes, start, kind)
    case .flag: return (try scanner.skipValue(bytes, at: start), 1)
    case .map:
      var size = Sizer.containerOverhead
      let end = try members(bytes, start, isWhole: false) { size += 1 + $0.count + $1 }
      return (end, size)
    case .list:
      var size = Sizer.containerOverhead
      var i = try open(bytes, start, "[")
      while try at(bytes, i) != UInt8(ascii: "]") {
        let element = try value(bytes, i)
        size += 1 + element.size
        i = try separator(bytes, element.end)
      }
      return (i + 1, size)
    case .strings: return try set(bytes, start, of: .string)
    case .numbers: return try set(bytes, start, of: .number)
    case .binaries: return try set(bytes, start, of: .binary)
    case .unknown:
      let end = try scanner.skipValue(bytes, at: start)
      return (end, end - start)
    }
  }

  private mutating func set(
    _ bytes: Span<UInt8>, _ start: Int, of kind: Kind
  ) throws(JSONError) -> (end: Int, size: Int) {
    var size = 0
    var i = try open(bytes, start, "[")
    while try at(bytes, i) != UInt8(ascii: "]") {
      let member = try scalar(bytes, i, kind)
      size += member.size
      i = try separator(bytes, member.end)
    }
    return (i + 1, size)
  }

  /// A string that stands for a text, a number or a binary.
  private mutating func scalar(
    _ bytes: Span<UInt8>, _ start: Int, _ kind: Kind
  ) throws(JSONError) -> (end: Int, size: Int) {
    guard try at(bytes, start) == UInt8(ascii: "\"") else {
      throw JSONError(.unexpectedByte, at: start)
    }
    let end = try scanner.skipString(bytes, at: start)
    let inside = start + 1..<end - 1
    let size =
      try isEscaped(bytes, inside)
      ? Sizer.size(text.span, kind) : Sizer.size(bytes.extracting(inside), kind)
    return (end, size)
  }

  private static func size(_ text: Span<UInt8>, _ kind: Kind) -> Int {
    switch kind {
    case .number: (significantDigits(text) + 1) / 2 + 1
    case .binary:
      // Base64's four characters stand for three bytes.
      max(text.count / 4 * 3 - padding(text), 0)
    default: text.count
    }
  }

  private static func padding(_ text: Span<UInt8>) -> Int {
    var count = 0
    while count < 2, count < text.count, text[text.count - 1 - count] == UInt8(ascii: "=") {
      count += 1
    }
    return count
  }

  /// Digits of a number without zeros at either end; the length of what is none.
  private static func significantDigits(_ text: Span<UInt8>) -> Int {
    var (digits, zeros) = (0, 0)
    for i in text.indices {
      switch text[i] {
      case UInt8(ascii: "0"): zeros += digits > 0 ? 1 : 0
      case UInt8(ascii: "1")...UInt8(ascii: "9"):
        digits += zeros + 1
        zeros = 0
      case UInt8(ascii: "."), UInt8(ascii: "+"), UInt8(ascii: "-"): break
      case UInt8(ascii: "e"), UInt8(ascii: "E"): return digits
      default: return text.count
      }
    }
    return digits
  }

  /// Whether a string has escapes; if so, `text` is what it stands for.
  private mutating func isEscaped(
    _ bytes: Span<UInt8>, _ inside: Range<Int>
  ) throws(JSONError) -> Bool {
    guard bytes.extracting(inside).bytes.contains(UInt8(ascii: "\\")) else { return false }
    text.removeAll(keepingCapacity: true)
    try JSONText.unescape(bytes, inside, into: &text)
    return true
  }

  private mutating func open(
    _ bytes: Span<UInt8>, _ start: Int, _ bracket: Unicode.Scalar
  ) throws(JSONError) -> Int {
    guard try at(bytes, start) == UInt8(ascii: bracket) else {
      throw JSONError(.unexpectedByte, at: start)
    }
    return scanner.skipWhitespace(bytes, at: start + 1)
  }

  /// Behind a member or an element: the offset of what is next.
  private mutating func separator(_ bytes: Span<UInt8>, _ start: Int) throws(JSONError) -> Int {
    let i = scanner.skipWhitespace(bytes, at: start)
    guard try at(bytes, i) == UInt8(ascii: ",") else { return i }
    return scanner.skipWhitespace(bytes, at: i + 1)
  }

  private func at(_ bytes: Span<UInt8>, _ i: Int) throws(JSONError) -> UInt8 {
    guard i < bytes.count else { throw JSONError(.truncated, at: bytes.count) }
    return bytes[i]
  }
}

extension RawSpan {
  /// Whether a byte occurs, eight at a time.
  fileprivate func contains(_ byte: UInt8) -> Bool {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let wanted = ones &* UInt64(byte)
    var i = 0
    while i &+ 8 <= byteCount {
      let other = unsafeLoadUnaligned(fromByteOffset: i, as: UInt64.self) ^ wanted
      if (other &- ones) & ~other & 0x8080_8080_8080_8080 != 0 { return true }
      i &+= 8
    }
    while i < byteCount {
      if unsafeLoad(fromByteOffset: i, as: UInt8.self) == byte { return true }
      i &+= 1
    }
    return false
  }
}
