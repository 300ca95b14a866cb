@testable import Archive
import Testing

@Suite struct AttributePathTests {
  @Test(
    arguments: [
      ("a", [.name(Array("a".utf8))]),
      ("address.lines[2]", [.name(Array("address".utf8)), .name(Array("lines".utf8)), .index(2)]),
      (#""a.b".c"#, [.name(Array("a.b".utf8)), .name(Array("c".utf8))]),
      (#""\"""#, [.name([UInt8(ascii: "\"")])]), (#""""#, [.name([])]),
      ("a[0][1].b", [.name(Array("a".utf8)), .index(0), .index(1), .name(Array("b".utf8))]),
      ("#x:é", [.name(Array("#x:é".utf8))]),
    ] as [(String, [AttributePath.Step])])
  func readAndWritten(_ text: String, _ steps: [AttributePath.Step]) {
    #expect(AttributePath(text) == AttributePath(steps))
    #expect(AttributePath(steps).description == text)
  }

  @Test(arguments: [
    "", ".", "a.", ".a", "a..b", "a[", "a[]", "a[x]", "a[-1]", "[0]", "a b", #""a"#, "a,b", "a]",
  ])
  func malformed(_ text: String) {
    #expect(AttributePath(text) == nil)
  }

  @Test func lists() {
    #expect(
      AttributePath.list(#"a,"b,c".d,e[0]"#)?.map(\.description) == ["a", #""b,c".d"#, "e[0]"])
    #expect(AttributePath.list("a,") == nil)
    #expect(AttributePath.list(",a") == nil)
  }
}

@Suite struct AttributeDiffTests {
  private func changes(
    _ old: String, _ new: String, _ filter: AttributeFilter = AttributeFilter()
  ) throws -> [String] {
    var finder = AttributeDiff()
    let (old, new) = (Array(old.utf8), Array(new.utf8))
    return try finder.changes(old: old.span, new: new.span, filter).map { change in
      func text(_ bytes: [UInt8], _ range: Range<Int>?) -> String {
        range.map { String(decoding: bytes[$0], as: UTF8.self) } ?? "-"
      }
      if change.isSet {
        let removed = change.removedMembers.map { "-" + text(old, $0) }
        let added = change.addedMembers.map { "+" + text(new, $0) }
        return "\(change.path): \((removed + added).joined(separator: " "))"
      }
      return "\(change.path): \(text(old, change.old)) \(text(new, change.new))"
    }
  }

  @Test(arguments: [
    (#"{"a":{"S":"1"}}"#, #"{"a":{"N":"1"}}"#, [#"a: {"S":"1"} {"N":"1"}"#]),
    (#"{"a":{"N":"1.0"}}"#, #"{"a":{"N":"1"}}"#, []),
    (
      #"{"a":{"S":"x"},"b":{"S":"y"}}"#, #"{"b":{"S":"y"},"c":{"S":"z"}}"#,
      [#"a: {"S":"x"} -"#, #"c: - {"S":"z"}"#]
    ),
    (
      #"{"m":{"M":{"x":{"M":{"y":{"S":"1"}}},"k":{"S":"k"}}}}"#,
      #"{"m":{"M":{"k":{"S":"k"},"x":{"M":{"y":{"S":"2"}}}}}}"#, [#"m.x.y: {"S":"1"} {"S":"2"}"#]
    ),
    (
      #"{"l":{"L":[{"S":"a"},{"S":"b"}]}}"#, #"{"l":{"L":[{"S":"a"},{"S":"c"},{"M":{}}]}}"#,
      [#"l[1]: {"S":"b"} {"S":"c"}"#, #"l[2]: - {"M":{}}"#]
    ),
    (#"{"s":{"SS":["a","b","\u0063"]}}"#, #"{"s":{"SS":["d","c","b"]}}"#, [#"s: -"a" +"d""#]),
    (#"{"s":{"NS":["1.0","2"]}}"#, #"{"s":{"NS":["3","1"]}}"#, [#"s: -"2" +"3""#]),
    (#"{"s":{"SS":["a"]}}"#, #"{"s":{"BS":["a"]}}"#, [#"s: {"SS":["a"]} {"BS":["a"]}"#]),
    (#"{"m":{"M":{}}}"#, #"{"m":{"L":[]}}"#, [#"m: {"M":{}} {"L":[]}"#]),
    (#"{"x":{"X":{"a":1,"b":[]}}}"#, #"{"x":{"X":{"b":[],"a":1}}}"#, []),
    (#"{"x":{"X":{"a":1}}}"#, #"{"x":{"X":{"a":1.0}}}"#, [#"x: {"X":{"a":1}} {"X":{"a":1.0}}"#]),
    (#"{"\u0061":{"S":"x"}}"#, #"{"a":{"S":"x"}}"#, []),
    (#"{"a.b":{"S":"x"}}"#, #"{"a.b":{"S":"y"}}"#, [#""a.b": {"S":"x"} {"S":"y"}"#]),
  ])
  func differences(_ old: String, _ new: String, _ expected: [String]) throws {
    #expect(try changes(old, new) == expected)
  }

  private static let old =
    #"{"a":{"M":{"x":{"S":"1"},"y":{"S":"1"}}},"l":{"L":[{"S":"1"},{"S":"1"}]},"z":{"S":"1"}}"#
  private static let new =
    #"{"a":{"M":{"x":{"S":"2"},"y":{"S":"2"}}},"l":{"L":[{"S":"2"},{"S":"2"}]},"z":{"S":"2"}}"#

  @Test(arguments: [
    ("", "", ["a.x", "a.y", "l[0]", "l[1]", "z"]), ("a", "", ["l[0]", "l[1]", "z"]),
    ("a.x,l[1]", "", ["a.y", "l[0]", "z"]), ("a,l,z", "", []), ("", "a", ["a.x", "a.y"]),
    ("", "a.y,z", ["a.y", "z"]), ("a.x", "a", ["a.y"]), ("", "l[1]", ["l[1]"]),
    ("", "nothing", []), ("", "a.x.deeper", []),
  ])
  func filters(_ ignored: String, _ only: String, _ expected: [String]) throws {
    let filter = AttributeFilter(
      ignored: AttributePath.list(ignored) ?? [], only: AttributePath.list(only) ?? [])
    let found = try changes(AttributeDiffTests.old, AttributeDiffTests.new, filter)
    #expect(found.map { String($0.prefix { $0 != ":" }) } == expected)
  }

  /// What is added or removed above a path that counts is told as far as it counts.
  @Test func aMapThatGoes() throws {
    let map = #"{"a":{"M":{"x":{"S":"1"},"y":{"S":"1"}}}}"#
    let only = AttributeFilter(only: [AttributePath([.name([0x61]), .name([0x78])])])
    #expect(try changes(map, "{}", only) == [#"a.x: {"S":"1"} -"#])
    #expect(try changes(map, #"{"a":{"S":"1"}}"#, only) == [#"a.x: {"S":"1"} -"#])
    #expect(try changes(#"{"a":{"S":"2"}}"#, #"{"a":{"S":"1"}}"#, only) == [])
    let ignored = AttributeFilter(ignored: only.only)
    #expect(try changes(map, "{}", ignored).count == 1)
  }
}
