import Testing

@testable import Archive

@Suite struct ValueCountsTests {
  private func counts(_ path: String, _ items: [String]) throws -> ValueCounts {
    var counts = ValueCounts(try #require(AttributePath(path)))
    for item in items {
      let bytes = Array("  \(item)".utf8)
      try counts.add(bytes.span, 2..<bytes.count)
    }
    return counts
  }

  private func rows(_ counts: ValueCounts) -> [String] {
    counts.mostFrequentFirst.map { "\($0.count) \(String(decoding: $0.bytes, as: UTF8.self))" }
  }

  @Test func theMostFrequentFirst() throws {
    let found = try counts(
      "a",
      [#"{"a":{"S":"x"}}"#, #"{"a":{"S":"y"}}"#, #"{"a":{"S":"y"}}"#, #"{"b":{"S":"y"}}"#, "{}"])
    #expect(rows(found) == [#"2 {"S":"y"}"#, #"1 {"S":"x"}"#])
    #expect(found.without == 2)
  }

  /// As DynamoDB compares them; shown as they were spelled first.
  @Test func oneValueInSeveralSpellings() throws {
    let found = try counts(
      "a",
      [
        #"{"a":{"N":"1.0"}}"#, #"{"a":{"N":"1"}}"#, #"{"a": {"N" : "1e0"}}"#, #"{"a":{"S":"1"}}"#,
        #"{"a":{"NS":["1","2"]}}"#, #"{"a":{"NS":["2.0","1"]}}"#, #"{"a":{"L":[{"N":"1"}]}}"#,
        #"{"a":{"S":"\u0031"}}"#,
      ])
    #expect(
      rows(found) == [
        #"3 {"N":"1.0"}"#, #"2 {"NS":["1","2"]}"#, #"2 {"S":"1"}"#, #"1 {"L":[{"N":"1"}]}"#,
      ])
  }

  @Test(arguments: [
    ("a.b", #"{"a":{"M":{"b":{"N":"5"}}}}"#, #"{"N":"5"}"#),
    ("a[1]", #"{"a":{"L":[{"N":"5"},{"S":"x"}]}}"#, #"{"S":"x"}"#),
    ("a[0].b[0]", #"{"a":{"L":[{"M":{"b":{"L":[{"NULL":true}]}}}]}}"#, #"{"NULL":true}"#),
    (#""a.b".c"#, #"{"a.b":{"M":{"\u0063":{"BOOL":false}}}}"#, #"{"BOOL":false}"#),
  ])
  func nestedPaths(path: String, item: String, value: String) throws {
    #expect(rows(try counts(path, [item])) == ["1 \(value)"])
  }

  @Test(arguments: [
    "a.b", "a[0]", "a.b.c", "c", "a[1000000000000]",
  ])
  func pathsThatLeadNowhere(path: String) throws {
    for item in [
      #"{"a":{"S":"b"}}"#, #"{"a":{"SS":["b"]}}"#, #"{"a":{"M":{}}}"#, #"{"a":{"L":[]}}"#,
      #"{"a":{"M":[]}}"#, #"{"a":{"L":{}}}"#, #"{"a":7}"#,
    ] {
      #expect(try counts(path, [item]).without == 1)
    }
  }
}

@Suite struct CountOnlyPageTests {
  private func cut(_ text: String) throws(ArchiveError) -> PageCutter {
    var cutter = PageCutter(countsOnly: true)
    try cutter.cut(Array(text.utf8).span)
    return cutter
  }

  @Test func aPageWithoutItems() throws {
    let page = try cut(#"{"Count":3,"ScannedCount":5,"LastEvaluatedKey":{}}"#)
    #expect(page.count == 3)
    #expect(page.scannedCount == 5)
    #expect(page.lastEvaluatedKey != nil)
  }

  @Test(arguments: ["{}", #"{"Count":2,"Items":[]}"#, #"{"Count":-1}"#, #"{"Count":1"#])
  func pagesThatMakeNoSense(text: String) {
    #expect(throws: ArchiveError.self) { try cut(text) }
  }
}

@Suite struct WholeKeyTests {
  private let key = KeySchema([
    KeyAttribute(name: "a", type: .string, role: .hash),
    KeyAttribute(name: "b", type: .number, role: .range),
  ])

  @Test func isASliceOfOneItem() throws {
    let one = try KeySlice(item: key, partition: "x", sort: "1.0")
    #expect(one == (try KeySlice(key: key, partition: ["x"], sort: .equal("1.0"))))
    #expect(one.words == #"a = "x", b = 1.0"#)
  }

  @Test func needsASortKeyWhereThereIsOne() {
    let error = #expect(throws: ArchiveError.self) {
      try KeySlice(item: key, partition: "x", sort: nil)
    }
    #expect(error?.code == .usage)
  }

  @Test func takesNoneWhereThereIsNone() throws {
    let alone = KeySchema([key.attributes[0]])
    #expect(try KeySlice(item: alone, partition: "x", sort: nil).words == #"a = "x""#)
    #expect(throws: ArchiveError.self) { try KeySlice(item: alone, partition: "x", sort: "1") }
  }
}
