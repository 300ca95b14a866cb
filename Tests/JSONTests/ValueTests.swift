import JSON
import Testing

@Suite struct ValueTests {
  private func text(_ value: JSONValue, pretty: Bool = false) -> String {
    String(decoding: value.serialized(pretty: pretty), as: UTF8.self)
  }

  @Test(arguments: [
    "null", "true", "false", "0", "-0", "1.0", "1E+2", "1e2", "0.10", "-1.5e-130", #""""#,
    "12345678901234567890123456789012345678", "[]", "{}", "[[],[{}]]", #"{"z":1,"a":2,"m":3}"#,
    #"{"":"","é":"€"}"#, #"["\"\\\n\u0001"]"#, "9.9999999999999999999999999999999999999E+125",
  ])
  func compactTextSurvivesUntouched(_ document: String) throws {
    #expect(text(try JSONValue.parse(document)) == document)
  }

  @Test func prettyTextHasAMemberALine() throws {
    let value = try JSONValue.parse(#"{"b":[1,{"a":null}],"e":[],"o":{}}"#)
    let expected = """
      {
        "b": [
          1,
          {
            "a": null
          }
        ],
        "e": [],
        "o": {}
      }
      """
    #expect(text(value, pretty: true) == expected)
    #expect(try JSONValue.parse(expected) == value)
  }

  @Test(arguments: 100..<104)
  func randomDocumentsSurvive(_ seed: Int) throws {
    var random = RandomJSON(seed: UInt64(seed))
    for _ in 0..<300 {
      let bytes = Array(random.text().utf8)
      // A random object may hold a name twice; it is no document then.
      guard let value = try? JSONValue.parse(bytes.span) else { continue }
      let compact = value.serialized()
      #expect(try JSONValue.parse(compact.span) == value)
      #expect(try JSONValue.parse(value.serialized(pretty: true).span) == value)
      #expect(try JSONValue.parse(compact.span).serialized() == compact)
    }
  }

  @Test(
    arguments: AcceptedCases.duplicates.map(\.bytes) + [
      Array(#"{"x":{"a":1,"b":2,"a":3}}"#.utf8), Array(#"[{"\u00e9":1,"é":2}]"#.utf8),
    ])
  func aNameHeldTwiceIsRefused(_ document: [UInt8]) {
    #expect(throws: JSONError.self) { try JSONValue.parse(document.span) }
  }

  /// Composed and decomposed letters are equal as Swift strings, and different names in JSON and in
  /// DynamoDB.
  @Test func namesAreComparedByTheirBytes() throws {
    let value = try JSONValue.parse("{\"\u{E9}\":1,\"e\u{301}\":2}")
    #expect(value["\u{E9}"]?.int == 1)
    #expect(value["e\u{301}"]?.int == 2)
    var object = try #require(value.object)
    object["e\u{301}"] = nil
    #expect(object.members.map(\.value) == [1])
    #expect(object.removing(["e\u{301}"]).members.count == 1)
    #expect(JSONValue.string("\u{E9}") != .string("e\u{301}"))
  }

  @Test func membersAreSetInPlace() {
    var object: JSONObject = ["a": 1, "b": "two", "c": true]
    object["b"] = [2]
    object["d"] = .null
    object["a"] = nil
    #expect(text(.object(object)) == #"{"b":[2],"c":true,"d":null}"#)
    #expect(text(.object(object.removing(["c", "x"]))) == #"{"b":[2],"d":null}"#)
  }

  @Test(arguments: [
    ("7", 7), ("-9223372036854775808", Int.min), ("9223372036854775808", nil), ("1.0", nil),
    ("1e2", nil), ("\"7\"", nil), ("true", nil),
  ])
  func onlyIntegersThatFitAreIntegers(_ document: String, _ expected: Int?) throws {
    #expect(try JSONValue.parse(document).int == expected)
  }

  @Test func accessorsAnswerForTheirKindOnly() throws {
    let value = try JSONValue.parse(#"{"s":"x","n":1.5,"b":true,"l":[1],"o":{"a":null}}"#)
    #expect(value["s"]?.string == "x")
    #expect(value["n"]?.double == 1.5)
    #expect(value["b"]?.bool == true)
    #expect(value["l"]?.array == [1])
    #expect(value["o"]?["a"] == .null)
    #expect(value["s"]?.bool == nil && value["b"]?.string == nil && value["n"]?.array == nil)
    #expect(value["nothing"] == nil && value["l"]?["a"] == nil)
  }
}
