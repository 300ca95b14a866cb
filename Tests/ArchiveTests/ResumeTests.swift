@testable import Archive
import Glibc
import JSON
import Testing

/// Goes on with dumps of three segments that were cut short: the first done, the second behind two
/// chunks, the third not begun.
@Suite struct ResumeTests {
  let directory = TemporaryDirectory()
  var storage: LocalStorage { LocalStorage(directory: directory.path + "/a") }

  /// Chunks of each segment, an item each.
  static let segments = (0..<3).map { segment in
    (0..<4).map { [order("s\(segment)", $0)] }
  }

  static func key(_ number: Int) -> [UInt8] { Array("{\"number\":{\"N\":\"\(number)\"}}".utf8) }

  private func path(_ name: String) -> String { "\(storage.directory)/\(name)" }
  private func chunk(_ segment: Int, _ number: Int) -> String {
    ChunkID(segment: segment, number: number).name
  }

  /// Reads a segment on from where it is, as a table would answer it, and stops behind `count` chunks.
  static func read(_ segment: Int, into writer: ArchiveWriter, upTo count: Int = 4) throws {
    var next: Int
    switch writer.position(of: segment) {
    case .start: next = 0
    case .after(let key):
      next = try #require((0..<4).first { ResumeTests.key($0) == key }) + 1
    case .done: return
    }
    var output = try writer.segment(segment)
    while next < count {
      try append(page(segments[segment][next]), to: &output)
      let key = next + 1 < 4 ? ResumeTests.key(next) : nil
      let chunk = try output.finishChunk(lastEvaluatedKey: key)
      try writer.commit(
        #require(chunk), reading: PageTotals(scannedItems: 10, consumedReadUnits: 0.5))
      next += 1
    }
    if count == 4 { try writer.segmentDone(segment) }
  }

  private func interrupt() throws {
    let writer = try ArchiveWriter(storage: storage, parameters: ["table": "Orders"], level: 1)
    try Self.read(0, into: writer)
    try Self.read(1, into: writer, upTo: 2)
  }

  private func finish(_ writer: ArchiveWriter) throws {
    for segment in 0..<3 { try Self.read(segment, into: writer) }
    var manifest = sampleManifest(totalSegments: 3)
    manifest.startTime = writer.startTime
    manifest.counts.scannedItems = writer.counts.reading.scannedItems
    _ = try writer.finish(manifest)
  }

  /// Whether the archive holds every item once, each segment in its order.
  private func expectComplete() async throws {
    #expect(await verify(storage, mode: .full).problems == [])
    let archive = try Archive.open(storage)
    #expect(try readLines(archive) == Self.segments.flatMap { $0.flatMap { $0 } })
    #expect(archive.manifest.startTime.description == "2026-11-22T10:00:00Z")
    #expect(archive.manifest.counts.scannedItems == 120)
  }

  @Test func goesOnWhereItStopped() async throws {
    try interrupt()
    let writer = try ArchiveWriter(resuming: storage)
    #expect(writer.warnings == [])
    #expect(writer.resumed?.chunks == 6)
    #expect(writer.resumed?.items == 6)
    #expect(writer.resumed?.segmentsDone == 1)
    #expect(writer.resumed?.reading == PageTotals(scannedItems: 60, consumedReadUnits: 3))
    #expect(writer.position(of: 0) == .done)
    #expect(writer.position(of: 1) == .after(Self.key(1)))
    #expect(writer.position(of: 2) == .start)
    try finish(writer)
    try await expectComplete()
    #expect(names(in: storage.directory) == ["data", "manifest.json", "SHA256SUMS"])
  }

  /// A chunk that is not what was written, and those behind it, are read again.
  @Test(arguments: ["missing", "cut", "longer", "altered"], [(0, 0), (0, 2), (1, 0), (1, 1)])
  func damagedChunksAreReadAgain(_ damage: String, _ victim: (Int, Int)) async throws {
    try interrupt()
    let name = chunk(victim.0, victim.1)
    var bytes = try readFile(path(name))
    switch damage {
    case "missing": #expect(unlink(path(name)) == 0)
    case "cut": try writeFile(path(name), bytes.dropLast())
    case "longer": try writeFile(path(name), bytes + [0])
    default:
      bytes[bytes.count / 2] ^= 1
      try writeFile(path(name), bytes)
    }
    let lost = (victim.0 == 0 ? 4 : 2) - victim.1
    // Twice, since what was dropped stays so for the next run.
    for run in 0..<2 {
      let writer = try ArchiveWriter(resuming: storage)
      #expect(writer.warnings.count == (run == 0 ? 1 : 0))
      #expect(writer.warnings.allSatisfy { $0.contains(name) && $0.contains("\(lost) chunk(s)") })
      #expect(writer.counts.chunks == 6 - lost)
      #expect(writer.counts.reading.scannedItems == 60 - 10 * lost)
      #expect(
        writer.position(of: victim.0)
          == (victim.1 == 0 ? .start : .after(Self.key(victim.1 - 1))))
      #expect(names(in: path("data")).count == 6 - lost)
    }
    try finish(ArchiveWriter(resuming: storage))
    try await expectComplete()
  }

  @Test func whatIsNotJournaledIsRemoved() async throws {
    try interrupt()
    for name in [
      chunk(1, 2), chunk(2, 7), "data/.00001-000002.ndjson.zst.tmp", ".manifest.json.tmp",
      ".SHA256SUMS.tmp", "manifest.json",
    ] {
      try writeFile(path(name), [1])
    }
    try finish(ArchiveWriter(resuming: storage))
    try await expectComplete()
  }

  @Test(arguments: [
    "notes.txt", "data/x", ".journal.tmp", "data/.x.tmp", "data/00000-000000.ndjson.zst.bak",
    "data/.manifest.json.tmp", ".tmp", "data/.00001-2.ndjson.zst.tmp",
  ])
  func whatIsForeignIsLeftAlone(_ name: String) throws {
    try interrupt()
    try writeFile(path(name), [1])
    try writeFile(path(chunk(2, 7)), [1])
    let error = #expect(throws: ArchiveError.self) { try ArchiveWriter(resuming: storage) }
    #expect(error?.code == .foreign)
    #expect(error?.file == name)
    #expect(exists(path(name)))
    #expect(exists(path(chunk(2, 7))))
  }

  @Test func linksAndPipesAreForeign() throws {
    try interrupt()
    #expect(symlink("/etc/passwd", path(chunk(2, 0))) == 0)
    #expect(
      #expect(throws: ArchiveError.self) { try ArchiveWriter(resuming: storage) }?.code == .foreign)
    #expect(unlink(path(chunk(2, 0))) == 0)
    #expect(unlink(path("dump.journal")) == 0)
    #expect(mkfifo(path("dump.journal"), 0o600) == 0)
    #expect(
      #expect(throws: ArchiveError.self) { try ArchiveWriter(resuming: storage) }?.code == .foreign)
  }

  @Test func tornLinesAreCutOff() async throws {
    try interrupt()
    let bytes = try readFile(path("dump.journal"))
    // The line of the second segment's second chunk is torn; its file counts no more.
    try writeFile(path("dump.journal"), bytes.dropLast(20))
    let writer = try ArchiveWriter(resuming: storage)
    #expect(writer.position(of: 1) == .after(Self.key(0)))
    #expect(!exists(path(chunk(1, 1))))
    try finish(writer)
    try await expectComplete()
  }

  @Test(arguments: [0, 1, 20]) func aDumpThatHardlyBeganBeginsAnew(_ length: Int) async throws {
    do { _ = try ArchiveWriter(storage: storage, parameters: ["table": "Orders"], level: 1) }
    let bytes = try readFile(path("dump.journal"))
    try writeFile(path("dump.journal"), Array(bytes[..<length]))
    #expect(try Journal.read(storage) == nil)
    let writer = try ArchiveWriter(resuming: storage)
    #expect(writer.startTime.description == "2026-11-22T11:00:00Z")
    #expect(writer.resumed == DumpCounts())
    #expect(try Journal.read(storage)?.tool.version == "0.0.2")
  }

  @Test func aDirectoryThatIsEmptyIsADumpThatHardlyBegan() throws {
    #expect(mkdir(storage.directory, 0o700) == 0)
    let writer = try ArchiveWriter(resuming: storage)
    try finish(writer)
    #expect(try Archive.open(storage).manifest.counts.items == 12)
  }

  @Test func chunksWithoutAJournalAreNoDumpToGoOnWith() throws {
    try interrupt()
    try writeFile(path("dump.journal"), [])
    let error = #expect(throws: ArchiveError.self) { try ArchiveWriter(resuming: storage) }
    #expect(error?.code == .damaged)
    #expect(exists(path(chunk(0, 0))))
  }

  @Test func aDamagedJournalIsRefused() throws {
    try interrupt()
    var bytes = try readFile(path("dump.journal"))
    let line = try #require(bytes.firstIndex(of: 0x0A)) + 10
    bytes[line] = 0
    try writeFile(path("dump.journal"), bytes)
    let error = #expect(throws: ArchiveError.self) { try ArchiveWriter(resuming: storage) }
    #expect(error?.code == .damaged)
    #expect(error?.file == "dump.journal")
    #expect(try readFile(path("dump.journal")) == bytes)
  }

  @Test(
    arguments: [
      (["table": "Other"], "table \"Orders\", and now it is \"Other\""),
      ([:], "table \"Orders\", and now it is unset"),
      (["table": "Orders", "filter": "a"], "filter unset, and now it is \"a\""),
    ] as [(JSONObject, String)])
  func otherParametersAreRefused(_ parameters: JSONObject, _ says: String) throws {
    try interrupt()
    let before = names(in: path("data"))
    let error = #expect(throws: ArchiveError.self) {
      try ArchiveWriter(resuming: storage, parameters: parameters)
    }
    #expect(error?.code == .otherDump)
    #expect(error?.message.contains(says) == true, "\(String(describing: error))")
    #expect(names(in: path("data")) == before)
  }

  @Test func theMemberThatDiffersIsNamedByItsPath() throws {
    let begun: JSONObject = ["a": ["b": [1, 2], "c": 1], "d": 2]
    #expect(Journal.difference(begun, ["d": 2, "a": ["c": 1, "b": [1, 2]]]) == nil)
    #expect(Journal.difference(begun, ["a": ["b": [1, 3], "c": 1], "d": 2])?.member == "a.b")
    #expect(Journal.difference(begun, ["a": 1, "d": 2])?.member == "a")
    #expect(
      Journal.difference(begun, ["a": ["b": [1, 2], "c": 1, "e": 1], "d": 2])?.member == "a.e")
  }

  @Test func aFinishedArchiveIsComplete() async throws {
    try writeArchive(storage, Self.segments)
    for journal in [nil, [], Array("{\"x\":".utf8)] as [[UInt8]?] {
      if let journal { try writeFile(path("dump.journal"), journal) }
      let error = #expect(throws: ArchiveError.self) { try ArchiveWriter(resuming: storage) }
      #expect(error?.code == .complete)
      #expect(await verify(storage, mode: .full).problems == [])
    }
  }

  @Test func aDamagedArchiveIsNotComplete() throws {
    try writeArchive(storage, Self.segments)
    try writeFile(path("manifest.json"), [])
    try writeFile(path("dump.journal"), [])
    let error = #expect(throws: ArchiveError.self) { try ArchiveWriter(resuming: storage) }
    #expect(error?.code == .damaged)
    #expect(exists(path("dump.journal")))
  }

  @Test func nothingIsNoDumpToGoOnWith() throws {
    let error = #expect(throws: ArchiveError.self) { try ArchiveWriter(resuming: storage) }
    #expect(error?.code == .missing)
    #expect(error?.hint?.contains("without --resume") == true)
    #expect(!exists(storage.directory))
  }

  @Test func twoAtOnceAreRefused() throws {
    let writer = try ArchiveWriter(storage: storage, parameters: ["table": "Orders"], level: 1)
    let locked = #expect(throws: ArchiveError.self) { try ArchiveWriter(resuming: storage) }
    #expect(locked?.code == .locked)
    #expect(locked?.hint != nil)
    let there = #expect(throws: ArchiveError.self) {
      try ArchiveWriter(storage: storage, parameters: ["table": "Orders"], level: 1)
    }
    #expect(there?.code == .exists)
    #expect(there?.hint?.contains("--resume") == true)
    withExtendedLifetime(writer) {}
  }

  @Test func theLockEndsWithItsWriter() throws {
    do { _ = try ArchiveWriter(storage: storage, parameters: ["table": "Orders"], level: 1) }
    do { _ = try ArchiveWriter(resuming: storage) }
    _ = try ArchiveWriter(resuming: storage)
  }

  /// Pages without items lead on, too.
  @Test func aPlaceBetweenChunksIsKept() async throws {
    do {
      let writer = try ArchiveWriter(storage: storage, parameters: ["table": "Orders"], level: 1)
      try Self.read(1, into: writer, upTo: 2)
      try writer.checkpoint(
        1, lastEvaluatedKey: Self.key(2), reading: PageTotals(scannedItems: 5))
      try writer.checkpoint(2, lastEvaluatedKey: Self.key(0), reading: PageTotals())
    }
    let writer = try ArchiveWriter(resuming: storage)
    #expect(writer.position(of: 1) == .after(Self.key(2)))
    #expect(writer.position(of: 2) == .after(Self.key(0)))
    #expect(writer.counts.reading.scannedItems == 25)
    #expect(throws: ArchiveError.self) { try writer.finish(sampleManifest(totalSegments: 3)) }
    for segment in 0..<3 { try Self.read(segment, into: writer) }
    _ = try writer.finish(sampleManifest(totalSegments: 3))
    let rows = try Archive.open(storage).manifest.chunks
    #expect(rows.filter { $0.segment == 1 }.map(\.id.number) == [0, 1, 2])
    #expect(rows.count == 4 + 3 + 3)
  }
}
