import Archive
import Testing

@Suite struct CutterTests {
  private func cut(_ text: String) throws(ArchiveError) -> (PageCutter, [String]) {
    try cut(Array(text.utf8))
  }

  private func cut(_ bytes: [UInt8]) throws(ArchiveError) -> (PageCutter, [String]) {
    var cutter = PageCutter()
    try cutter.cut(bytes.span)
    return (cutter, cutter.items.map { String(decoding: bytes[$0.range], as: UTF8.self) })
  }

  @Test func pageOfNone() throws {
    let (cutter, items) = try cut("{\"Items\":[],\"Count\":0,\"ScannedCount\":7}")
    #expect(items.isEmpty)
    #expect(cutter.scannedCount == 7)
    #expect(cutter.lastEvaluatedKey == nil)
    #expect(cutter.consumedCapacity == nil)
  }

  @Test func pageOfOne() throws {
    let text = """
      {"LastEvaluatedKey":{"k":{"S":"Items"}},"Count":1,"ConsumedCapacity":{"CapacityUnits":0.5},\
      "New":[{"Items":[{}]}],"Items":[{"k":{"S":"a"}}]}
      """
    let (cutter, items) = try cut(text)
    let bytes = Array(text.utf8)
    #expect(items == ["{\"k\":{\"S\":\"a\"}}"])
    let key = try #require(cutter.lastEvaluatedKey)
    #expect(bytes[key].elementsEqual("{\"k\":{\"S\":\"Items\"}}".utf8))
    let capacity = try #require(cutter.consumedCapacity)
    #expect(bytes[capacity].elementsEqual("{\"CapacityUnits\":0.5}".utf8))
  }

  @Test func aCutterForgets() throws {
    var cutter = PageCutter()
    try cutter.cut(page([order("a", 1)], lastEvaluatedKey: "{}").span)
    try cutter.cut(page([]).span)
    #expect(cutter.items.isEmpty)
    #expect(cutter.lastEvaluatedKey == nil)
  }

  @Test func escapedMemberNames() throws {
    let (cutter, items) = try cut(
      "{\"\\u0049tems\":[{}],\"Coun\\u0074\":1,\"Last\\u0045valuatedKey\":{}}")
    #expect(items == ["{}"])
    #expect(cutter.lastEvaluatedKey != nil)
  }

  @Test func nullMembers() throws {
    let (cutter, _) = try cut(
      "{\"Items\":[],\"Count\":0,\"LastEvaluatedKey\":null,\"ConsumedCapacity\":null}")
    #expect(cutter.lastEvaluatedKey == nil)
    #expect(cutter.consumedCapacity == nil)
  }

  @Test func itemOf400KB() throws {
    let control = String(repeating: "\\u0001", count: 400_000)
    let items = [order("a", 1, more: ",\"t\":{\"S\":\"\(control)\"}"), order("b", 2)]
    #expect(try cut(page(items)).1 == items)
  }

  @Test(arguments: [
    "\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t", "\\u0000", "\\uFFFF", "\\ud7ff",
    "\\uE000", "\\uD800\\uDC00", "\\udbff\\udfff", "\u{7F}", "é", "€", "\u{10FFFF}", "\u{FEFF}",
    "\\\\\\\"", "}]", "",
  ])
  func text(_ text: String) throws {
    // At each place of a word of eight bytes.
    for shift in 0..<9 {
      let item = order(
        "a", 1, more: ",\"t\":{\"S\":\"\(String(repeating: "x", count: shift))\(text)\"}")
      #expect(try cut(page([item, item])).1 == [item, item])
    }
  }

  @Test(arguments: [
    "\\", "\\x", "\\U0041", "\\u", "\\u00", "\\u00g0", "\\u 041", "\\uD800", "\\uD800x",
    "\\uD800\\n", "\\uD800\\u0041", "\\uD800\\uD800", "\\uDC00", "\u{0}", "\u{1F}", "\n", "\t",
  ])
  func badText(_ text: String) {
    for shift in 0..<9 {
      let filler = String(repeating: "x", count: shift)
      let bad = page([order("a", 1, more: ",\"t\":{\"S\":\"\(filler)\(text)\"}")])
      let error = #expect(throws: ArchiveError.self) { try cut(bad) }
      #expect(error?.code == .badPage)
      #expect(error?.offset != nil)
    }
  }

  /// Unicode 15 table 3-7: overlong forms, surrogates, beyond the last plane, torn sequences.
  @Test(
    arguments: [
      [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80],
      [0xE2, 0x82], [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80],
      [0xFF], [0xFE], [0xF0, 0x9F, 0x98],
    ] as [[UInt8]])
  func badUTF8(_ bytes: [UInt8]) {
    for shift in 0..<9 {
      var bad = Array("{\"Items\":[{\"".utf8) + [UInt8](repeating: 0x78, count: shift)
      bad += bytes + Array("\":{\"S\":\"\"}}],\"Count\":1}".utf8)
      #expect(throws: ArchiveError.self) { try cut(bad) }
    }
  }

  @Test(arguments: [
    "", " ", "null", "[]", "\"\"", "{}", "{\"Items\":[]}", "{\"Count\":0}",
    "{\"Items\":[],\"Count\":1}", "{\"Items\":[{}],\"Count\":0}", "{\"Items\":[1],\"Count\":1}",
    "{\"Items\":[[]],\"Count\":1}", "{\"Items\":{},\"Count\":0}", "{\"Items\":null,\"Count\":0}",
    "{\"Items\":[{}{}],\"Count\":2}", "{\"Items\":[{},],\"Count\":1}",
    "{\"Items\":[,{}],\"Count\":1}", "{\"Items\":[{}],,\"Count\":1}",
    "{\"Items\":[{}],\"Count\":1,}", "{\"Items\":[{}],\"Count\":1}x",
    "{\"Items\":[{}],\"Count\":1}{}", "{\"Items\":[{}],\"Items\":[],\"Count\":1}",
    "{\"Items\":[{}],\"Count\":1,\"Count\":1}", "{\"Items\":[],\"Count\":-0}",
    "{\"Items\":[],\"Count\":0.0}", "{\"Items\":[],\"Count\":99999999999999999999}",
    "{\"Items\":[],\"Count\":\"0\"}", "{\"Items\":[],\"Count\":0,\"LastEvaluatedKey\":[]}",
    "{\"Items\":[],\"Count\":0,\"LastEvaluatedKey\":{},\"LastEvaluatedKey\":{}}",
    "{Items:[],\"Count\":0}", "{\"Items\" [],\"Count\":0}", "{\"Items\":[}],\"Count\":0}",
    "{\"Items\":[{]}],\"Count\":1}", "\u{FEFF}{\"Items\":[],\"Count\":0}",
    "{\"Items\":[{\"a\":01}],\"Count\":1}", "{\"Items\":[{\"a\":+1}],\"Count\":1}",
    "{\"Items\":[{\"a\":.1}],\"Count\":1}", "{\"Items\":[{\"a\":1.}],\"Count\":1}",
    "{\"Items\":[{\"a\":1e}],\"Count\":1}", "{\"Items\":[{\"a\":NaN}],\"Count\":1}",
    "{\"Items\":[{\"a\":tru}],\"Count\":1}", "{\"Items\":[{'a':1}],\"Count\":1}",
    "{\"Items\":[{\"a\"}],\"Count\":1}", "{\"Items\":[{\"a\":}],\"Count\":1}",
    "{\"Items\":[{/**/}],\"Count\":1}", "{\"Items\":[],\"Count\":0}\u{0}",
  ])
  func malformed(_ text: String) {
    let error = #expect(throws: ArchiveError.self) { try cut(text) }
    #expect(error?.code == .badPage)
  }

  @Test func depth() throws {
    // The line and the item are two of the 128 levels.
    func item(_ levels: Int) -> String {
      "{\"a\":" + String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        + "}"
    }
    #expect(try cut(page([item(126)])).1 == [item(126)])
    #expect(throws: ArchiveError.self) { try cut(page([item(127)])) }
    #expect(throws: ArchiveError.self) { try cut(page([item(100_000)])) }
  }

  @Test func lineBreaks() throws {
    let (cutter, _) = try cut(
      "\n{\"Items\":\n[{\"a\":1},\n{\"b\":\n1}, {\"c\":\"\\n\"}, {\r}],\"Count\":4}\n")
    #expect(cutter.items.map(\.hasLineBreak) == [false, true, false, true])
  }

  @Test func truncatedAtEveryByte() {
    let item = order("é\\uD83D\\uDE00", 1, more: ",\"x\":{\"L\":[{\"NULL\":true},{\"M\":{}}]}")
    let whole = page([item, item], lastEvaluatedKey: "{\"k\":{\"N\":\"-1.5e3\"}}")
    for length in 0..<whole.count {
      #expect(throws: ArchiveError.self, "\(length)") { try cut(Array(whole[..<length])) }
    }
  }

  @Test(arguments: 0..<200) func randomPages(seed: Int) throws {
    var generator = RandomJSON(random: Seeded(seed))
    var items: [String] = []
    var list = ""
    for _ in 0..<Int.random(in: 0...6, using: &generator.random) {
      items.append(generator.object(4))
      list += (list.isEmpty ? "" : ",") + generator.space() + items[items.count - 1]
      list += generator.space()
    }
    let text =
      "{\"Other\":\(generator.value(3)),\"Items\":[\(list)],\"Count\":\(items.count)}"
    #expect(try cut(text).1 == items)

    // Whatever one byte becomes, the slow parser and the cutter are of one mind.
    let bytes = Array(text.utf8)
    for _ in 0..<40 {
      var changed = bytes
      let at = Int.random(in: 0..<bytes.count, using: &generator.random)
      switch Int.random(in: 0..<3, using: &generator.random) {
      case 0: changed[at] = UInt8.random(in: .min ... .max, using: &generator.random)
      case 1: changed.remove(at: at)
      default: changed.insert(generator.pick(Array("\"\\{}[],: 0e-.\u{1}é".utf8)), at: at)
      }
      let expected = slowItems(changed)
      let found = try? cut(changed).1.map { SlowJSON.parse(Array($0.utf8)) }
      #expect(found == expected, "\(String(decoding: changed, as: UTF8.self))")
    }
  }

  /// The items as the slow parser sees them; nil where the page is not to be taken.
  private func slowItems(_ bytes: [UInt8]) -> [SlowJSON.Value]? {
    guard case .object(let members) = SlowJSON.parse(bytes) else { return nil }
    func values(_ name: String) -> [SlowJSON.Value] {
      members.filter { $0.name == name.unicodeScalars.map(\.value) }.map(\.value)
    }
    guard case .array(let items) = values("Items").first, values("Items").count == 1,
      values("Count") == [.number(Array(String(items.count).utf8))],
      items.allSatisfy({ if case .object = $0 { true } else { false } })
    else { return nil }
    return items
  }
}
