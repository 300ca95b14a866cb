@testable import Archive
import Testing

/// What rules make of the bytes of an item.
@Suite struct ItemTransformerTests {
  private static let key = Array("0123456789abcdef".utf8)

  /// Rules as `set a=1`, `remove a`, `hash a`.
  static func transforms(_ rules: [String]) throws -> ItemTransforms {
    try ItemTransforms(
      rules.map { rule -> ItemTransforms.Rule in
        let rest = String(rule.drop { $0 != " " }.dropFirst())
        return switch rule.prefix(3) {
        case "set": try .set(rest)
        case "rem": try .remove(rest)
        default: try .hash(rest)
        }
      }, hashKey: key)
  }

  private func changed(_ item: String, _ rules: [String]) throws -> String {
    var transformer = ItemTransformer(try Self.transforms(rules), key: ordersKey)
    var output = Array("before ".utf8)
    let bytes = Array(item.utf8)
    try transformer.append(bytes.span, to: &output)
    #expect(output.starts(with: "before ".utf8))
    return String(decoding: output.dropFirst(7), as: UTF8.self)
  }

  @Test(arguments: [
    // A value that is there is replaced, another is added at the end.
    (#"{"a":{"S":"x"},"b":{"N":"1"}}"#, ["set a=1"], #"{"a":{"N":"1"},"b":{"N":"1"}}"#),
    (#"{"b":{"N":"1"}}"#, ["set a=1"], #"{"b":{"N":"1"},"a":{"N":"1"}}"#),
    ("{}", ["set a=1", "set b=2"], #"{"a":{"N":"1"},"b":{"N":"2"}}"#),
    ("{ }", ["set a=1"], #"{ "a":{"N":"1"}}"#),
    ("{}", [#"set "a\"\n"=1"#], #"{"a\"\n":{"N":"1"}}"#),
    (#"{"a":{"L":[{"S":"}"},{"M":{}}]}}"#, ["set a=true"], #"{"a":{"BOOL":true}}"#),
    // Nested.
    (
      #"{"a":{"M":{"b":{"S":"x"},"c":{"L":[{"S":"0"},{"S":"1"}]}}}}"#,
      ["set a.b=1", "set a.c[1]=2"],
      #"{"a":{"M":{"b":{"N":"1"},"c":{"L":[{"S":"0"},{"N":"2"}]}}}}"#
    ),
    (#"{"a":{"M":{}},"z":{"S":""}}"#, ["set a.b=1"], #"{"a":{"M":{"b":{"N":"1"}}},"z":{"S":""}}"#),
    (
      #"{"a":{"L":[{"M":{"b":{"S":"x"}}},{"M":{"c":{"S":"y"}}}]}}"#,
      ["set a[0].b=1", "set a[1].b=1"],
      #"{"a":{"L":[{"M":{"b":{"N":"1"}}},{"M":{"c":{"S":"y"},"b":{"N":"1"}}}]}}"#
    ),
    (#"{"a":{"L":[{"L":[{"S":"x"}]}]}}"#, ["set a[0][0]=1"], #"{"a":{"L":[{"L":[{"N":"1"}]}]}}"#),
    // Where a parent is not there, nor an element, there is nothing to do.
    (#"{"z":{"S":""}}"#, ["set a.b=1", "hash c.d", "remove e[0]"], #"{"z":{"S":""}}"#),
    (
      #"{"a":{"NULL":true},"c":{"NULL":true},"e":{"NULL":true}}"#,
      ["set a.b=1", "hash c", "remove e[0]"],
      #"{"a":{"NULL":true},"c":{"NULL":true},"e":{"NULL":true}}"#
    ),
    (
      #"{"a":{"L":[{"S":"x"}]}}"#, ["set a[1]=1", "remove a[2]", "hash a[3].b"],
      #"{"a":{"L":[{"S":"x"}]}}"#
    ),
    // Removing: one comma goes, too, wherever the member stands.
    (
      #"{"a":{"S":"x"},"b":{"S":"y"},"c":{"S":"z"}}"#, ["remove a"],
      #"{"b":{"S":"y"},"c":{"S":"z"}}"#
    ),
    (
      #"{"a":{"S":"x"},"b":{"S":"y"},"c":{"S":"z"}}"#, ["remove b"],
      #"{"a":{"S":"x"},"c":{"S":"z"}}"#
    ),
    (
      #"{"a":{"S":"x"},"b":{"S":"y"},"c":{"S":"z"}}"#, ["remove c"],
      #"{"a":{"S":"x"},"b":{"S":"y"}}"#
    ),
    (
      #"{"a":{"S":"x"},"b":{"S":"y"},"c":{"S":"z"}}"#, ["remove a", "remove b"], #"{"c":{"S":"z"}}"#
    ),
    (
      #"{"a":{"S":"x"},"b":{"S":"y"},"c":{"S":"z"}}"#, ["remove a", "remove c"], #"{"b":{"S":"y"}}"#
    ),
    (
      #"{"a":{"S":"x"},"b":{"S":"y"},"c":{"S":"z"}}"#, ["remove b", "remove c"], #"{"a":{"S":"x"}}"#
    ),
    (#"{"a":{"S":"x"},"b":{"S":"y"}}"#, ["remove a", "remove b"], "{}"),
    (#"{"a":{"S":"x"},"b":{"S":"y"}}"#, ["remove a", "remove b", "set c=1"], #"{"c":{"N":"1"}}"#),
    (
      #"{"a":{"S":"x"},"b":{"S":"y"}}"#, ["remove b", "set c=1"], #"{"a":{"S":"x"},"c":{"N":"1"}}"#
    ),
    (#"{"a":{"M":{"b":{"S":"x"}}}}"#, ["remove a.b"], #"{"a":{"M":{}}}"#),
    (
      #"{"a":{"L":[{"S":"0"},{"S":"1"},{"S":"2"},{"S":"3"}]}}"#,
      ["remove a[0]", "remove a[2]", "hash a[4]"],
      #"{"a":{"L":[{"S":"1"},{"S":"3"}]}}"#
    ),
    // Indices are those of the list as it came.
    (
      #"{"a":{"L":[{"S":"0"},{"S":"1"},{"S":"2"}]}}"#, ["remove a[0]", "set a[1]=1"],
      #"{"a":{"L":[{"N":"1"},{"S":"2"}]}}"#
    ),
    // Names are compared unescaped, and by their bytes.
    (#"{"\u0061":{"S":"x"},"\"\n":{"S":"y"}}"#, ["remove a", #"remove "\"\n""#], "{}"),
    (
      #"{"aa":{"S":"x"},"A":{"S":"y"},"":{"S":"z"}}"#, ["remove a"],
      #"{"aa":{"S":"x"},"A":{"S":"y"},"":{"S":"z"}}"#
    ),
    (#"{"\\":{"S":"x"},"\\\\":{"S":"y"}}"#, [#"remove "\\\\""#], #"{"\\":{"S":"x"}}"#),
    (#"{"\\":{"S":"x"},"\\\u005c":{"S":"y"}}"#, [#"remove "\\\\""#], #"{"\\":{"S":"x"}}"#),
    (#"{"\\":{"S":"x"},"\\\\":{"S":"y"}}"#, [#"remove "\\""#], #"{"\\\\":{"S":"y"}}"#),
    ("{\"e\u{301}\":{\"S\":\"x\"}}", ["remove é"], "{\"e\u{301}\":{\"S\":\"x\"}}"),
    (#"{"\u00e9":{"S":"x"}}"#, ["set é=1"], #"{"\u00e9":{"N":"1"}}"#),
    (
      #"{"a\"}":{"S":"{\"a\":1}\\"},"a":{"S":"x"}}"#, ["remove a"], #"{"a\"}":{"S":"{\"a\":1}\\"}}"#
    ),
    // White space, and what is spelled otherwise, stay as they are.
    (
      "{ \"a\" : { \"S\" : \"x\" } ,\t\"b\" : { \"\\u004d\" : { \"c\" : { \"N\" : \"1.0\" } } } }",
      ["set b.c=1"],
      "{ \"a\" : { \"S\" : \"x\" } ,\t\"b\" : { \"\\u004d\" : { \"c\" : {\"N\":\"1\"} } } }"
    ),
    (
      "{ \"a\" : {\"S\":\"x\"} , \"b\" : {\"S\":\"y\"} }", ["remove a"], "{ \"b\" : {\"S\":\"y\"} }"
    ),
    (
      "{ \"a\" : {\"S\":\"x\"} , \"b\" : {\"S\":\"y\"} }", ["remove b"], "{ \"a\" : {\"S\":\"x\"} }"
    ),
    // Types that nobody knows are no business of a rule, unless it is about them.
    (#"{"a":{"V2":[1]},"b":{"V2":[1]}}"#, ["remove a", "set c.d=1"], #"{"b":{"V2":[1]}}"#),
    (#"{"a":{"V2":[1]}}"#, ["set a=1"], #"{"a":{"N":"1"}}"#),
  ])
  func setAndRemove(_ item: String, _ rules: [String], _ expected: String) throws {
    // Swift's strings take composed and decomposed letters for the same.
    let found = try changed(item, rules)
    #expect(found.utf8.elementsEqual(expected.utf8), "\(found)")
  }

  /// The values are Python's hmac's, with the key 0123456789abcdef.
  @Test(arguments: [
    (#"{"S":"jane@example.com"}"#, #"{"S":"2c13c9e403ceafa4b9050d036018d8ca"}"#),
    (#"{"S":"\u006aane\u0040example.com"}"#, #"{"S":"2c13c9e403ceafa4b9050d036018d8ca"}"#),
    (#"{"S":"\u00e9\n\""}"#, #"{"S":"9a7f973047ef389e956450ffa20d0124"}"#),
    ("{\"S\":\"é\\u000A\\u0022\"}", #"{"S":"9a7f973047ef389e956450ffa20d0124"}"#),
    (#"{"S":""}"#, #"{"S":"96914b76d162051314d293bbc5e03fc7"}"#),
    (#"{"N":"1.5"}"#, #"{"N":"1215306053726104475641410529669654495"}"#),
    (#"{"N":"15e-1"}"#, #"{"N":"1215306053726104475641410529669654495"}"#),
    (#"{"N":"+01.50"}"#, #"{"N":"1215306053726104475641410529669654495"}"#),
    (#"{"N":"0"}"#, #"{"N":"65139109550430959910384741856434095"}"#),
    (#"{"N":"-0.00"}"#, #"{"N":"65139109550430959910384741856434095"}"#),
    (#"{"N":"-100"}"#, #"{"N":"163102370918764725259439112948466899"}"#),
    (#"{"B":"///+"}"#, #"{"B":"UoatMbKJPwd5OGU65lyfDQ=="}"#),
    (#"{"B":"\/\/\/+"}"#, #"{"B":"UoatMbKJPwd5OGU65lyfDQ=="}"#),
    (#"{"B":""}"#, #"{"B":"PYCMUmj543n5x6aN2I2j8g=="}"#),
    (
      #"{"SS":["","jane@example.com"]}"#,
      #"{"SS":["96914b76d162051314d293bbc5e03fc7","2c13c9e403ceafa4b9050d036018d8ca"]}"#
    ),
    (
      #"{"NS":["-1E2", "0"]}"#,
      #"{"NS":["163102370918764725259439112948466899", "65139109550430959910384741856434095"]}"#
    ),
    (#"{"BS":["///+"]}"#, #"{"BS":["UoatMbKJPwd5OGU65lyfDQ=="]}"#),
    (#"{"NULL":true}"#, #"{"NULL":true}"#),
    (#"{ "\u0053" : "" }"#, #"{ "\u0053" : "96914b76d162051314d293bbc5e03fc7" }"#),
  ])
  func hashes(_ value: String, _ expected: String) throws {
    #expect(
      try changed(#"{"a":\#(value),"b":{"S":"x"}}"#, ["hash a"])
        == #"{"a":\#(expected),"b":{"S":"x"}}"#)
    // Neither the name nor the place of an attribute takes part.
    #expect(
      try changed(#"{"a":{"M":{"b":{"L":[\#(value)]}}}}"#, ["hash a.b[0]"])
        == #"{"a":{"M":{"b":{"L":[\#(expected)]}}}}"#)
  }

  @Test(arguments: [
    (#"{"a":{"BOOL":true}}"#, "hash a", "a is true or false (BOOL)"),
    (#"{"a":{"M":{}}}"#, "hash a", "a is a map (M)"),
    (#"{"a":{"L":[]}}"#, "hash a", "a is a list (L)"),
    (#"{"a":{"V2":"x"}}"#, "hash a", "a is of the unknown type V2"),
    (#"{"a":{"N":"x"}}"#, "hash a", "a is no number"),
    (#"{"a":{"B":"?"}}"#, "hash a", "a is no binary"),
    (#"{"a":{"NS":["1","x"]}}"#, "hash a", "a is no number"),
    (#"{"a":{"S":1}}"#, "hash a", "a is no typed value"),
    (#"{"a":{"SS":[1]}}"#, "hash a", "a is no typed value"),
    (#"{"a":{"SS":"x"}}"#, "hash a", "a is no typed value"),
    (#"{"a":{"S":"x","N":"1"}}"#, "hash a", "a is no typed value"),
    (#"{"a":"x"}"#, "hash a", "a is no typed value"),
    (#"{"a":{}}"#, "hash a", "a is no typed value"),
    (#"{"a":{"S":"x"}}"#, "hash a.b", "a is a string (S), and no map"),
    (#"{"a":{"S":"x"}}"#, "remove a[0]", "a is a string (S), and no list"),
    (#"{"a":{"L":[]}}"#, "set a.b=1", "a is a list (L), and no map"),
    (#"{"a":{"M":{}}}"#, "set a[0]=1", "a is a map (M), and no list"),
    (#"{"a":{"SS":["x"]}}"#, "hash a[0]", "a is a set of strings (SS), and no list"),
    (#"{"a":{"M":{"b":{"N":"1"}}}}"#, "remove a.b.c", "a.b is a number (N), and no map"),
    (
      #"{"a":{"L":[{"NULL":true},{"BOOL":true}]}}"#, "remove a[1].c",
      "a[1] is true or false (BOOL), and no map"
    ),
  ])
  func mismatches(_ item: String, _ rule: String, _ words: String) throws {
    let named = #"{"customer":{"S":"jane"},"number":{"N":"7"},"# + item.dropFirst()
    let error = #expect(throws: TransformError.self) { try changed(named, [rule]) }
    #expect(error?.code == .mismatch)
    #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    #expect(
      error?.message.contains(#"the item {"customer":{"S":"jane"},"number":{"N":"7"}}"#) == true)
    #expect(error?.hint != nil)
    // Of items that may lack their key, none is named.
    #expect(throws: TransformError.self) { try changed(item, [rule]) }
  }

  /// Behind an item that could not be changed the next one is.
  @Test func goesOnBehindAMismatch() throws {
    var transformer = ItemTransformer(try Self.transforms(["hash a", "set b=1"]), key: ordersKey)
    let bad = Array(#"{"a":{"M":{}}}"#.utf8)
    let good = Array(#"{"a":{"NULL":true}}"#.utf8)
    var output: [UInt8] = []
    #expect(throws: TransformError.self) { try transformer.append(bad.span, to: &output) }
    output = []
    try transformer.append(good.span, to: &output)
    #expect(String(decoding: output, as: UTF8.self) == #"{"a":{"NULL":true},"b":{"N":"1"}}"#)
  }

  @Test(arguments: [
    "", "[]", "{", "1", #"{"a":{"S":"x"}"#, #"{"a":{"S":"x"}}x"#, #"{"a" {"S":"x"}}"#,
  ])
  func whatIsNoItem(_ text: String) {
    #expect(throws: TransformError.self) { try changed(text, ["hash a", "remove b"]) }
  }

  @Test func manyRules() throws {
    let names = (0..<300).map { "a\($0)" }
    let item = "{" + names.map { #""\#($0)":{"S":"x"}"# }.joined(separator: ",") + "}"
    let rules = names.enumerated().map {
      $0.offset % 3 == 0 ? "remove \($0.element)" : "set \($0.element)=1"
    }
    let left = names.enumerated().filter { $0.offset % 3 > 0 }.map {
      #""\#($0.element)":{"N":"1"}"#
    }
    #expect(try changed(item, rules) == "{" + left.joined(separator: ",") + "}")
  }
}
