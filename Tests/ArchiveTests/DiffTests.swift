@testable import Archive
import Digest
import JSON
import Synchronization
import Testing

@Suite struct DiffTests {
  private static func options(_ directory: String, memory: Int? = nil) -> DiffOptions {
    var options = DiffOptions(temporaryDirectory: directory, concurrency: 2)
    if let memory { options.memory = memory }
    return options
  }

  /// Changes as `+a 1`, and what they came to.
  private static func changes(
    _ old: any ItemSource, _ new: any ItemSource, memory: Int? = nil
  ) async throws -> ([String], DiffSummary) {
    let directory = TemporaryDirectory()
    let diff = try Diff(old: old, new: new, options: options(directory.path, memory: memory))
    var found: [String] = []
    let summary = try await diff.run { batch in
      for change in batch.changes {
        let sign = ["added": "+", "removed": "-"][change.kind.rawValue] ?? "~"
        let key = try JSONValue.parse(Array(batch.bytes[change.key]).span)
        found.append(
          "\(sign)\(key["customer"]?["S"]?.string ?? "") \(key["number"]?["N"]?.string ?? "")")
      }
      #expect(names(in: directory.path) == [])
    }
    return (found, summary)
  }

  private static func items(
    _ segments: [[[String]]], _ manifest: Manifest? = nil
  ) throws -> ArchiveItems {
    let disk = SimulatedDisk()
    try writeArchive(disk, segments, manifest: manifest)
    return try ArchiveItems(try Archive.open(disk))
  }

  @Test func kindsInTheOrderOfKeys() async throws {
    let old = try DiffTests.items([
      [[order("b", 2), order("a", 10), order("a", 9)], [order("c", 1, more: #","x":{"S":"1"}"#)]]
    ])
    let new = try DiffTests.items([
      [[order("c", 1, more: #","x":{"S":"2"}"#)]], [[order("a", -1)], [order("a", 10)]],
    ])
    let (found, summary) = try await DiffTests.changes(old, new)
    #expect(found == ["+a -1", "-a 9", "-b 2", "~c 1"])
    #expect((summary.added, summary.removed, summary.changed) == (1, 2, 1))
    #expect((summary.old.items, summary.new.items) == (4, 3))
  }

  /// So many items that records, sorted items and runs all go to the temporary file.
  @Test func moreThanFitsIntoMemory() async throws {
    let texts = (0..<30_000).map { order("c\($0 % 100)", $0) }
    var other = texts
    var expected: [String] = []
    for number in stride(from: 0, to: 30_000, by: 3) {
      other[number] = order("c\(number % 100)", number, more: #","x":{"BOOL":true}"#)
      expected.append("~c\(number % 100) \(number)")
    }
    other.shuffle()
    let old = try DiffTests.items([[Array(texts[..<10_000])], [Array(texts[10_000...])]])
    let new = try DiffTests.items([other].map { [$0] })
    for memory in [40_000, 400_000] {
      let (found, summary) = try await DiffTests.changes(old, new, memory: memory)
      #expect(found.count == expected.count && Set(found) == Set(expected))
      #expect(summary.bytesSpilled > 1_000_000)
    }
  }

  /// Two snapshots tell their items in one order, in other segments and chunks. The items between which
  /// thousands were added meet all the same, in a pool much smaller than that, and nothing is read again.
  @Test(arguments: [1, 2, 5]) func whereTheOrderIsTheSame(concurrency: Int) async throws {
    var old: [String] = []
    var new: [String] = []
    var expected: Set<String> = []
    for number in 0..<40_000 {
      switch number {
      case 1000..<5000: new.append(order("c", number))
      case 30_000..<31_000: old.append(order("c", number))
      case _ where number % 100 == 7:
        old.append(order("c", number))
        new.append(order("c", number, more: #","x":{"BOOL":true}"#))
      default:
        old.append(order("c", number))
        new.append(order("c", number))
        continue
      }
      expected.insert(
        (1000..<5000 ~= number ? "+" : 30_000..<31_000 ~= number ? "-" : "~") + "c \(number)")
    }
    func layout(_ items: [String], _ chunk: Int) -> [[String]] {
      stride(from: 0, to: items.count, by: chunk).map {
        Array(items[$0..<min($0 + chunk, items.count)])
      }
    }
    let sides = (
      try DiffTests.items([layout(old, 3000)]),
      try DiffTests.items([layout(Array(new[..<20_000]), 7000), layout(Array(new[20_000...]), 500)])
    )
    for memory in [2_000_000, 40_000_000] {
      let directory = TemporaryDirectory()
      var options = DiffTests.options(directory.path, memory: memory)
      options.concurrency = concurrency
      var found: Set<String> = []
      let summary = try await Diff(old: sides.0, new: sides.1, options: options).run { batch in
        for change in batch.changes {
          let sign = ["added": "+", "removed": "-"][change.kind.rawValue] ?? "~"
          let key = try JSONValue.parse(Array(batch.bytes[change.key]).span)
          found.insert("\(sign)c \(key["number"]?["N"]?.string ?? "")")
        }
      }
      #expect(found == expected)
      let read = summary.old.contentBytes + summary.new.contentBytes
      // With one reader a side and some room nothing is read twice; otherwise little may be.
      #expect(summary.bytesRead >= read)
      if concurrency < 4, memory > 2_000_000 { #expect(summary.bytesRead == read) }
    }
  }

  /// In no common order the pool is given up, and what was in it is found all the same.
  @Test func whereTheOrdersDiffer() async throws {
    let texts = (0..<40_000).map { order("c", $0) }
    var other = texts.shuffled()
    other.swapAt(0, other.firstIndex(of: texts[17]) ?? 0)
    other[0] = order("c", 17, more: #","x":{"BOOL":true}"#)
    let (found, summary) = try await DiffTests.changes(
      try DiffTests.items([[texts]]), try DiffTests.items([[other]]), memory: 400_000)
    #expect(found == ["~c 17"])
    #expect(summary.bytesRead < 2 * (summary.old.contentBytes + summary.new.contentBytes))
  }

  /// Everything is spelled in another way; what means the same is seen without being sorted.
  @Test func whereOnlySpellingDiffers() async throws {
    var old: [String] = []
    var new: [String] = []
    for number in 0..<50_000 {
      old.append(order("c\(number % 7)", number, more: #","x":{"SS":["a","b"]}"#))
      let members = number % 5000 == 1 ? #""c""# : #""b","\u0061""#
      new.append(
        #"{"number":{"N":"\#(number).0"},"x":{"SS":[\#(members)]},"customer":{"S":"c\#(number % 7)"}}"#
      )
    }
    new.shuffle()
    let (found, summary) = try await DiffTests.changes(
      try DiffTests.items([[old]]), try DiffTests.items([[new]]), memory: 8_000_000)
    let expected = stride(from: 1, to: 50_000, by: 5000).map { "~c\($0 % 7) \($0)" }
    #expect(Set(found) == Set(expected.map { "\($0).0" }))
    // Each side was read a second time for its meaning, and in part a third time for the items.
    #expect(summary.bytesRead > 2 * (summary.old.contentBytes + summary.new.contentBytes))
  }

  /// A chunk that both have is not read: here it is not even there.
  @Test func sharedChunksAreNotRead() async throws {
    let shared = [order("a", 1), order("a", 2)]
    let disks = [SimulatedDisk(), SimulatedDisk()]
    try writeArchive(disks[0], [[shared, [order("b", 1)], shared]])
    try writeArchive(disks[1], [[[order("b", 2)]], [shared]])
    let archives = try disks.map { try Archive.open($0) }
    // What stands there twice is read, and found out.
    let twice = try archives.map { try ArchiveItems($0) }
    await #expect {
      _ = try await DiffTests.changes(twice[0], twice[1])
    } throws: { ($0 as? ArchiveError)?.code == .duplicateKey }
    try disks[1].remove(ChunkID(segment: 1, number: 0).name)
    let once = SimulatedDisk()
    try writeArchive(once, [[shared, [order("b", 1)]]])
    let (found, summary) = try await DiffTests.changes(
      try ArchiveItems(try Archive.open(once)), twice[1])
    #expect(found == ["-b 1", "+b 2"])
    #expect(summary.old.partsSkipped == 1 && summary.new.partsSkipped == 1)
    #expect((summary.old.items, summary.new.items) == (3, 3))
  }

  @Test func anArchiveAgainstItself() async throws {
    let disk = SimulatedDisk()
    try writeArchive(disk, [[[order("a", 1)]], [[order("b", 1)], [order("b", 2)]]])
    let archive = try Archive.open(disk)
    let items = try ArchiveItems(archive)
    for row in archive.manifest.chunks { try disk.remove(row.name) }
    // What is not there from the beginning is refused, though it would not be read.
    #expect { _ = try ArchiveItems(archive) } throws: { ($0 as? ArchiveError)?.code == .damaged }
    let (found, summary) = try await DiffTests.changes(items, items)
    #expect(found == [] && summary.bytesRead == 0 && summary.old.items == 3)
  }

  // Twice in the same bytes, in others, on a side of which the other has one or none.
  @Test(arguments: [#","x":{"S":"1"}"#, ""], [true, false])
  func aKeyTwice(_ more: String, _ isOld: Bool) async throws {
    let twice = try DiffTests.items([
      [[order("a", 1)], [order("b", 1), order("a", 1, more: more)]]
    ])
    for others in [[order("b", 1)], [order("a", 1, more: #","y":{"S":"1"}"#)]] {
      let other = try DiffTests.items([[others]])
      await #expect {
        _ = try await DiffTests.changes(isOld ? twice : other, isOld ? other : twice)
      } throws: { error in
        let error = error as? ArchiveError
        return error?.code == .duplicateKey && error?.message.contains(order("a", 1)) == true
      }
    }
  }

  /// In an archive of an index a key can stand there twice; it is looked for everywhere.
  @Test func aKeyTwiceInAnIndex() async throws {
    var manifest = sampleManifest(totalSegments: 1)
    manifest.source.read.indexName = "by-day"
    let chunks = [[order("a", 1)], [order("b", 1), order("a", 1, more: #","x":{"S":"1"}"#)]]
    let index = try DiffTests.items([chunks], manifest)
    let other = try DiffTests.items([[[order("a", 1)], [order("b", 1)]]], manifest)
    await #expect {
      _ = try await DiffTests.changes(index, other)
    } throws: { ($0 as? ArchiveError)?.code == .duplicateKey }
    let (found, summary) = try await DiffTests.changes(other, other)
    #expect(found == [] && summary.bytesRead == 0)
    let (kinds, _) = try await DiffTests.changes(try DiffTests.items([[[order("b", 1)]]]), other)
    #expect(kinds == ["+a 1"])
  }

  /// What can be read once only is kept.
  @Test func sourcesThatComeOnce() async throws {
    let old = try DiffTests.items([[[order("a", 1), order("b", 1)], [order("c", 3)]]])
    let new = try DiffTests.items([
      [[order("c", 1), order("a", 1)], [order("b", 1, more: #","x":{"S":""}"#)]]
    ])
    for (one, other) in [(true, false), (false, true), (true, true)] {
      let sides = (
        one ? ReadOnce(old) as any ItemSource : old, other ? ReadOnce(new) as any ItemSource : new
      )
      let (found, _) = try await DiffTests.changes(sides.0, sides.1)
      #expect(found == ["~b 1", "+c 1", "-c 3"])
    }
  }

  @Test func whatCannotBeCompared() throws {
    let plain = try DiffTests.items([[[order("a", 1)]]])
    var table = ordersTable
    table.key.attributes[1].type = .string
    let other = try DiffTests.items(
      [[[#"{"customer":{"S":"a"},"number":{"S":"1"}}"#]]],
      sampleManifest(totalSegments: 1, table: table))
    #expect(throws: ArchiveError.self) {
      try Diff(old: plain, new: other, options: DiffTests.options("/tmp"))
    }
    #expect(throws: ArchiveError.self) {
      try DiffTests.items([[[order("a", 1)]]], sampleManifest(totalSegments: 1, keyless: true))
    }
  }

  /// An item that differs is validated like any other that is acted on.
  @Test(arguments: [
    (#"{"customer":{"S":"a"},"number":{"N":"x"}}"#, "is not a number"),
    (#"{"customer":{"S":"a"}}"#, "is missing"),
    (#"{"customer":{"S":"a"},"number":{"N":"1"},"x":{"S":"1"},"x":{"S":"2"}}"#, "duplicate member"),
  ])
  func itemsThatAreNone(_ item: String, _ what: String) async throws {
    let good = try DiffTests.items([[[order("b", 1)]]])
    let bad = try DiffTests.items([[[order("b", 1), item]]])
    for (old, new) in [(good, bad), (bad, good)] {
      await #expect {
        _ = try await DiffTests.changes(old, new)
      } throws: { error in
        let error = error as? ArchiveError
        return error?.code == .damaged && error?.message.contains(what) == true
          && error?.file == "data/00000-000000.ndjson.zst"
      }
    }
  }

  @Test func aFullTemporaryDirectory() async throws {
    let texts = (0..<30_000).map { order("c", $0) }
    let old = try DiffTests.items([[texts]])
    let new = try DiffTests.items([[Array(texts[1...])]])
    let diff = try Diff(
      old: old, new: new, options: DiffTests.options("/nothing/there", memory: 40_000))
    await #expect {
      _ = try await diff.run { _ in }
    } throws: { ($0 as? ArchiveError)?.message.contains("/nothing/there") == true }
  }
}

/// A source that ends the test when a part is asked for twice.
private struct ReadOnce: ItemSource {
  private let source: ArchiveItems
  private let read = ReadParts()

  init(_ source: ArchiveItems) { self.source = source }

  private final class ReadParts: Sendable {
    private let parts = Mutex<Set<Int>>([])
    func insert(_ part: Int) -> Bool { parts.withLock { $0.insert(part).inserted } }
  }

  var name: String { source.name }
  var key: KeySchema { source.key }
  var origin: ItemOrigin { source.origin }
  var parts: [ItemPart] { source.parts.map { _ in ItemPart() } }
  var isRepeatable: Bool { false }
  var readersWanted: Int? { 3 }
  var hasUniqueKeys: Bool { true }

  func read(
    part: Int, _ detail: ItemDetail, _ body: (borrowing LineBlock) async throws -> Bool
  ) async throws {
    #expect(read.insert(part), "part \(part) is read twice")
    try await source.read(part: part, detail, body)
  }
}
