/// A second, independent JSON parser: slow, recursive, written after RFC 8259 alone, to hold the
/// fast scanner against.
struct SlowJSON {
  /// A value with its text unescaped; `raw` are the bytes it was read from.
  indirect enum Value: Equatable {
    case literal(String)
    case number([UInt8])
    case string([UInt32])
    case array([Value])
    case object([Member])
  }

  struct Member: Equatable {
    var name: [UInt32]
    var value: Value
  }

  private struct Malformed: Error {}
  private let bytes: [UInt8]
  private var at = 0

  /// The value, or nil where the text is malformed or nests more than `depth` levels.
  static func parse(_ bytes: [UInt8], depth: Int = 128) -> Value? {
    var parser = SlowJSON(bytes: bytes)
    guard let value = try? parser.value(depth) else { return nil }
    parser.space()
    return parser.at == bytes.count ? value : nil
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private var byte: UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func space() {
    while let byte, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { at += 1 }
  }

  private mutating func take(_ text: String) -> Bool {
    guard bytes[at...].starts(with: text.utf8) else { return false }
    at += text.utf8.count
    return true
  }

  private mutating func value(_ depth: Int) throws -> Value {
    space()
    for literal in ["true", "false", "null"] where take(literal) { return .literal(literal) }
    if byte == UInt8(ascii: "\"") { return .string(try string()) }
    if take("[") {
      guard depth > 0 else { throw Malformed() }
      var elements: [Value] = []
      space()
      if take("]") { return .array([]) }
      repeat {
        elements.append(try value(depth - 1))
        space()
      } while take(",")
      guard take("]") else { throw Malformed() }
      return .array(elements)
    }
    if take("{") {
      guard depth > 0 else { throw Malformed() }
      var members: [Member] = []
      space()
      if take("}") { return .object([]) }
      repeat {
        space()
        let name = try string()
        space()
        guard take(":") else { throw Malformed() }
        members.append(Member(name: name, value: try value(depth - 1)))
        space()
      } while take(",")
      guard take("}") else { throw Malformed() }
      return .object(members)
    }
    return .number(try number())
  }

  private mutating func number() throws -> [UInt8] {
    let start = at
    _ = take("-")
    if !take("0") { try digits() }
    if take(".") { try digits() }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      try digits()
    }
    return Array(bytes[start..<at])
  }

  private mutating func digits() throws {
    let start = at
    while let byte, (0x30...0x39).contains(byte) { at += 1 }
    guard at > start else { throw Malformed() }
  }

  private mutating func string() throws -> [UInt32] {
    guard take("\"") else { throw Malformed() }
    // The standard library decides what is UTF-8: it repairs what is not, and so changes it.
    guard let end = closingQuote() else { throw Malformed() }
    let raw = Array(bytes[at..<end])
    let text = String(decoding: raw, as: UTF8.self)
    guard Array(text.utf8) == raw else { throw Malformed() }
    at = end + 1
    var scalars: [UInt32] = []
    var rest = text.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      guard scalar.value >= 0x20 else { throw Malformed() }
      guard scalar == "\\" else {
        scalars.append(scalar.value)
        continue
      }
      switch rest.popFirst() {
      case "\"": scalars.append(0x22)
      case "\\": scalars.append(0x5C)
      case "/": scalars.append(0x2F)
      case "b": scalars.append(8)
      case "f": scalars.append(12)
      case "n": scalars.append(10)
      case "r": scalars.append(13)
      case "t": scalars.append(9)
      case "u":
        let unit = try hex(&rest)
        if (0xDC00...0xDFFF).contains(unit) { throw Malformed() }
        guard (0xD800...0xDBFF).contains(unit) else {
          scalars.append(unit)
          continue
        }
        guard rest.popFirst() == "\\", rest.popFirst() == "u" else { throw Malformed() }
        let low = try hex(&rest)
        guard (0xDC00...0xDFFF).contains(low) else { throw Malformed() }
        scalars.append(0x10000 + (unit - 0xD800) * 0x400 + (low - 0xDC00))
      default: throw Malformed()
      }
    }
    return scalars
  }

  private func closingQuote() -> Int? {
    var i = at
    while i < bytes.count {
      if bytes[i] == UInt8(ascii: "\"") { return i }
      i += bytes[i] == UInt8(ascii: "\\") ? 2 : 1
    }
    return nil
  }

  private func hex(_ rest: inout Substring.UnicodeScalarView) throws -> UInt32 {
    let digits = String(String.UnicodeScalarView(rest.prefix(4)))
    guard digits.utf8.count == 4, !digits.hasPrefix("+"), !digits.hasPrefix("-"),
      let unit = UInt32(digits, radix: 16)
    else { throw Malformed() }
    rest = rest.dropFirst(4)
    return unit
  }
}

/// Random JSON of all kinds, spelled in all ways.
struct RandomJSON {
  var random: Seeded

  mutating func pick<T>(_ choices: [T]) -> T {
    choices[Int.random(in: 0..<choices.count, using: &random)]
  }

  mutating func space() -> String {
    Int.random(in: 0..<8, using: &random) == 0 ? pick([" ", "\t", "\n", "\r\n", "  "]) : ""
  }

  mutating func string() -> String {
    var text = "\""
    for _ in 0..<Int.random(in: 0...12, using: &random) {
      text += pick([
        "a", "Z", "0", " ", "é", "漢", "😀", "\u{7F}", "\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n",
        "\\r", "\\t", "\\u0000", "\\u00e9", "\\uD83D\\uDE00", "{", "}", "[", "]", ",", ":",
        "eight by",
      ])
    }
    return text + "\""
  }

  mutating func value(_ depth: Int) -> String {
    switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &random) {
    case 0...2: return string()
    case 3: return pick(["0", "-0", "1.5", "-12e+3", "1E-7", "123456789012345678901234567890"])
    case 4, 5: return pick(["true", "false", "null"])
    case 6:
      let elements = (0..<Int.random(in: 0...4, using: &random)).map { _ in
        space() + value(depth - 1) + space()
      }
      return "[" + (elements.isEmpty ? space() : elements.joined(separator: ",")) + "]"
    default: return object(depth)
    }
  }

  mutating func object(_ depth: Int) -> String {
    let members = (0..<Int.random(in: 0...4, using: &random)).map { _ in
      space() + string() + space() + ":" + space() + value(depth - 1) + space()
    }
    return "{" + (members.isEmpty ? space() : members.joined(separator: ",")) + "}"
  }
}
