import Archive
import Testing

@Suite struct TablePatternTests {
  @Test(arguments: [
    ("prod-*", ["prod-", "prod-orders", "prod-*"], ["prod", "xprod-orders", "Prod-orders"]),
    ("*", ["", "a", "a.b_c-1"], []),
    ("?", ["a"], ["", "ab"]),
    ("*-orders", ["-orders", "prod-orders", "a-orders-orders"], ["orders", "prod-orders2"]),
    ("a*b*c", ["abc", "aXbYc", "abbbc", "abcbc"], ["ab", "acb", "abcd"]),
    ("prod-??-*", ["prod-eu-", "prod-eu-orders"], ["prod-e-orders", "prod-eu2-orders"]),
    ("**a", ["a", "ba"], ["", "ab"]), ("a?*", ["ab", "abc"], ["a", "b"]),
    // A dot is itself, as in names and unlike in regular expressions.
    ("a.b*", ["a.b", "a.bc"], ["axb", "aXbc"]),
  ])
  func matches(_ text: String, _ fitting: [String], _ others: [String]) throws {
    let pattern = try #require(TablePattern(text))
    for name in fitting { #expect(pattern.matches(name), "\(text) \(name)") }
    for name in others { #expect(!pattern.matches(name), "\(text) \(name)") }
  }

  @Test(arguments: [
    "", "Orders", "prod-", "a*b/", "a b*", "ä*", "[ab]*", "a*\n",
    String(repeating: "*", count: 256),
  ])
  func isNone(_ text: String) { #expect(TablePattern(text) == nil) }

  /// All patterns of some signs and lengths against all names, beside a matcher that tries everything.
  @Test func agreesWithTheObvious() throws {
    func obvious(_ pattern: Substring, _ name: Substring) -> Bool {
      guard let first = pattern.first else { return name.isEmpty }
      let rest = pattern.dropFirst()
      if first == "*" {
        return obvious(rest, name) || !name.isEmpty && obvious(pattern, name.dropFirst())
      }
      return !name.isEmpty && (first == "?" || first == name.first)
        && obvious(rest, name.dropFirst())
    }
    func texts(_ signs: String, _ longest: Int) -> [String] {
      var all = [""], last = [""]
      for _ in 0..<longest {
        last = last.flatMap { text in signs.map { text + String($0) } }
        all += last
      }
      return all
    }
    let names = texts("ab", 5)
    var fitting = 0
    for text in texts("ab*?", 4) {
      guard let pattern = TablePattern(text) else {
        #expect(!text.contains { "*?".contains($0) })
        continue
      }
      for name in names {
        let expected = obvious(text[...], name[...])
        fitting += expected ? 1 : 0
        if pattern.matches(name) != expected { Issue.record("\(text) and \(name)") }
      }
    }
    #expect(fitting > 1000)
  }

  /// What makes a matcher that goes back and forth take for ever.
  @Test func takesNoLongerThanItMust() throws {
    let pattern = try #require(TablePattern(String(repeating: "a*", count: 100) + "b"))
    let start = ContinuousClock().now
    #expect(!pattern.matches(String(repeating: "a", count: 255)))
    #expect(ContinuousClock().now - start < .seconds(1))
  }
}

@Suite struct TagConditionTests {
  @Test func keyAndValue() throws {
    let condition = try #require(TagCondition("team=pay"))
    #expect(condition == TagCondition(key: "team", value: "pay"))
    #expect(condition.isMet(byKey: "team", value: "pay"))
    #expect(!condition.isMet(byKey: "team", value: "pays"))
    #expect(!condition.isMet(byKey: "Team", value: "pay"))
  }

  @Test func keyAlone() throws {
    let condition = try #require(TagCondition("team"))
    #expect(condition.value == nil)
    #expect(condition.isMet(byKey: "team", value: ""))
    #expect(!condition.isMet(byKey: "teams", value: ""))
  }

  @Test func valuesMayBeEmptyAndHoldSigns() {
    #expect(TagCondition("team=") == TagCondition(key: "team", value: ""))
    #expect(TagCondition("a=b=c") == TagCondition(key: "a", value: "b=c"))
    #expect(TagCondition("") == nil)
    #expect(TagCondition("=pay") == nil)
  }

  /// Composed and decomposed letters are two values to the service.
  @Test func isComparedByBytes() {
    let condition = TagCondition(key: "k", value: "\u{E9}")
    #expect(!condition.isMet(byKey: "k", value: "e\u{301}"))
  }
}

@Suite struct TableNameTests {
  @Test func names() {
    for name in [
      "a", "Orders", "index.json", "archives", "...", "a.b_c-9", String(repeating: "x", count: 255),
    ] {
      #expect(TableName.isValid(name), "\(name)")
    }
    for name in [
      "", ".", "..", "a/b", "../x", "a b", "ä", "a\0", String(repeating: "x", count: 256),
    ] {
      #expect(!TableName.isValid(name), "\(name)")
    }
    #expect(TableName.isTaken("abc") && !TableName.isTaken("ab"))
  }
}
