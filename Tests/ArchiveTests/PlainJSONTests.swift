import Archive
import Testing

@Suite struct PlainJSONTests {
  private func plain(_ item: String) throws -> String {
    let bytes = Array("xx\(item)yy".utf8)
    var output: [UInt8] = []
    try PlainJSON.append(bytes.span, 2..<bytes.count - 2, to: &output)
    return String(decoding: output, as: UTF8.self)
  }

  @Test(arguments: [
    (#"{"S":"x"}"#, #""x""#), (#"{"S":""}"#, #""""#), (#"{"S":"\u0041\"é"}"#, #""\u0041\"é""#),
    (#"{"N":"1"}"#, "1"), (#"{"B":"AQI="}"#, #""AQI=""#), (#"{"BOOL":true}"#, "true"),
    (#"{"BOOL":false}"#, "false"), (#"{"NULL":true}"#, "null"),
    (#"{"M":{}}"#, "{}"), (#"{"M":{"a b":{"N":"1"},"":{"M":{}}}}"#, #"{"a b":1,"":{}}"#),
    (#"{"L":[]}"#, "[]"), (#"{"L":[{"S":"a"},{"L":[{"NULL":true}]}]}"#, #"["a",[null]]"#),
    (#"{"SS":["a","b"]}"#, #"["a","b"]"#), (#"{"NS":["1","+2.0",".5"]}"#, "[1,2.0,0.5]"),
    (#"{"BS":["AQ=="]}"#, #"["AQ=="]"#),
    (
      " { \"M\" : { \"a\" : { \"N\" : \"1\" } , \"b\" : { \"NS\" : [ \"1\" , \"2\" ] } } } ",
      #"{"a":1,"b":[1,2]}"#
    ),
  ])
  func types(_ value: String, _ expected: String) throws {
    #expect(try plain("{\"k\":\(value)}") == "{\"k\":\(expected)}")
  }

  @Test(arguments: [
    ("0", "0"), ("-0", "-0"), ("1.50", "1.50"), ("1e5", "1e5"), ("1E+05", "1E+05"),
    ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
    ("1E-130", "1E-130"), ("9.99e125", "9.99e125"), ("+5", "5"), (".5", "0.5"), ("-.5", "-0.5"),
    ("007", "7"), ("-007.50", "-7.50"), ("00", "0"), ("5.", "5"), ("5.e3", "5e3"),
    ("+.5e-07", "0.5e-07"),
    (#"\u0031"#, "1"),
  ])
  func numbers(_ spelled: String, _ expected: String) throws {
    #expect(try plain("{\"n\":{\"N\":\"\(spelled)\"}}") == "{\"n\":\(expected)}")
    #expect(SlowJSON.parse(Array(expected.utf8)) != nil)
  }

  /// What is none of the ten types is kept, without white space.
  @Test(arguments: [
    #"{"N":"NaN"}"#, #"{"N":""}"#, #"{"N":1}"#, #"{"S":1}"#, #"{"S":null}"#, #"{"BOOL":"true"}"#,
    #"{"BOOL":null}"#, #"{"NULL":false}"#, #"{"M":[]}"#, #"{"L":{}}"#, #"{"SS":"a"}"#,
    #"{"SS":[1]}"#, #"{"NS":["1","x"]}"#, #"{"X":"new"}"#, #"{"S":"a","N":"1"}"#, "{}", "[]", "1",
    #"{"":"a"}"#, #"{"BOOLE":true}"#, #"{"\u0053":"a"}"#, #"{"M":{},"S":"a"}"#, "null",
  ])
  func unknown(_ value: String) throws {
    #expect(
      try plain("{\"a\":{\"S\":\"x\"},\"k\": \(value) ,\"z\":{\"N\":\"1\"}}")
        == "{\"a\":\"x\",\"k\":\(value),\"z\":1}")
  }

  @Test func insideAnUnknownTypeNothingChanges() throws {
    #expect(
      try plain(#"{"k":{"L":[{"X":{"S":"a"}},{"S":"b"}]}}"#) == #"{"k":[{"X":{"S":"a"}},"b"]}"#)
  }

  @Test(arguments: ["", "[]", "1", "{", "{}{}", #"{"a"}"#])
  func malformed(_ item: String) {
    #expect(throws: ArchiveError.self) { try plain(item) }
  }

  @Test func deep() throws {
    let levels = 60
    let item =
      "{\"k\":" + String(repeating: "{\"L\":[", count: levels) + "{\"N\":\"1\"}"
      + String(repeating: "]}", count: levels) + "}"
    #expect(
      try plain(item)
        == "{\"k\":" + String(repeating: "[", count: levels) + "1"
        + String(repeating: "]", count: levels) + "}")
  }
}
