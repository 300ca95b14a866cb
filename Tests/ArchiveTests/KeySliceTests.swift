@testable import Archive
import Testing

@Suite struct KeyOrderTests {
  private func ordered(_ customer: String, _ number: String) throws -> [UInt8] {
    var scanner = ItemScanner(key: ordersKey)
    let item = Array(#"{"customer":{"S":"\#(customer)"},"number":{"N":"\#(number)"}}"#.utf8)
    _ = try scanner.scan(item.span, at: 0)
    var (canonical, ordered): ([UInt8], [UInt8]) = ([], [])
    try CanonicalKey.append(item.span, scanner, to: &canonical)
    OrderedKey.append(canonical.span, to: &ordered)
    return ordered
  }

  @Test func numbersByTheirValue() throws {
    let numbers = [
      "-9.9e125", "-100", "-99.5", "-10", "-2", "-1.5", "-1", "-0.11", "-0.1", "-1e-130", "0",
      "1e-130", "1e-10", "0.1", "0.11", "1", "1.5", "2", "9", "10", "11", "99.5", "100", "101",
      "1e38", "9.9e125",
    ]
    let keys = try numbers.map { try ordered("a", $0) }
    for (one, other) in zip(keys, keys.dropFirst()) {
      #expect(one.lexicographicallyPrecedes(other))
    }
    #expect(try ordered("a", "1.0") == ordered("a", "1e0"))
    #expect(try ordered("a", "-0") == ordered("a", "0"))
  }

  @Test func textsByTheirBytes() throws {
    let texts = [
      "", #"\u0000"#, #"\u0000a"#, #"\u0001"#, "a", #"a\u0000"#, "a!", "ab", "b", "é", "😀",
    ]
    let keys = try texts.map { try ordered($0, "5") }
    for (one, other) in zip(keys, keys.dropFirst()) {
      #expect(one.lexicographicallyPrecedes(other))
    }
    #expect(try ordered(#"\u0061"#, "1") == ordered("a", "1"))
  }

  @Test func partitionFirst() throws {
    #expect(try ordered("a", "9").lexicographicallyPrecedes(ordered("b", "1")))
    #expect(try ordered("a", "9").lexicographicallyPrecedes(ordered("aa", "1")))
  }

  @Test func binariesByTheirBytes() {
    // "B" with 01, 01 00, 01 02, 02, 80; and what is no base64, which comes last.
    let forms = ["AQ==", "AQA=", "AQI=", "Ag==", "gA==", "A"].map { text -> [UInt8] in
      var form: [UInt8] = []
      OrderedKey.append(type: UInt8(ascii: "B"), Array(text.utf8).span, to: &form)
      return form
    }
    for (one, other) in zip(forms, forms.dropFirst()) {
      #expect(one.lexicographicallyPrecedes(other))
    }
  }

  @Test(arguments: ["", "AA==", "AAE=", "AAEC", "/+8=", "aGVsbG8="])
  func base64(_ text: String) {
    var bytes: [UInt8] = []
    #expect(Base64Text.decode(Array(text.utf8).span, into: &bytes))
    #expect(bytes.count == text.filter { $0 != "=" }.count * 3 / 4)
  }

  // Padding with bits in it, missing, too much, in the wrong place; other signs.
  @Test(arguments: ["AB==", "AAF=", "AA", "A===", "=AAA", "AA=A", "AA==AAAA", "AA-_", "A A="])
  func notBase64(_ text: String) {
    var bytes: [UInt8] = [7]
    #expect(!Base64Text.decode(Array(text.utf8).span, into: &bytes))
    #expect(bytes == [7])
  }
}

@Suite struct KeySliceTests {
  private func contains(_ slice: KeySlice, _ customer: String, _ number: String) throws -> Bool {
    var scanner = ItemScanner(key: ordersKey)
    let item = Array(#"{"customer":{"S":"\#(customer)"},"number":{"N":"\#(number)"}}"#.utf8)
    _ = try scanner.scan(item.span, at: 0)
    var canonical: [UInt8] = []
    try CanonicalKey.append(item.span, scanner, to: &canonical)
    return slice.contains(canonical.span)
  }

  @Test(
    arguments: [
      (nil, ["-1", "0", "1", "2", "10"]), (.equal("1.0"), ["1"]), (.less("1"), ["-1", "0"]),
      (.lessOrEqual("1e0"), ["-1", "0", "1"]), (.greater("1"), ["2", "10"]),
      (.greaterOrEqual("1"), ["1", "2", "10"]), (.between("0", "2"), ["0", "1", "2"]),
      (.between("2", "0"), []),
    ] as [(SortCondition?, [String])])
  func numbers(_ condition: SortCondition?, _ expected: [String]) throws {
    let slice = try KeySlice(key: ordersKey, partition: ["a"], sort: condition)
    let all = ["-1", "0", "1", "2", "10"]
    #expect(try all.filter { try contains(slice, "a", $0) } == expected)
    #expect(try all.allSatisfy { try !contains(slice, "aa", $0) })
    #expect(try all.allSatisfy { try !contains(slice, "", $0) })
  }

  @Test func textsAndBinaries() throws {
    for (type, prefix, values, expected) in [
      (KeyType.string, "ab", ["a", "ab", "abc", "b"], ["ab", "abc"]),
      (.string, "", ["a", "ab"], ["a", "ab"]),
      // 41 begins 41 42, which their base64 does not show.
      (.binary, "QQ==", ["QQ==", "QUI=", "QkE="], ["QQ==", "QUI="]),
    ] {
      let key = KeySchema([
        KeyAttribute(name: "pk", type: .number, role: .hash),
        KeyAttribute(name: "sk", type: type, role: .range),
      ])
      let slice = try KeySlice(key: key, partition: ["1"], sort: .beginsWith(prefix))
      let found = try values.filter { value in
        var scanner = ItemScanner(key: key)
        let item = Array(#"{"sk":{"\#(type.rawValue)":"\#(value)"},"pk":{"N":"1.0"}}"#.utf8)
        _ = try scanner.scan(item.span, at: 0)
        var canonical: [UInt8] = []
        try CanonicalKey.append(item.span, scanner, to: &canonical)
        return slice.contains(canonical.span)
      }
      #expect(found == expected)
    }
  }

  @Test func words() throws {
    let slice = try KeySlice(
      key: ordersKey, partition: ["a\"b"], sort: .between("1", "2"))
    #expect(slice.words == #"customer = "a\"b", number between 1 and 2"#)
  }

  @Test func whatDoesNotFit() {
    func slice(_ partition: [String], _ sort: SortCondition?, _ key: KeySchema = ordersKey) throws {
      _ = try KeySlice(key: key, partition: partition, sort: sort)
    }
    let hashOnly = KeySchema([KeyAttribute(name: "b", type: .binary, role: .hash)])
    #expect(throws: ArchiveError.self) { try slice(["a", "b"], nil) }
    #expect(throws: ArchiveError.self) { try slice(["a"], .equal("x")) }
    #expect(throws: ArchiveError.self) { try slice(["a"], .beginsWith("1")) }
    #expect(throws: ArchiveError.self) { try slice(["AA=="], .equal("x"), hashOnly) }
    #expect(throws: ArchiveError.self) { try slice(["A"], nil, hashOnly) }
  }
}
