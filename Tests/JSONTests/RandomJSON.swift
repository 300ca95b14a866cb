/// SplitMix64 (Steele, Lea, Flood 2014): the same cases on every run and machine.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Makes valid JSON texts, and damages them.
struct RandomJSON {
  private var random: SeededGenerator

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  private mutating func one<C: RandomAccessCollection>(of choices: C) -> C.Element {
    choices[choices.index(choices.startIndex, offsetBy: below(choices.count))]
  }

  mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }

  /// A document of moderate size.
  mutating func text() -> String { space() + value(depth: 0) + space() }

  private mutating func space() -> String { one(of: ["", "", "", " ", "\t", "\n", "\r\n", "  "]) }

  private mutating func value(depth: Int) -> String {
    switch below(depth > 5 ? 4 : 8) {
    case 0: one(of: ["true", "false", "null"])
    case 1, 2: string()
    case 3: number()
    case 4, 5: list("[", "]") { $0.value(depth: depth + 1) }
    default:
      list("{", "}") { $0.string() + $0.space() + ":" + $0.space() + $0.value(depth: depth + 1) }
    }
  }

  private mutating func list(
    _ open: String, _ close: String, _ element: (inout RandomJSON) -> String
  ) -> String {
    var parts: [String] = []
    for _ in 0..<below(5) { parts.append(space() + element(&self) + space()) }
    return open + (parts.isEmpty ? space() : parts.joined(separator: ",")) + close
  }

  private mutating func number() -> String {
    let digits = { (random: inout RandomJSON) in
      String((0...random.below(20)).map { _ in random.one(of: Array("0123456789")) })
    }
    var text = one(of: ["", "-"])
    text += below(4) == 0 ? "0" : one(of: ["1", "7", "9"]) + digits(&self)
    if below(2) == 0 { text += "." + digits(&self) }
    if below(3) == 0 { text += one(of: ["e", "E"]) + one(of: ["", "+", "-"]) + digits(&self) }
    return text
  }

  private mutating func string() -> String {
    let parts = [
      "a", "plain text", "é", "€", "𝄞", "\u{7F}", "\u{2028}", #"\""#, #"\\"#, #"\/"#, #"\b"#,
      #"\f"#, #"\n"#, #"\r"#, #"\t"#, #"\u0000"#, #"\u00e9"#, #"\uFFFF"#, #"\ud834\uDD1E"#,
      "0123456789abcdef", " ", "\u{10FFFF}",
    ]
    return "\"" + (0..<below(8)).map { _ in one(of: parts) }.joined() + "\""
  }

  /// The text with one to three small damages; it may be valid still.
  mutating func damaged(_ text: [UInt8]) -> [UInt8] {
    var bytes = text
    let telling: [UInt8] = [
      0x00, 0x1F, 0x20, 0x22, 0x2B, 0x2C, 0x2D, 0x2E, 0x30, 0x3A, 0x45, 0x5B, 0x5C, 0x5D, 0x65,
      0x75, 0x7B, 0x7D, 0x7F, 0x80, 0xBF, 0xC0, 0xC3, 0xE0, 0xED, 0xF0, 0xF4, 0xFF,
    ]
    for _ in 0...below(3) {
      let place = below(bytes.count + 1)
      switch below(6) {
      case 0: bytes.insert(one(of: telling), at: place)
      case 1 where place < bytes.count: bytes[place] = one(of: telling)
      case 2 where place < bytes.count: bytes[place] ^= 1 << UInt8(below(8))
      case 3 where place < bytes.count: bytes.remove(at: place)
      case 4: bytes.removeSubrange(place...)
      default: bytes.insert(contentsOf: bytes[place...].prefix(below(6)), at: place)
      }
    }
    return bytes
  }
}
