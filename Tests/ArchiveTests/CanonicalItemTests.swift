@testable import Archive
import Digest
import Testing

@Suite struct CanonicalItemTests {
  private func form(_ item: String) throws -> String {
    var canonical = CanonicalItem()
    var output: [UInt8] = []
    let bytes = Array(item.utf8)
    try canonical.append(bytes.span, 0..<bytes.count, to: &output)
    return String(decoding: output, as: UTF8.self)
  }

  /// The example of format-spec.md.
  @Test func theSpecification() throws {
    let text = try form(#"{"n":{"NS":["10","1.0"]},"a":{"M":{"\u0062":{"S":"\u00e9\/"}}}}"#)
    #expect(text == #"{"a":{"M":{"b":{"S":"é/"}}},"n":{"NS":["1E0","1E1"]}}"#)
    #expect(
      SHA256.digest(of: Array(text.utf8).span.bytes).description
        == "6c31146808eb4a51cdfbab3b93a588392e02c4d7ace6ca7bca0cccfe5aacd2f0")
  }

  @Test(arguments: [
    ("0", "0"), ("-0.00", "0"), ("00e7", "0"), ("1", "1E0"), ("100", "1E2"), ("1.0", "1E0"),
    ("-1.50", "-15E-1"), ("-15e-1", "-15E-1"), ("+7", "7E0"), ("007", "7E0"), (".5", "5E-1"),
    ("5.", "5E0"), ("1E-130", "1E-130"), ("9.9E+125", "99E124"),
  ])
  func numbers(_ spelled: String, _ canonical: String) throws {
    #expect(
      try form(#"{"n":{"N":"\#(spelled)"},"s":{"NS":["\#(spelled)"]}}"#)
        == #"{"n":{"N":"\#(canonical)"},"s":{"NS":["\#(canonical)"]}}"#)
  }

  @Test(arguments: [
    // Order of names: by bytes between the quotation marks, the shorter first.
    (#"{"b":{"S":""},"a!":{"S":""},"a":{"S":""}}"#, #"{"a":{"S":""},"a!":{"S":""},"b":{"S":""}}"#),
    (
      #"{"é":{"S":""},"z":{"S":""},"e\u0301":{"S":""}}"#,
      "{\"e\u{301}\":{\"S\":\"\"},\"z\":{\"S\":\"\"},\"é\":{\"S\":\"\"}}"
    ),
    // Escapes, as few as can be.
    (
      #"{"\u0001":{"S":"\b\u000a\r\t\"\\\/\u007f\uD83D\uDE00"}}"#,
      "{\"\\u0001\":{\"S\":\"\\u0008\\n\\r\\t\\\"\\\\/\u{7F}😀\"}}"
    ),
    // Sets have no order, lists have one.
    (
      #"{"a":{"SS":["b","","a"]},"b":{"L":[{"S":"b"},{"S":"a"}]}}"#,
      #"{"a":{"SS":["","a","b"]},"b":{"L":[{"S":"b"},{"S":"a"}]}}"#
    ),
    // White space between tokens is none.
    (#"{ "a" : { "M" : { } } , "b" : { "NULL" : true } }"#, #"{"a":{"M":{}},"b":{"NULL":true}}"#),
    // A type that nobody knows: JSON with members sorted and numbers as they are spelled.
    (
      #"{"a":{"V2":{"y":[1.0,{"d":1,"c":2}],"x":"\u0061"}}}"#,
      #"{"a":{"V2":{"x":"a","y":[1.0,{"c":2,"d":1}]}}}"#
    ),
    // What is not of its type's shape is JSON, too.
    (
      #"{"a":{"N":"x"},"b":{"N":1.0},"c":{"SS":["b",1,"a"]},"d":{"N":"1","S":"1"}}"#,
      #"{"a":{"N":"x"},"b":{"N":1.0},"c":{"SS":["b",1,"a"]},"d":{"N":"1","S":"1"}}"#
    ),
    (#"{"a":{"NS":["1.0","x","0"]}}"#, #"{"a":{"NS":["0","1E0","x"]}}"#),
    // The name of a type may be escaped.
    (#"{"a":{"\u004e":"1.0"}}"#, #"{"a":{"N":"1E0"}}"#),
    ("{}", "{}"),
  ])
  func forms(_ item: String, _ canonical: String) throws {
    #expect(try form(item).utf8.elementsEqual(canonical.utf8))
    #expect(try form(canonical).utf8.elementsEqual(canonical.utf8))
  }

  @Test(arguments: ["", "[]", "{", "1", #"{"a":{"S":"x"}"#, #"{"a":{"M":{"#])
  func whatIsNoItem(_ text: String) {
    #expect(throws: ArchiveError.self) { try form(text) }
  }
}
