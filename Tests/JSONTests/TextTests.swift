import JSON
import Testing

@Suite struct TextTests {
  private func unescaped(_ text: String) throws -> String {
    let bytes = Array(text.utf8)
    var output: [UInt8] = []
    try JSONText.unescape(bytes.span, 0..<bytes.count, into: &output)
    return String(decoding: output, as: UTF8.self)
  }

  private func quoted(_ text: String) -> String {
    var output: [UInt8] = []
    JSONText.quote(text.utf8, into: &output)
    return String(decoding: output, as: UTF8.self)
  }

  @Test(arguments: [
    ("", ""), ("plain", "plain"), (#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{C}\n\r\t"),
    (#"\u0041\u00e9\u20AC"#, "Aé€"), (#"\ud834\udd1E!"#, "𝄞!"), (#"\u0000"#, "\0"),
    (#"\\u0041"#, #"\u0041"#), (#"\uFFFF\uD7FF\uE000"#, "\u{FFFF}\u{D7FF}\u{E000}"),
    ("é€𝄞", "é€𝄞"), (#"\uDBFF\uDFFF"#, "\u{10FFFF}"),
  ])
  func unescapes(_ text: String, _ expected: String) throws {
    #expect(Array(try unescaped(text).utf8) == Array(expected.utf8))
  }

  @Test(arguments: [
    ("", #""""#), ("a\"b\\c/d", #""a\"b\\c/d""#), ("\n\r\t", #""\n\r\t""#),
    ("\u{0}\u{8}\u{1F}", #""\u0000\u0008\u001f""#), ("\u{7F}é€𝄞\u{2028}", "\"\u{7F}é€𝄞\u{2028}\""),
  ])
  func quotes(_ text: String, _ expected: String) { #expect(quoted(text) == expected) }

  @Test(arguments: [#"\"#, #"\u00"#, #"\ud834"#, #"\ud834\u0041"#, #"\udd1e"#])
  func unescapingMalformedTextThrows(_ text: String) {
    #expect(throws: JSONError.self) { try unescaped(text) }
  }

  @Test(arguments: 0..<4)
  func quotingAndUnescapingIsTheIdentity(_ seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let ranges: [ClosedRange<UInt32>] = [
      0...0x1F, 0x20...0x7F, 0x80...0x7FF, 0x800...0xD7FF, 0xE000...0xFFFF, 0x10000...0x10FFFF,
    ]
    for _ in 0..<1000 {
      var scalars = String.UnicodeScalarView()
      for _ in 0..<Int.random(in: 0...20, using: &random) {
        let range = ranges[Int.random(in: 0..<ranges.count, using: &random)]
        if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)) {
          scalars.append(scalar)
        }
      }
      let text = String(scalars)
      let bytes = Array(quoted(text).utf8)
      #expect(try JSONScanner().skipString(bytes.span, at: 0) == bytes.count)
      var output: [UInt8] = []
      try JSONText.unescape(bytes.span, 1..<(bytes.count - 1), into: &output)
      #expect(output == Array(text.utf8))
    }
  }
}
