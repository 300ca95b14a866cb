/// A slow and obvious validator of RFC 8259, written from its grammar by recursive descent, with
/// the standard library's own judgement on UTF-8. It shares nothing with `JSONScanner`.
struct ReferenceValidator {
  private let text: [UInt8]
  private var position: Int
  private let maximumDepth: Int

  private struct Refused: Error {}

  /// The offset behind the value that starts at `start`; nil where there is none.
  static func end(of text: [UInt8], from start: Int, maximumDepth: Int = 128) -> Int? {
    var validator = ReferenceValidator(text: text, position: start, maximumDepth: maximumDepth)
    guard (try? validator.value(depth: 0)) != nil else { return nil }
    return validator.position
  }

  /// Whether the whole text is one value with white space around it.
  static func accepts(_ text: [UInt8]) -> Bool {
    var validator = ReferenceValidator(text: text, position: 0, maximumDepth: 128)
    validator.space()
    guard (try? validator.value(depth: 0)) != nil else { return false }
    validator.space()
    return validator.position == text.count
  }

  private var current: Character? {
    position < text.count ? Character(Unicode.Scalar(text[position])) : nil
  }

  private mutating func space() {
    while let character = current, [" ", "\t", "\n", "\r"].contains(character) { position += 1 }
  }

  private mutating func take(_ literal: String) throws {
    guard text[position...].starts(with: literal.utf8) else { throw Refused() }
    position += literal.utf8.count
  }

  private mutating func value(depth: Int) throws {
    switch current {
    case "{":
      try list(depth: depth, from: "{", to: "}") { validator in
        try validator.string()
        validator.space()
        try validator.take(":")
        validator.space()
        try validator.value(depth: depth + 1)
      }
    case "[":
      try list(depth: depth, from: "[", to: "]") { try $0.value(depth: depth + 1) }
    case "\"": try string()
    case "t": try take("true")
    case "f": try take("false")
    case "n": try take("null")
    default: try number()
    }
  }

  private mutating func list(
    depth: Int, from open: String, to close: String,
    _ element: (inout ReferenceValidator) throws -> Void
  ) throws {
    guard depth < maximumDepth else { throw Refused() }
    try take(open)
    space()
    if (try? take(close)) != nil { return }
    while true {
      try element(&self)
      space()
      if (try? take(close)) != nil { return }
      try take(",")
      space()
    }
  }

  private mutating func number() throws {
    try? take("-")
    if (try? take("0")) != nil {
      // A digit cannot follow: a leading zero stands alone.
      if let character = current, ("0"..."9").contains(character) { throw Refused() }
    } else {
      try digits()
    }
    if (try? take(".")) != nil { try digits() }
    guard current == "e" || current == "E" else { return }
    position += 1
    if current == "+" || current == "-" { position += 1 }
    try digits()
  }

  private mutating func digits() throws {
    let start = position
    while let character = current, ("0"..."9").contains(character) { position += 1 }
    if position == start { throw Refused() }
  }

  private mutating func string() throws {
    try take("\"")
    // Raw bytes and escapes become UTF-16 by turns, so that pairs are judged by the decoder.
    var units: [UInt16] = []
    var raw: [UInt8] = []
    func flush() throws {
      guard let run = String(validating: raw, as: UTF8.self) else { throw Refused() }
      units += run.utf16
      raw = []
    }
    while let character = current, character != "\"" {
      guard text[position] >= 0x20 else { throw Refused() }
      if character == "\\" {
        try flush()
        units.append(try escape())
      } else {
        raw.append(text[position])
        position += 1
      }
    }
    try flush()
    guard String(validating: units, as: UTF16.self) != nil else { throw Refused() }
    try take("\"")
  }

  private mutating func escape() throws -> UInt16 {
    try take("\\")
    if (try? take("u")) != nil {
      let digits = text[position...].prefix(4)
      let hex = digits.map { Character(Unicode.Scalar($0)) }
      guard hex.count == 4, hex.allSatisfy({ $0.isASCII && $0.isHexDigit }),
        let unit = UInt16(String(hex), radix: 16)
      else { throw Refused() }
      position += 4
      return unit
    }
    let escapes: [Character: UInt16] = [
      "\"": 0x22, "\\": 0x5C, "/": 0x2F, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9,
    ]
    guard let character = current, let unit = escapes[character] else { throw Refused() }
    position += 1
    return unit
  }
}
