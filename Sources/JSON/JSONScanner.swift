/// A strict RFC 8259 scanner that finds where values end without building them.
///
/// This is the hot path of dump, verify and load: it walks each byte of each item once, checks
/// grammar, UTF-8 and depth, and allocates nothing. Stricter than the RFC's grammar in one point: an
/// escaped half of a surrogate pair is refused, since it is no text and could not be written as
/// UTF-8.
public struct JSONScanner: Sendable {
  /// The deepest nesting any reader may allow: one bit a level.
  public static let depthLimit = 128

  /// Levels of nesting allowed, at most `depthLimit`.
  public let maximumDepth: Int

  /// Whether white space skipped so far held a line feed or a carriage return. Such a value cannot
  /// stand on one line as it is; callers that cut lines reset and read this.
  public var sawLineBreak = false

  /// Creates a scanner.
  public init(maximumDepth: Int = JSONScanner.depthLimit) {
    self.maximumDepth = min(maximumDepth, JSONScanner.depthLimit)
  }

  /// Skips white space.
  ///
  /// - Returns: the offset of the first byte that is none, or the text's length.
  @inlinable @inline(__always)
  public mutating func skipWhitespace(_ bytes: Span<UInt8>, at start: Int) -> Int {
    if start < bytes.count, bytes[start] > 0x20 { return start }
    return skipWhitespaceSlowly(bytes, at: start)
  }

  @usableFromInline @inline(never)
  mutating func skipWhitespaceSlowly(_ bytes: Span<UInt8>, at start: Int) -> Int {
    var i = start
    while i < bytes.count {
      switch bytes[i] {
      case 0x20, 0x09: i += 1
      case 0x0A, 0x0D:
        sawLineBreak = true
        i += 1
      default: return i
      }
    }
    return i
  }

  /// Skips one value of any kind that starts at `start`, white space before it excluded.
  ///
  /// - Returns: the offset just behind the value.
  /// - Throws: `JSONError` with the offset of the fault.
  public mutating func skipValue(
    _ bytes: Span<UInt8>, at start: Int
  ) throws(JSONError) -> Int {
    var names = AnyNames()
    return try skipValue(bytes, at: start, &names)
  }

  /// Skips one value, and has the names in its objects checked.
  ///
  /// - Throws: `JSONError`; a check that has thrown, or was underway, has to be reset.
  @_specialize(where Names == AnyNames)
  @_specialize(where Names == UniqueNames)
  public mutating func skipValue<Names: NameCheck>(
    _ bytes: Span<UInt8>, at start: Int, _ names: inout Names
  ) throws(JSONError) -> Int {
    var i = start
    var depth = 0
    // One bit a level, 1 for an object, 0 for an array; the lowest bit is the innermost.
    var objects: UInt128 = 0
    while true {
      guard i < bytes.count else { throw JSONError(.truncated, at: bytes.count) }
      var opened = false
      switch bytes[i] {
      case UInt8(ascii: "\""):
        i = try skipString(bytes, at: i)
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        guard depth < maximumDepth else { throw JSONError(.tooDeep, at: i) }
        if let end = try skipTypedString(bytes, at: i) {
          i = end
          break
        }
        let isObject = bytes[i] == UInt8(ascii: "{")
        depth += 1
        objects = objects << 1 | (isObject ? 1 : 0)
        if isObject { names.open() }
        i = skipWhitespace(bytes, at: i + 1)
        guard i < bytes.count else { throw JSONError(.truncated, at: bytes.count) }
        if bytes[i] == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
          if isObject { try names.close(bytes) }
          i += 1
          depth -= 1
          objects >>= 1
        } else {
          if isObject { i = try skipName(bytes, at: i, &names) }
          opened = true
        }
      case UInt8(ascii: "t"): i = try skipLiteral("true", bytes, at: i)
      case UInt8(ascii: "f"): i = try skipLiteral("false", bytes, at: i)
      case UInt8(ascii: "n"): i = try skipLiteral("null", bytes, at: i)
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        i = try skipNumber(bytes, at: i)
      default:
        throw JSONError(.unexpectedByte, at: i)
      }
      if opened { continue }

      // Behind a value: close what ends here, or go on to the next member or element.
      while true {
        if depth == 0 { return i }
        i = skipWhitespace(bytes, at: i)
        guard i < bytes.count else { throw JSONError(.truncated, at: bytes.count) }
        let byte = bytes[i]
        let inObject = objects & 1 == 1
        if byte == UInt8(ascii: ",") {
          i = skipWhitespace(bytes, at: i + 1)
          if inObject { i = try skipName(bytes, at: i, &names) }
          break
        }
        guard byte == (inObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
          throw JSONError(.unexpectedByte, at: i)
        }
        if inObject { try names.close(bytes) }
        i += 1
        depth -= 1
        objects >>= 1
      }
    }
  }

  /// Skips `{"S":"…"}`, whatever the capital letter: what most of DynamoDB's JSON consists of, at once
  /// instead of token by token.
  ///
  /// - Returns: the offset behind it; nil for anything else, and for the same in another layout.
  @inlinable @inline(__always)
  public func skipTypedString(_ bytes: Span<UInt8>, at start: Int) throws(JSONError) -> Int? {
    guard start &+ 8 <= bytes.count else { return nil }
    let word = UInt64(
      littleEndian: bytes.bytes.unsafeLoadUnaligned(fromByteOffset: start, as: UInt64.self))
    // The bytes { " ? " : " from the lowest on.
    guard word & 0xFFFF_FF00_FFFF == 0x223A_2200_227B,
      UInt8(truncatingIfNeeded: word >> 16) &- UInt8(ascii: "A") < 26
    else { return nil }
    let end = try skipString(bytes, at: start &+ 5)
    guard end < bytes.count, bytes[end] == UInt8(ascii: "}") else { return nil }
    return end &+ 1
  }

  /// Skips a member's name, the colon, and the white space behind it.
  ///
  /// - Returns: the offset of the member's value.
  @inline(__always)
  public mutating func skipName(_ bytes: Span<UInt8>, at start: Int) throws(JSONError) -> Int {
    var names = AnyNames()
    return try skipName(bytes, at: start, &names)
  }

  @inline(__always)
  private mutating func skipName<Names: NameCheck>(
    _ bytes: Span<UInt8>, at start: Int, _ names: inout Names
  ) throws(JSONError) -> Int {
    var i = try skipString(bytes, at: start)
    names.add(start: start, end: i)
    i = skipWhitespace(bytes, at: i)
    guard i < bytes.count else { throw JSONError(.truncated, at: bytes.count) }
    guard bytes[i] == UInt8(ascii: ":") else { throw JSONError(.unexpectedByte, at: i) }
    return skipWhitespace(bytes, at: i + 1)
  }

  /// Skips a string that starts with the quotation mark at `start`.
  ///
  /// - Returns: the offset just behind the closing quotation mark.
  @inlinable @inline(__always)
  public func skipString(_ bytes: Span<UInt8>, at start: Int) throws(JSONError) -> Int {
    guard start < bytes.count else { throw JSONError(.truncated, at: bytes.count) }
    guard bytes[start] == UInt8(ascii: "\"") else { throw JSONError(.unexpectedByte, at: start) }
    var i = start + 1
    let raw = bytes.bytes
    let count = bytes.count
    while true {
      // Eight bytes at a time while all are plain ASCII: neither a quotation mark, a backslash, a
      // control character nor the lead of a longer character.
      while i &+ 8 <= count {
        let word = raw.unsafeLoadUnaligned(fromByteOffset: i, as: UInt64.self)
        let special = JSONScanner.specialBytes(word)
        if special == 0 {
          i &+= 8
          continue
        }
        i &+= special.trailingZeroBitCount >> 3
        break
      }
      guard i < count else { throw JSONError(.truncated, at: count) }
      switch bytes[i] {
      case UInt8(ascii: "\""): return i &+ 1
      case UInt8(ascii: "\\"): i = try skipEscape(bytes, at: i)
      case 0..<0x20: throw JSONError(.controlCharacter, at: i)
      case 0x80...: i = try skipMultibyte(bytes, at: i)
      default: i &+= 1
      }
    }
  }

  /// The high bit of each byte of a word that needs a closer look. Bytes above the first hit may be
  /// marked wrongly (a borrow runs upwards), the first one never is.
  @inlinable @inline(__always)
  static func specialBytes(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let quote = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
    let backslash = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
    let marks =
      (quote &- ones) & ~quote | (backslash &- ones) & ~backslash
      | (word &- (ones &* 0x20)) & ~word | word
    return UInt64(littleEndian: marks) & 0x8080_8080_8080_8080
  }

  @usableFromInline @inline(never)
  func skipEscape(_ bytes: Span<UInt8>, at start: Int) throws(JSONError) -> Int {
    guard start + 1 < bytes.count else { throw JSONError(.truncated, at: bytes.count) }
    switch bytes[start + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      return start + 2
    case UInt8(ascii: "u"):
      let unit = try JSONScanner.hexUnit(bytes, at: start)
      if unit & 0xF800 != 0xD800 { return start + 6 }
      guard unit < 0xDC00, start + 7 < bytes.count,
        bytes[start + 6] == UInt8(ascii: "\\"), bytes[start + 7] == UInt8(ascii: "u")
      else { throw JSONError(.loneSurrogate, at: start) }
      let low = try JSONScanner.hexUnit(bytes, at: start + 6)
      guard low & 0xFC00 == 0xDC00 else { throw JSONError(.loneSurrogate, at: start) }
      return start + 12
    default:
      throw JSONError(.badEscape, at: start)
    }
  }

  /// The UTF-16 unit of the `\uXXXX` escape whose backslash stands at `start`.
  static func hexUnit(_ bytes: Span<UInt8>, at start: Int) throws(JSONError) -> UInt32 {
    guard start + 6 <= bytes.count else { throw JSONError(.truncated, at: bytes.count) }
    var unit: UInt32 = 0
    for i in (start + 2)..<(start + 6) {
      let digit: UInt8
      switch bytes[i] {
      case let byte where byte &- UInt8(ascii: "0") < 10: digit = byte - UInt8(ascii: "0")
      case let byte where (byte | 0x20) &- UInt8(ascii: "a") < 6:
        digit = (byte | 0x20) - UInt8(ascii: "a") + 10
      default: throw JSONError(.badEscape, at: start)
      }
      unit = unit << 4 | UInt32(digit)
    }
    return unit
  }

  /// Skips one character of two to four bytes; the table is Unicode's 3-7.
  @usableFromInline @inline(never)
  func skipMultibyte(_ bytes: Span<UInt8>, at start: Int) throws(JSONError) -> Int {
    let lead = bytes[start]
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch lead {
    case 0xC2...0xDF: length = 2
    case 0xE0...0xEF:
      length = 3
      if lead == 0xE0 { second = 0xA0...0xBF }
      if lead == 0xED { second = 0x80...0x9F }
    case 0xF0...0xF4:
      length = 4
      if lead == 0xF0 { second = 0x90...0xBF }
      if lead == 0xF4 { second = 0x80...0x8F }
    default: throw JSONError(.badUTF8, at: start)
    }
    guard start &+ length <= bytes.count else { throw JSONError(.truncated, at: bytes.count) }
    guard second.contains(bytes[start &+ 1]) else { throw JSONError(.badUTF8, at: start) }
    for i in (start &+ 2)..<max(start &+ length, start &+ 2) where bytes[i] & 0xC0 != 0x80 {
      throw JSONError(.badUTF8, at: start)
    }
    return start &+ length
  }

  private func skipLiteral(
    _ literal: StaticString, _ bytes: Span<UInt8>, at start: Int
  ) throws(JSONError) -> Int {
    let length = literal.utf8CodeUnitCount
    for i in 0..<length {
      guard start + i < bytes.count else { throw JSONError(.truncated, at: bytes.count) }
      guard bytes[start + i] == literal.utf8Start[i] else {
        throw JSONError(.unexpectedByte, at: start + i)
      }
    }
    return start + length
  }

  /// RFC 8259 section 6: `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
  private func skipNumber(_ bytes: Span<UInt8>, at start: Int) throws(JSONError) -> Int {
    var i = start
    if bytes[i] == UInt8(ascii: "-") { i += 1 }
    let leading = i
    i = try skipDigits(bytes, at: i)
    if i - leading > 1, bytes[leading] == UInt8(ascii: "0") {
      throw JSONError(.badNumber, at: start)
    }
    if i < bytes.count, bytes[i] == UInt8(ascii: ".") { i = try skipDigits(bytes, at: i + 1) }
    if i < bytes.count, bytes[i] | 0x20 == UInt8(ascii: "e") {
      i += 1
      if i < bytes.count, bytes[i] == UInt8(ascii: "+") || bytes[i] == UInt8(ascii: "-") { i += 1 }
      i = try skipDigits(bytes, at: i)
    }
    return i
  }

  private func skipDigits(_ bytes: Span<UInt8>, at start: Int) throws(JSONError) -> Int {
    var i = start
    while i < bytes.count, bytes[i] &- UInt8(ascii: "0") < 10 { i += 1 }
    guard i > start else {
      throw i < bytes.count ? JSONError(.badNumber, at: i) : JSONError(.truncated, at: bytes.count)
    }
    return i
  }
}
