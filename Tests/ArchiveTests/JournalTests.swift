import Archive
import JSON
import Testing

@Suite struct JournalTests {
  let directory = TemporaryDirectory()
  var storage: LocalStorage { LocalStorage(directory: directory.path + "/a") }

  /// An interrupted dump: one segment done, one between two chunks.
  private func interrupt() throws -> [UInt8] {
    let writer = try ArchiveWriter(
      storage: storage, parameters: ["table": "Orders", "segments": 2], level: 3)
    var first = try writer.segment(0)
    var second = try writer.segment(1)
    try append(page([order("a", 1), order("b", 22)]), to: &first)
    try append(page([order("c", 3)]), to: &second)
    let key = Array("{\"customer\": {\"S\":\"c\"},\n\"number\":{\"N\":\"3\"}}".utf8)
    if let chunk = try second.finishChunk(lastEvaluatedKey: key) { try writer.commit(chunk) }
    if let chunk = try first.finishChunk(lastEvaluatedKey: nil) { try writer.commit(chunk) }
    try writer.segmentDone(0)
    return try readFile(storage.directory + "/dump.journal")
  }

  @Test func tellsWhatWasDone() throws {
    let bytes = try interrupt()
    let journal = try Journal.read(storage)
    #expect(journal.parameters == ["table": "Orders", "segments": 2])
    #expect(
      journal.chunks.map(\.row.name) == [
        "data/00001-000000.ndjson.zst", "data/00000-000000.ndjson.zst",
      ])
    #expect(journal.chunks.map(\.row.items) == [1, 2])
    #expect(journal.chunks[0].lastEvaluatedKey == ["customer": ["S": "c"], "number": ["N": "3"]])
    #expect(journal.chunks[1].lastEvaluatedKey == nil)
    #expect(journal.chunks[1].largestItemBytes == order("b", 22).utf8.count)
    #expect(journal.doneSegments == [0])
    #expect(bytes.split(separator: 0x0A).count == 4)
  }

  @Test func theDumpIsUnfinished() async throws {
    _ = try interrupt()
    let error = #expect(throws: ArchiveError.self) { try Archive.open(storage) }
    #expect(error?.code == .unfinished)
    #expect(error?.hint != nil)
    #expect(await verify(storage, mode: .quick).problems.map(\.code) == [.unfinished])
  }

  @Test func aTornLastLineIsIgnored() throws {
    let bytes = try interrupt()
    let whole = try Journal(parsing: bytes.span)
    let lineEnds = bytes.indices.filter { bytes[$0] == 0x0A }
    let firstEnd = try #require(lineEnds.first)
    for length in 0..<bytes.count {
      let torn = Array(bytes[..<length])
      guard length > firstEnd else {
        #expect(throws: ArchiveError.self) { try Journal(parsing: torn.span) }
        continue
      }
      let journal = try Journal(parsing: torn.span)
      let complete = lineEnds.count { $0 < length }
      #expect(journal.chunks == Array(whole.chunks.prefix(complete - 1)))
    }
  }

  @Test(arguments: [
    ("dynarc-journal", "other", ArchiveError.Code.damaged),
    ("\"version\":1", "\"version\":2", .unsupported),
    ("\"parameters\":{", "\"parameters\":[{", .damaged),
    ("\"items\":1", "\"items\":\"1\"", .damaged),
    ("\"segmentDone\":0", "\"segmentDone\":-1", .damaged), ("{\"chunk\"", "[\"chunk\"", .damaged),
    ("{\"chunk\"", "{\"chunks\"", .damaged), ("\"largestItemBytes\"", "\"largest\"", .damaged),
  ])
  func damage(_ old: String, _ new: String, _ code: ArchiveError.Code) throws {
    let bytes = try interrupt()
    let changed = bytes.replacing(Array(old.utf8), with: Array(new.utf8), maxReplacements: 1)
    #expect(changed != bytes)
    let error = #expect(throws: ArchiveError.self) { try Journal(parsing: changed.span) }
    #expect(error?.code == code)
    #expect(error?.file == "dump.journal")
  }
}
