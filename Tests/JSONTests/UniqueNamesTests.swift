import JSON
import Testing

@Suite struct UniqueNamesTests {
  private func scan(_ text: String) throws(JSONError) -> Int {
    var scanner = JSONScanner()
    var names = UniqueNames()
    return try scanner.skipValue(Array(text.utf8).span, at: 0, &names)
  }

  @Test(arguments: [
    "{}", "[]", "1", "{\"a\":1}", "{\"a\":1,\"b\":1}", "{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}",
    "[{\"a\":1},{\"a\":1}]", "{\"\":1,\" \":1,\"  \":1}", "{\"a\":1,\"\\u0062\":1,\"\\\\u0062\":2}",
    "{\"é\":1,\"e\\u0301\":1}", "{\"aaaaaaaa\":1,\"aaaaaaaab\":1,\"aaaaaaaaaaaaaaaa\":1}",
  ])
  func differ(_ text: String) throws {
    #expect(try scan(text) == text.utf8.count)
  }

  @Test(
    arguments: [
      ("{\"a\":1,\"a\":1}", 7), ("{\"\":1,\"\":1}", 6), ("{\"a\":1,\"\\u0061\":1}", 7),
      ("{\"b\\/\":1,\"x\":1,\"b/\":1}", 15), ("[{\"x\":{\"a\":{},\"b\":0,\"a\":{}}}]", 20),
      ("{\"a\":{\"b\":1,\"c\":1},\"d\":1,\"a\":2}", 25),
      ("{\"aaaaaaaab\":1,\"b\":1,\"aaaaaaaab\":1}", 21),
    ])
  func areFound(_ text: String, _ offset: Int) {
    #expect(throws: JSONError(.duplicateName, at: offset)) { try scan(text) }
  }

  @Test(arguments: [2, 5, 12, 13, 14, 1000]) func amongMany(_ count: Int) throws {
    let names = (0..<count).map { "\"name\($0)\":\($0)" }
    #expect(throws: Never.self) { try scan("{\(names.joined(separator: ","))}") }
    for twice in [0, count / 2, count - 1] {
      let text = "{\((names + [names[twice]]).joined(separator: ","))}"
      let offset = text.utf8.count - names[twice].utf8.count - 1
      #expect(throws: JSONError(.duplicateName, at: offset)) { try scan(text) }
    }
  }

  @Test func theDeepestLevels() throws {
    let deep =
      String(repeating: "{\"a\":", count: 128) + "1" + String(repeating: "}", count: 128)
    #expect(try scan(deep) == deep.utf8.count)
    let twice = deep.replacing("1", with: "1,\"a\":2")
    #expect(throws: JSONError(.duplicateName, at: 128 * 5 + 2)) { try scan(twice) }
  }

  /// A scanner goes on behind a fault with what `reset` leaves.
  @Test func resetForgetsOpenObjects() throws {
    var scanner = JSONScanner()
    var names = UniqueNames()
    let torn = Array("{\"a\":{\"b\":".utf8)
    #expect(throws: JSONError.self) { try scanner.skipValue(torn.span, at: 0, &names) }
    names.reset()
    let whole = Array("{\"a\":1,\"b\":2}".utf8)
    #expect(try scanner.skipValue(whole.span, at: 0, &names) == whole.count)
  }
}
