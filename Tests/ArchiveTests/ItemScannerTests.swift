import Archive
import JSON
import Testing

@Suite struct ItemScannerTests {
  private func key(_ item: String, _ schema: KeySchema = ordersKey) throws(ItemFault) -> [UInt8] {
    let bytes = Array(item.utf8)
    var scanner = ItemScanner(key: schema)
    let end = try scanner.scan(bytes.span, at: 0)
    #expect(end == bytes.count)
    var output: [UInt8] = []
    try CanonicalKey.append(bytes.span, scanner, to: &output)
    return output
  }

  private func key(_ type: KeyType, _ value: String) throws(ItemFault) -> [UInt8] {
    let schema = KeySchema([KeyAttribute(name: "k", type: type, role: .hash)])
    return try key("{\"k\":\(value)}", schema)
  }

  @Test(arguments: [
    order("a", 1), "{\"number\":{\"N\":\"1\"},\"customer\":{\"S\":\"a\"}}",
    "{\"customer\":{\"S\":\"\\u0061\"},\"number\":{\"N\":\"1\"}}",
    "{\"\\u0063ustomer\":{\"S\":\"a\"},\"n\\u0075mber\":{\"N\":\"1\"}}",
    "{ \"x\" : [{\"customer\":1}] , \"customer\" : { \"S\" : \"a\" },\"number\":{\"N\":\"1\"}}",
    "{\"customer\":{\"S\":\"a\"},\"number\":{\"N\":\"\\u0031\"}}",
    "{\"customers\":{\"S\":\"b\"},\"customer\":{\"S\":\"a\"},\"number\":{\"N\":\"1\"}}",
  ])
  func sameKey(_ item: String) throws {
    #expect(try key(item) == key(order("a", 1)))
  }

  @Test(arguments: [
    ["1", "1.0", "1e0", "1E0", "+1", "01", "10e-1", "0.1e1", "1.", "100E-2", "1.00e+00"],
    ["0", "-0", "0.0", "0e5", "+0", ".0", "-0.000e-7"],
    ["-12.5", "-125e-1", "-0.125E+2", "-0012.50"],
    ["1E125", "10e124", "1" + String(repeating: "0", count: 125)],
    ["12345678901234567890123456789012345678", "1.2345678901234567890123456789012345678e37"],
  ])
  func sameNumbers(_ spellings: [String]) throws {
    let keys = try spellings.map { try key(.number, "{\"N\":\"\($0)\"}") }
    #expect(Set(keys).count == 1)
  }

  @Test func differentNumbers() throws {
    let numbers = ["0", "1", "-1", "10", "0.1", "1e-1300", "11", "1.1", "12", "21", "1e130"]
    let keys = try numbers.map { try key(.number, "{\"N\":\"\($0)\"}") }
    #expect(Set(keys).count == numbers.count)
  }

  /// A backslash in a name is always spelled by two bytes or more: what looks like the name is a shorter one.
  @Test func aNameWithBackslashes() throws {
    let schema = KeySchema([KeyAttribute(name: #"\\"#, type: .string, role: .hash)])
    let wanted = try key(#"{"\\\\":{"S":"a"}}"#, schema)
    #expect(try key(#"{"\\":{"N":"1"},"\\\\":{"S":"a"}}"#, schema) == wanted)
    #expect(try key(#"{"\\\u005c":{"S":"a"},"\\":{"S":"b"}}"#, schema) == wanted)
    #expect(throws: ItemFault.missingKey(#"\\"#)) { try key(#"{"\\":{"S":"a"}}"#, schema) }
  }

  @Test func partsDoNotRunTogether() throws {
    let schema = KeySchema([
      KeyAttribute(name: "a", type: .string, role: .hash),
      KeyAttribute(name: "b", type: .string, role: .range),
    ])
    #expect(
      try key("{\"a\":{\"S\":\"xS\"},\"b\":{\"S\":\"y\"}}", schema)
        != key("{\"a\":{\"S\":\"x\"},\"b\":{\"S\":\"Sy\"}}", schema))
  }

  @Test(arguments: [
    "", "-", "+", ".", "e5", "1e", "1e+", "0x1", "1 ", " 1", "1,5", "NaN", "1e99999999",
  ])
  func notNumbers(_ text: String) {
    #expect(throws: ItemFault.badNumber("k")) { try key(.number, "{\"N\":\"\(text)\"}") }
  }

  @Test(arguments: [
    "{\"N\":\"1\"}", "{\"B\":\"YQ==\"}", "{\"SS\":[\"a\"]}", "{\"NULL\":true}", "null", "\"a\"",
    "{}", "[]", "{\"S\":null}", "{\"S\":1}", "{\"S\":\"a\",\"N\":\"1\"}",
    "{\"N\":\"1\",\"S\":\"a\"}", "{\"s\":\"a\"}",
  ])
  func wrongTypes(_ value: String) {
    #expect(throws: ItemFault.wrongKeyType("k", expected: .string)) { try key(.string, value) }
  }

  @Test func missingAndDuplicate() {
    #expect(throws: ItemFault.missingKey("number")) { try key("{\"customer\":{\"S\":\"a\"}}") }
    #expect(throws: ItemFault.missingKey("customer")) { try key("{}") }
    #expect(throws: ItemFault.duplicateKey("customer")) {
      try key(
        "{\"customer\":{\"S\":\"a\"},\"custome\\u0072\":{\"S\":\"a\"},\"number\":{\"N\":\"1\"}}")
    }
  }

  @Test(arguments: [
    "", " {}", "[]", "null", "{", "{\"a\"", "{\"a\":1", "{\"a\":1,}", "{,}", "{\"a\" 1}",
  ])
  func malformed(_ item: String) {
    let bytes = Array(item.utf8)
    var scanner = ItemScanner(key: KeySchema([]))
    #expect(throws: ItemFault.self) { try scanner.scan(bytes.span, at: 0) }
  }

  @Test func withoutKeysAnythingGoes() throws {
    #expect(try key("{}", KeySchema([])) == [])
    #expect(try key("{\"a\":1}", KeySchema([])) == [])
  }
}
