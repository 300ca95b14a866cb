@testable import Archive
import JSON
import Testing

@Suite struct RoundTripTests {
  let directory = TemporaryDirectory()
  var storage: LocalStorage { LocalStorage(directory: directory.path + "/a") }

  @Test func twoSegments() throws {
    let id = try writeArchive(
      storage, [[[order("a", 1), order("b", 2)], [order("c", 3)]], [[order("d", 4)]]])
    let archive = try Archive.open(storage)
    #expect(archive.id == id)
    #expect(
      archive.manifest.chunks.map(\.name) == [
        "data/00000-000000.ndjson.zst", "data/00000-000001.ndjson.zst",
        "data/00001-000000.ndjson.zst",
      ])
    #expect(
      try readLines(archive) == [order("a", 1), order("b", 2), order("c", 3), order("d", 4)])
    #expect(archive.manifest.counts.items == 4)
    #expect(archive.manifest.counts.largestItemBytes == order("a", 1).utf8.count)
    #expect(archive.manifest.counts.scannedItems == 12)
    #expect(names(in: storage.directory) == ["data", "manifest.json", "SHA256SUMS"])
    #expect(permissions(storage.directory) == 0o700)
    #expect(permissions(storage.directory + "/data") == 0o700)
    for name in archive.sums.digests.keys {
      #expect(permissions("\(storage.directory)/\(name)") == 0o600, "\(name)")
    }
  }

  @Test func emptyTable() async throws {
    try writeArchive(storage, [[], [[]]])
    let archive = try Archive.open(storage)
    #expect(archive.manifest.chunks.isEmpty)
    #expect(names(in: storage.directory + "/data").isEmpty)
    #expect(await verify(storage, mode: .full).isSound)
  }

  @Test func nothingIsOverwritten() throws {
    #expect(shell("mkdir '\(storage.directory)'") == 0)
    let error = #expect(throws: ArchiveError.self) { try writeArchive(storage, []) }
    #expect(error?.code == .exists)
    #expect(error?.hint != nil)
    #expect(names(in: storage.directory).isEmpty)
  }

  @Test func whatCouldNotBeReadIsNotCommitted() throws {
    let error = #expect(throws: ArchiveError.self) {
      try writeArchive(
        storage, [[[order("a", 1)]], [[order("b", 2)]]],
        manifest: sampleManifest(totalSegments: 1))
    }
    #expect(error?.code == .damaged)
    #expect(!exists(storage.directory + "/SHA256SUMS"))
    #expect(exists(storage.directory + "/dump.journal"))
  }

  @Test func lineBreaksAreCompacted() throws {
    try writeArchive(
      storage,
      [[["{ \"customer\" :\n{\"S\": \"a \\\" b\\\\\"},\r\n\t\"number\":{\"N\":\"1\"}\n}"]]])
    #expect(
      try readLines(Archive.open(storage)) == [
        "{\"customer\":{\"S\":\"a \\\" b\\\\\"},\"number\":{\"N\":\"1\"}}"
      ])
  }

  @Test func spacesWithoutLineBreaksStay() throws {
    let item = "{ \"customer\" : {\"S\": \"a\"},\t\"number\":{\"N\":\"1\"} }"
    try writeArchive(storage, [[[item]]])
    #expect(try readLines(Archive.open(storage)) == [item])
  }

  @Test(arguments: [1, 3, 19], [0, 1, 2]) func random(level: Int, seed: Int) async throws {
    var random = Seeded(seed)
    // Items from a few bytes to several staging buffers and blocks.
    var segments: [[[String]]] = []
    for segment in 0..<3 {
      var chunks: [[String]] = []
      for chunk in 0..<Int.random(in: 0...3, using: &random) {
        var items: [String] = []
        for number in 0..<Int.random(in: 1...60, using: &random) {
          let size = 1 << Int.random(in: 0...(number % 20 == 0 ? 20 : 10), using: &random)
          let letters = (0..<size).map { _ in UInt8.random(in: 97...122, using: &random) }
          let text = String(decoding: letters, as: UTF8.self)
          items.append(
            order("\(segment)-\(chunk)", number, more: ",\"text\":{\"S\":\"\(text)\"}"))
        }
        chunks.append(items)
      }
      segments.append(chunks)
    }
    try writeArchive(storage, segments, level: level)
    let archive = try Archive.open(storage)
    #expect(try readLines(archive) == segments.flatMap { $0.flatMap { $0 } })
    let report = await verify(storage, mode: .full, concurrency: 2)
    #expect(report.problems == [])
    #expect(report.checked.items == archive.manifest.counts.items)
    #expect(report.checked.contentBytes == archive.manifest.counts.contentBytes)
    try archive.checkStored()
  }

  @Test func chunksFillUpAtTheirLimits() throws {
    let writer = try ArchiveWriter(
      storage: storage, parameters: [:], level: 1,
      limits: ChunkLimits(contentBytes: 100, storedBytes: 1 << 20))
    var segment = try writer.segment(0)
    try append(page([order("a", 1)]), to: &segment)
    let early = (segment.isChunkFull, segment.items, segment.contentBytes)
    #expect(early == (false, 1, order("a", 1).utf8.count + 10))
    try append(page([order("a", 2), order("a", 3)]), to: &segment)
    let isFull = segment.isChunkFull
    #expect(isFull)
    let chunk = try segment.finishChunk(lastEvaluatedKey: nil)
    let rest = segment.contentBytes
    let none = try segment.finishChunk(lastEvaluatedKey: nil)
    #expect(chunk?.row.items == 3)
    #expect(rest == 0)
    #expect(none?.row == nil)
  }

  @Test func anItemLongerThanALineIsRefused() throws {
    let writer = try ArchiveWriter(storage: storage, parameters: [:], level: 1)
    var segment = try writer.segment(0)
    let filler = String(repeating: "x", count: 9 << 20)
    do {
      try append(page([order("a", 1, more: ",\"t\":{\"S\":\"\(filler)\"}")]), to: &segment)
      Issue.record("it was taken")
    } catch let error as ArchiveError {
      #expect(error.code == .badPage)
    }
  }

  @Test func theLongestLineFits() async throws {
    let frame = order("a", 1, more: ",\"t\":{\"S\":\"\"}").utf8.count + 10
    let filler = String(repeating: "x", count: (8 << 20) - frame)
    try writeArchive(storage, [[[order("a", 1, more: ",\"t\":{\"S\":\"\(filler)\"}")]]])
    #expect(try Archive.open(storage).manifest.counts.contentBytes == 8 << 20)
    #expect(await verify(storage, mode: .full).problems == [])
  }

  @Test func droppedChunksLeaveNothing() throws {
    let writer = try ArchiveWriter(storage: storage, parameters: [:], level: 1)
    do {
      var segment = try writer.segment(0)
      try append(page([order("a", 1)]), to: &segment)
      #expect(
        names(in: storage.directory + "/data") == [".00000-000000.ndjson.zst.tmp"])
      _ = try segment.finishChunk(lastEvaluatedKey: nil)
      try append(page([order("a", 2)]), to: &segment)
    }
    #expect(names(in: storage.directory + "/data").isEmpty)
    let error = #expect(throws: ArchiveError.self) { try writer.finish(sampleManifest()) }
    #expect(error?.code == .unfinished)
  }

  @Test func standardToolsReadIt() throws {
    try #require(shell("command -v zstd sha256sum jq >/dev/null") == 0, "install zstd and jq")
    try writeArchive(storage, [[[order("a", 1), order("b", 2)]], [[order("c", 3)]]])
    let here = "cd '\(storage.directory)' && "
    #expect(shell(here + "sha256sum --check --strict --quiet SHA256SUMS") == 0)
    #expect(shell(here + "zstd -q -t data/*.zst") == 0)
    #expect(
      shell(
        here + "test \"$(zstdcat data/*.zst | jq -r .Item.number.N | tr '\\n' ' ')\" = '1 2 3 '")
        == 0)
    #expect(shell(here + "jq -e '.chunks | length == 2' manifest.json >/dev/null") == 0)
  }

  @Test func keysOfLinesAreCanonical() throws {
    let spelled = ["1.0", "1e0", "+1", "001", "10E-1"].map {
      "{\"number\":{\"N\":\"\($0)\"},\"customer\":{\"S\":\"\\u0061\"}}"
    }
    try writeArchive(storage, [[[order("a", 1)] + spelled]])
    let archive = try Archive.open(storage)
    var reader = try archive.chunk(archive.manifest.chunks[0])
    let isThere = try reader.next()
    #expect(isThere)
    let block = reader.block
    #expect(Set(block.lines.map { block.keyBytes[$0.key] }).count == 1)
    #expect(block.lines[1].contentOffset == order("a", 1).utf8.count + 10)
    let isMore = try reader.next()
    #expect(!isMore)
    let items = reader.items
    #expect(items == 6)
  }

  /// Compressors of many segments take what is left of the budget to each, or the least there is.
  @Test(arguments: [1, 3, 6, 9, 19], [1, 8, 64, 1000])
  func compressorsShareABudget(level: Int, segments: Int) throws {
    let memory = Compression(level: level, segmentsInFlight: segments).memory
    var compressor = try ZstdCompressor(level: level, memory: memory)
    var smallest = try ZstdCompressor(level: level, memory: 0)
    let input = RawBuffer(byteCount: 1 << 17)
    input.bytes.initializeMemory(as: UInt8.self, repeating: 0)
    let output = RawBuffer(byteCount: 1 << 17)
    // A context takes its memory with its first input.
    for end in [false, true] {
      _ = try compressor.step(UnsafeRawBufferPointer(input.bytes), into: output.bytes, end: end)
      _ = try smallest.step(UnsafeRawBufferPointer(input.bytes), into: output.bytes, end: end)
    }
    let (taken, least) = (compressor.memory, smallest.memory)
    #expect(taken <= max(memory, least))
    #expect(least <= 7 << 20)
  }
}
