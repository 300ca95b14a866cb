@testable import Archive
import JSON
import Testing

private typealias Rule = ItemTransforms.Rule

@Suite struct TransformRuleTests {
  private let key = Array("0123456789abcdef".utf8)

  private func value(_ expression: String) throws -> String? {
    guard case .set(let value) = try Rule.set(expression).operation else { return nil }
    return String(decoding: value, as: UTF8.self)
  }

  private func failure(_ body: () throws -> Void) -> TransformError? {
    do { try body() } catch { return error as? TransformError }
    return nil
  }

  @Test(arguments: [
    // Plain JSON.
    (#"name="Jane""#, "name", #"{"S":"Jane"}"#), ("a=1", "a", #"{"N":"1"}"#),
    ("a=-1.50e3", "a", #"{"N":"-1.50e3"}"#), ("a=true", "a", #"{"BOOL":true}"#),
    ("a=null", "a", #"{"NULL":true}"#), (#"a="""#, "a", #"{"S":""}"#),
    (#"a.b[3]=[1,"x",[]]"#, "a.b[3]", #"{"L":[{"N":"1"},{"S":"x"},{"L":[]}]}"#),
    (#"a={"b":{"c":false},"S":1}"#, "a", #"{"M":{"b":{"M":{"c":{"BOOL":false}}},"S":{"N":"1"}}}"#),
    ("a={}", "a", #"{"M":{}}"#), (#"a= "x" "#, "a", #"{"S":"x"}"#),
    // Typed JSON, also inside of plain.
    (#"a={"S":"x"}"#, "a", #"{"S":"x"}"#), (#"a={ "N" : "1.0" }"#, "a", #"{"N":"1.0"}"#),
    (#"a={"B":"AAE="}"#, "a", #"{"B":"AAE="}"#), (#"a={"SS":["","x"]}"#, "a", #"{"SS":["","x"]}"#),
    (#"a={"NS":["1","2"]}"#, "a", #"{"NS":["1","2"]}"#),
    (#"a={"BS":["AA=="]}"#, "a", #"{"BS":["AA=="]}"#),
    (#"a={"NULL":true}"#, "a", #"{"NULL":true}"#), (#"a={"BOOL":false}"#, "a", #"{"BOOL":false}"#),
    (#"a={"M":{"S":{"S":"x"}}}"#, "a", #"{"M":{"S":{"S":"x"}}}"#),
    (#"a={"L":[{"N":"1"}]}"#, "a", #"{"L":[{"N":"1"}]}"#),
    (#"a={"x":{"B":"AA=="}}"#, "a", #"{"M":{"x":{"B":"AA=="}}}"#),
    // The path ends at the first = outside of a quoted name.
    (#"a="b=c""#, "a", #"{"S":"b=c"}"#), (#""a=\"b".c=1"#, #""a=\"b".c"#, #"{"N":"1"}"#),
    (#"é="\u00e9\n\"\\""#, "é", #"{"S":"é\n\"\\"}"#),
    // The ends of what a number can be.
    (
      "a=12345678901234567890123456789012345678", "a",
      #"{"N":"12345678901234567890123456789012345678"}"#
    ),
    ("a=1E-130", "a", #"{"N":"1E-130"}"#), ("a=9.9e125", "a", #"{"N":"9.9e125"}"#),
    ("a=0e999", "a", #"{"N":"0e999"}"#),
  ])
  func valuesAreRead(_ expression: String, _ path: String, _ expected: String) throws {
    #expect(try Rule.set(expression).path.description == AttributePath(path)?.description)
    #expect(try value(expression) == expected)
  }

  @Test(arguments: [
    ("", "no ="), ("a", "no ="), (#""a=1"#, "no ="), ("=1", "no path"), ("a..b=1", "no path"),
    ("a b=1", "no path"), ("[0]=1", "no path"), ("a,b=1", "no path"), ("a=", "not JSON"),
    ("a=Jane", "not JSON: Jane"), ("a='x'", "not JSON"), (#"a="x" y"#, "not JSON"),
    ("a=01", "not JSON"),
    (#"a={"b":1,"b":2}"#, "not JSON"), (#"a="\ud800""#, "not JSON"),
    ("a=1e126", "outside"), ("a=-1E-131", "outside"), (#"a={"N":"1E400"}"#, "outside"),
    ("a=123456789012345678901234567890123456789", "39 digits"),
    (#"a={"N":"x"}"#, "x is not a number"),
    (#"a={"N":1}"#, "N takes a number in a string"), (#"a={"S":1}"#, "S takes a string"),
    (#"a={"B":"?"}"#, "base64"), (#"a={"B":"AAF="}"#, "base64"),
    (#"a={"BOOL":"true"}"#, "true or false"),
    (#"a={"NULL":false}"#, "NULL takes true"), (#"a={"SS":[]}"#, "one string or more"),
    (#"a={"SS":"x"}"#, "one string or more"), (#"a={"SS":["x","x"]}"#, "twice"),
    (#"a={"NS":["1","1.0"]}"#, "twice"), (#"a={"NS":["x"]}"#, "not a number"),
    (#"a={"BS":["?"]}"#, "base64"), (#"a={"M":{"x":1}}"#, "no typed value"),
    (#"a={"M":[]}"#, "object of typed values"), (#"a={"L":[1]}"#, "no typed value"),
    (#"a={"L":{}}"#, "array of typed values"), (#"a={"M":{"x":{"X":1}}}"#, "X is no type"),
  ])
  func badValuesAreRefused(_ expression: String, _ words: String) {
    let error = failure { _ = try Rule.set(expression) }
    #expect(error?.code == .expression)
    #expect(error?.message.contains(words) == true, "\(error?.message ?? "accepted")")
    #expect(error?.hint != nil)
  }

  @Test func theHintShowsTheQuotes() {
    #expect(
      failure { _ = try Rule.set("name=Jane") }?.hint?.contains(#"--set 'name="Jane"'"#) == true)
  }

  @Test func nestingIsBounded() throws {
    let deep = { String(repeating: "[", count: $0) + String(repeating: "]", count: $0) }
    #expect(throws: Never.self) { try Rule.set("a=\(deep(31))") }
    #expect(failure { _ = try Rule.set("a=\(deep(32))") }?.code == .expression)
    #expect(failure { _ = try Rule.set("a.b=\(deep(31))") }?.code == .expression)
  }

  @Test(arguments: ["", "a b", "a.", "a[x]", "a,b", #""a"#])
  func badPathsAreRefused(_ path: String) {
    #expect(failure { _ = try Rule.remove(path) }?.code == .expression)
    #expect(failure { _ = try Rule.hash(path) }?.code == .expression)
  }

  @Test(arguments: [
    ("a", "a"), ("a", "a.b"), ("a.b", "a"), ("a[1]", "a[1].x"), (#""a""#, "a"),
    (#""\u0061".b"#, "a.b"),
  ])
  func overlapsAreRefused(_ one: String, _ other: String) throws {
    let rules = [try Rule.remove(one), try Rule.hash(other)]
    #expect(failure { _ = try ItemTransforms(rules, hashKey: key) }?.code == .overlap)
  }

  @Test(arguments: [("a", "b"), ("a.b", "a.c"), ("a", "ab"), ("a[1]", "a[10]"), ("a.b", #""a.b""#)])
  func neighboursAreTaken(_ one: String, _ other: String) throws {
    #expect(try ItemTransforms([.remove(one), .hash(other)], hashKey: key).rules.count == 2)
  }

  @Test func theHashKey() throws {
    let hash = [try Rule.hash("a")]
    #expect(failure { _ = try ItemTransforms(hash, hashKey: nil) }?.code == .noHashKey)
    let short = failure { _ = try ItemTransforms(hash, hashKey: Array(self.key.dropLast())) }
    #expect(short?.code == .noHashKey)
    #expect(short?.message.contains("15 bytes") == true)
    // By Python's hmac.
    #expect(try ItemTransforms(hash, hashKey: key).hashKeyCheck == "926db6d806019956")
    #expect(try ItemTransforms([.remove("a")], hashKey: key).hashKeyCheck == nil)
    #expect(
      try ItemTransforms([.remove("a")], hashKey: [])
        == ItemTransforms([.remove("a")], hashKey: nil))
    #expect(ItemTransforms.none.isEmpty && ItemTransforms.none.hashKeyCheck == nil)
  }

  @Test func words() throws {
    let transforms = try ItemTransforms(
      [.set("address.street=1"), .remove("phone"), .hash(#""a.b"[2]"#)], hashKey: key)
    #expect(transforms.words == #"set address.street, remove phone, hash "a.b"[2]"#)
  }

  @Test func comesBackFromJSON() throws {
    let rules: [ItemTransforms.Rule] = [
      try .set(#"a.b={"M":{"x":{"B":"AA=="}}}"#), try .remove("c[2]"), try .hash(#""d.e""#),
    ]
    let json = ItemTransforms.json(rules)
    #expect(
      String(decoding: json.serialized(), as: UTF8.self)
        == #"[{"operation":"set","path":"a.b","value":{"M":{"x":{"B":"AA=="}}}},"#
        + #"{"operation":"remove","path":"c[2]"},{"operation":"hash","path":"\"d.e\""}]"#)
    #expect(ItemTransforms.rules(json) == rules)
  }

  @Test(arguments: [
    #"{}"#, #"[{"operation":"set","path":"a"}]"#, #"[{"operation":"mask","path":"a"}]"#,
    #"[{"operation":"remove","path":"a b"}]"#, #"[{"operation":"remove"}]"#, #"["remove a"]"#,
    #"[{"operation":"set","path":"a","value":"x"}]"#,
  ])
  func isNotReadFromAnythingElse(_ text: String) throws {
    #expect(ItemTransforms.rules(try JSONValue.parse(text)) == nil)
  }
}

/// Rules against the keys of a table and its indexes.
@Suite struct TransformCheckTests {
  private let hashKey = Array("0123456789abcdef".utf8)

  private func code(
    _ rules: [ItemTransforms.Rule], rekey: Bool = true
  ) throws -> TransformError.Code? {
    let transforms = try ItemTransforms(rules, hashKey: hashKey)
    do { try transforms.check(ordersTable, rekey: rekey) } catch { return error.code }
    return nil
  }

  /// `customer` and `number` are the table's key, `day` is an index's, of type B.
  @Test func keysNeedRekey() throws {
    for name in ["customer", "number", "day"] {
      #expect(try code([.hash(name)], rekey: false) == .key)
      #expect(try code([.hash(name)]) == nil)
    }
    #expect(
      try code([.hash("customers"), .hash("a.customer"), .remove("total")], rekey: false) == nil)
    #expect(try code([.remove("customer.x")], rekey: false) == .key)
  }

  @Test func valuesHaveTheKeysType() throws {
    #expect(try code([.set(#"customer="x""#)]) == nil)
    #expect(try code([.set("customer=1")]) == .type)
    #expect(try code([.set("customer=null")]) == .type)
    #expect(try code([.set(#"customer="""#)]) == .type)
    #expect(try code([.set(#"number="1""#)]) == .type)
    #expect(try code([.set("number=1")]) == nil)
    #expect(try code([.set(#"day="AA==""#)]) == .type)
    #expect(try code([.set(#"day={"B":"AA=="}"#)]) == nil)
    #expect(try code([.set(#"day={"B":""}"#)]) == .type)
    let long = String(repeating: "x", count: 2049)
    #expect(try code([.set("customer=\"\(long.dropLast())\"")]) == nil)
    #expect(try code([.set("customer=\"\(long)\"")]) == .type)
    #expect(try code([.hash("customer.x")]) == .type)
    #expect(try code([.set("number[0]=1")]) == .type)
  }

  @Test func whatIsNeededIsNotRemoved() throws {
    #expect(try code([.remove("customer")]) == .key)
    #expect(try code([.remove("number")]) == .key)
    // Such an item is not in the index.
    #expect(try code([.remove("day")]) == nil)
  }

  @Test func notAllItemsGetOneKey() throws {
    #expect(try code([.set(#"customer="x""#), .set("number=1")]) == .key)
    #expect(try code([.set(#"customer="x""#), .hash("number")]) == nil)
  }

  @Test func onlyASetKeyCanCollide() throws {
    func canCollide(_ rules: [ItemTransforms.Rule]) throws -> Bool {
      try ItemTransforms(rules, hashKey: hashKey).canCollide(ordersKey)
    }
    #expect(try canCollide([.set(#"customer="x""#)]))
    #expect(try !canCollide([.hash("customer"), .set("total=1"), .set("a.customer=1")]))
  }
}
