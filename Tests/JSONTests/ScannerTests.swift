import JSON
import Testing

/// The end of the value at `start` by the scanner; nil where it refuses.
private func end(of bytes: [UInt8], from start: Int, maximumDepth: Int = 128) -> Int? {
  var scanner = JSONScanner(maximumDepth: maximumDepth)
  return try? scanner.skipValue(bytes.span, at: start)
}

/// Whether the scanner takes the whole text as one value.
private func accepts(_ bytes: [UInt8]) -> Bool {
  var scanner = JSONScanner()
  let start = scanner.skipWhitespace(bytes.span, at: 0)
  guard let end = try? scanner.skipValue(bytes.span, at: start) else { return false }
  return scanner.skipWhitespace(bytes.span, at: end) == bytes.count
}

private func fault(_ text: String) -> JSONError? {
  let bytes = ParsingCase("", text).bytes
  do throws(JSONError) {
    _ = try JSONValue.parse(bytes.span)
    return nil
  } catch {
    return error
  }
}

@Suite struct ScannerTests {
  @Test(arguments: AcceptedCases.all + AcceptedCases.duplicates)
  func accepted(_ example: ParsingCase) {
    #expect(accepts(example.bytes))
    #expect(ReferenceValidator.accepts(example.bytes))
  }

  @Test(arguments: RefusedCases.all)
  func refused(_ example: ParsingCase) {
    #expect(!accepts(example.bytes))
    #expect((try? JSONValue.parse(example.bytes.span)) == nil)
    #expect(!ReferenceValidator.accepts(example.bytes))
  }

  @Test(arguments: AcceptedCases.all)
  func parsed(_ example: ParsingCase) throws {
    let value = try JSONValue.parse(example.bytes.span)
    #expect(try JSONValue.parse(value.serialized().span) == value)
  }

  @Test func everyPrefixOfADocumentIsRefused() throws {
    let text = Array(#"{"a":[1,-2.5e+3,"x\u00e9\ud834\udd1e€",{"b":null}],"c":true}"#.utf8)
    #expect(accepts(text))
    for length in 0..<text.count { #expect(!accepts(Array(text[..<length])), "\(length)") }
  }

  @Test(
    arguments: [
      ("[1,]", .unexpectedByte, 3), ("[1", .truncated, 2), ("\"a‹01›\"", .controlCharacter, 2),
      ("\"\\x\"", .badEscape, 1), ("[\"\\ud800\"]", .loneSurrogate, 2), ("\"ab‹FF›\"", .badUTF8, 3),
      ("[01]", .badNumber, 1), ("[1.x]", .badNumber, 3), ("-", .truncated, 1),
      ("nulL", .unexpectedByte, 3), ("{\"a\" 1}", .unexpectedByte, 5), ("{} x", .trailingBytes, 2),
      ("{\"a\":1,\"a\":2}", .duplicateName, 7), ("{\"a\":1,\"\\u0061\":2}", .duplicateName, 7),
    ] as [(String, JSONError.Code, Int)])
  func namesTheFaultAndItsPlace(_ text: String, _ code: JSONError.Code, _ offset: Int) {
    #expect(fault(text) == JSONError(code, at: offset))
  }

  @Test(arguments: [1, 2, 31, 64, 127, 128])
  func depthIsCountedExactly(_ depth: Int) {
    let allowed = Array(nested("[", depth, "]").utf8)
    let tooDeep = Array(nested("[", depth + 1, "]").utf8)
    #expect(end(of: allowed, from: 0, maximumDepth: depth) == allowed.count)
    #expect(end(of: tooDeep, from: 0, maximumDepth: depth) == nil)
  }

  @Test func noReaderMayAllowMoreThanTheLimit() {
    #expect(JSONScanner(maximumDepth: 1000).maximumDepth == JSONScanner.depthLimit)
  }

  @Test(arguments: [
    ("[1, 2]", false), ("[1,\n2]", true), ("[1,\r2]", true), ("\n1", true),
    ("{\"a\\n\":\t1}", false),
  ])
  func lineBreaksOutsideStringsAreSeen(_ text: String, _ seen: Bool) throws {
    var scanner = JSONScanner()
    let bytes = Array(text.utf8)
    _ = try scanner.skipValue(bytes.span, at: scanner.skipWhitespace(bytes.span, at: 0))
    #expect(scanner.sawLineBreak == seen)
  }

  /// Bytes at which the eight-at-a-time loop must stop, and neighbours at which it must not.
  static let telling: [[UInt8]] = [
    [0x22], [0x21], [0x23], [0x5C, 0x6E], [0x5C], [0x5B], [0x5D], [0x00], [0x1F], [0x20], [0x7F],
    [0x80], [0xC3, 0xA9], [0xE2, 0x82, 0xAC], [0xF0, 0x9D, 0x84, 0x9E], [0xFF],
  ]

  @Test(arguments: telling)
  func aTellingByteIsSeenAtEveryPlace(_ bytes: [UInt8]) {
    for place in 0...24 {
      for rest in 0...17 {
        let text =
          [0x22] + [UInt8](repeating: 0x61, count: place) + bytes
          + [UInt8](repeating: 0x62, count: rest) + [0x22]
        #expect(
          end(of: text, from: 0) == ReferenceValidator.end(of: text, from: 0), "\(place) \(rest)")
      }
    }
  }

  /// A borrow runs from a marked byte into the next one, which must not hide what is there.
  @Test(arguments: telling)
  func whatFollowsATellingByteIsSeen(_ bytes: [UInt8]) {
    for place in 0...8 {
      for next in UInt8.min...UInt8.max {
        let text =
          [0x22] + [UInt8](repeating: 0x61, count: place) + bytes + [next, 0x61, 0x22, 0x22]
        #expect(
          end(of: text, from: 0) == ReferenceValidator.end(of: text, from: 0), "\(place) \(next)")
      }
    }
  }

  @Test(arguments: 0..<8)
  func agreesWithTheReference(_ seed: Int) {
    var random = RandomJSON(seed: UInt64(seed))
    var accepted = 0
    for _ in 0..<1000 {
      let text = Array(random.text().utf8)
      #expect(accepts(text), "\(String(decoding: text, as: UTF8.self))")
      #expect(ReferenceValidator.accepts(text))
      for _ in 0..<3 {
        let damaged = random.damaged(text)
        let start = min(text.prefix { [0x20, 0x09, 0x0A, 0x0D].contains($0) }.count, damaged.count)
        let found = end(of: damaged, from: start)
        #expect(found == ReferenceValidator.end(of: damaged, from: start), "\(damaged)")
        let whole = accepts(damaged)
        #expect(whole == ReferenceValidator.accepts(damaged), "\(damaged)")
        if whole { accepted += 1 }
      }
    }
    // Both answers must come up often, or the agreement says little.
    #expect((200...2800).contains(accepted))
  }
}
