@testable import Archive
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
    if let chunk = try second.finishChunk(lastEvaluatedKey: key) {
      try writer.commit(chunk, reading: PageTotals(scannedItems: 7, consumedReadUnits: 0.5))
    }
    if let chunk = try first.finishChunk(lastEvaluatedKey: nil) {
      try writer.commit(chunk, reading: PageTotals(scannedItems: 9, consumedReadUnits: 2))
    }
    try writer.segmentDone(0, reading: PageTotals(scannedItems: 1))
    return try readFile(storage.directory + "/dump.journal")
  }

  @Test func tellsWhatWasDone() throws {
    let bytes = try interrupt()
    let journal = try #require(try Journal.read(storage))
    #expect(journal.parameters == ["table": "Orders", "segments": 2])
    #expect(journal.tool.version == "0.0.1")
    #expect(journal.startTime.description == "2026-11-22T10:00:00Z")
    let first = try #require(journal.segments[0])
    let second = try #require(journal.segments[1])
    #expect(first.entries.map(\.row?.name) == ["data/00000-000000.ndjson.zst"])
    #expect(second.entries.map(\.row?.name) == ["data/00001-000000.ndjson.zst"])
    #expect(first.entries.map(\.largestItemBytes) == [order("b", 22).utf8.count])
    #expect(first.position == .done)
    #expect(
      second.position
        == .after(Array("{\"customer\":{\"S\":\"c\"},\"number\":{\"N\":\"3\"}}".utf8)))
    #expect(journal.counts.chunks == 2)
    #expect(journal.counts.items == 3)
    #expect(journal.counts.segmentsDone == 1)
    #expect(journal.counts.reading == PageTotals(scannedItems: 17, consumedReadUnits: 2.5))
    #expect(bytes.split(separator: 0x0A).count == 4)
  }

  @Test func theDumpIsUnfinished() async throws {
    _ = try interrupt()
    let error = #expect(throws: ArchiveError.self) { try Archive.open(storage) }
    #expect(error?.code == .unfinished)
    #expect(error?.hint?.contains("--resume") == true)
    #expect(await verify(storage, mode: .quick).problems.map(\.code) == [.unfinished])
  }

  @Test func aTornLastLineIsLeftOut() throws {
    let bytes = try interrupt()
    let lineEnds = bytes.indices.filter { bytes[$0] == 0x0A }
    let firstEnd = try #require(lineEnds.first)
    for length in 0..<bytes.count {
      for tail in [[], [0], [0, 0x0A]] as [[UInt8]] {
        // A line that stays whole is not torn.
        if !tail.isEmpty, length == 0 || bytes[length - 1] == 0x0A { continue }
        let torn = bytes[..<length] + tail
        let journal = try Journal(parsing: Array(torn).span)
        let complete = lineEnds.count { $0 < length }
        #expect((journal == nil) == (length <= firstEnd))
        #expect(journal?.counts.chunks == (journal == nil ? nil : min(complete - 1, 2)))
        #expect(journal?.length == (journal == nil ? nil : lineEnds[complete - 1] + 1))
      }
    }
  }

  static let changes: [(String, String, ArchiveError.Code)] = [
    ("dynarc-journal", "other", .damaged), ("\"version\":1", "\"version\":2", .unsupported),
    ("\"parameters\":{", "\"parameters\":[{", .damaged), ("Z\",", "\",", .damaged),
    ("\"items\":1", "\"items\":\"1\"", .damaged),
    ("\"segmentDone\":0", "\"segmentDone\":-1", .damaged),
    ("\"segmentDone\":0", "\"segmentDone\":1000000", .damaged),
    ("{\"chunk\"", "[\"chunk\"", .damaged), ("{\"chunk\"", "{\"chunks\"", .damaged),
    ("\"largestItemBytes\"", "\"largest\"", .damaged),
    ("\"lastEvaluatedKey\":{", "\"last\":{", .damaged),
    ("\"lastEvaluatedKey\":null", "\"lastEvaluatedKey\":1", .damaged),
    ("\"scannedItems\":7", "\"scannedItems\":9223372036854775807", .damaged),
    ("\"consumedReadUnits\":0.5", "\"consumedReadUnits\":-1", .damaged),
    ("00001-000000", "00001-000001", .damaged), ("\"segment\":1", "\"segment\":0", .damaged),
  ]

  @Test(arguments: changes)
  func damage(_ old: String, _ new: String, _ code: ArchiveError.Code) throws {
    let bytes = try interrupt()
    let changed = bytes.replacing(Array(old.utf8), with: Array(new.utf8), maxReplacements: 1)
    #expect(changed != bytes)
    let error = #expect(throws: ArchiveError.self) { try Journal(parsing: changed.span) }
    #expect(error?.code == code)
    #expect(error?.file == "dump.journal")
  }

  /// Lines that cannot follow on those there are: each stands behind an interrupted dump's.
  @Test(arguments: [
    "{\"segmentDone\":0,\"scannedItems\":0,\"consumedReadUnits\":0}",
    "{\"segment\":0,\"scannedItems\":0,\"consumedReadUnits\":0,\"lastEvaluatedKey\":{}}",
    "{\"segment\":1,\"scannedItems\":0,\"consumedReadUnits\":0,\"lastEvaluatedKey\":null}",
    "{\"dropped\":\"data/00001-000001.ndjson.zst\"}", "{\"dropped\":\"../x\"}", "{}", "[]", "1",
  ])
  func whatCannotFollowIsDamage(_ line: String) throws {
    let bytes = try interrupt()
    let more = bytes + Array((line + "\n").utf8)
    let error = #expect(throws: ArchiveError.self) { try Journal(parsing: more.span) }
    #expect(error?.code == .damaged)
    #expect(error?.offset == bytes.count || line.first != "{")
  }

  @Test func aRowTwiceIsDamage() throws {
    let lines = try interrupt().split(separator: 0x0A)
    let twice = Array([lines[0], lines[1], lines[1], []].joined(separator: [0x0A]))
    let error = #expect(throws: ArchiveError.self) { try Journal(parsing: twice.span) }
    #expect(error?.code == .damaged)
    #expect(error?.message.contains("stands where chunk 1 of segment 1 should") == true)
  }

  @Test func aDroppedChunkIsAsIfItHadNeverBeen() throws {
    let bytes = try interrupt()
    let drop = Array("{\"dropped\":\"data/00000-000000.ndjson.zst\"}\n".utf8)
    let journal = try #require(try Journal(parsing: (bytes + drop).span))
    let second = try #require(try Journal(parsing: bytes.span)?.segments[1])
    #expect(journal.segments[0] == Journal.Segment())
    #expect(journal.segments[1] == second)
    #expect(journal.counts.chunks == 1)
    #expect(journal.counts.items == 1)
    #expect(journal.counts.segmentsDone == 0)
    #expect(journal.counts.reading == PageTotals(scannedItems: 7, consumedReadUnits: 0.5))
  }
}
