@testable import Archive
import Glibc
import Testing

/// What makes a chain, what does not, and what a merge leaves when it does not end.
@Suite struct ChainTests {
  private static let tool = ArchiveTool(version: "0.0.1")
  /// The items of four days.
  private static let days = [
    (0..<8).map { order("a", $0) },
    (2..<8).map { order("a", $0) } + [order("b", 1)],
    (2..<8).map { order("a", $0, more: $0 == 5 ? #","x":{"S":"new"}"# : "") } + [order("a", 0)],
    (2..<9).map { order("a", $0) } + [order("b", 1)],
  ]

  private static func snapshot(_ items: [String], _ manifest: Manifest? = nil) throws -> Archive {
    let disk = SimulatedDisk()
    let half = items.count / 2
    try writeArchive(
      disk, [[Array(items[..<half])], [Array(items[half...])]], level: 1, manifest: manifest)
    return try Archive.open(disk)
  }

  /// An archive of the changes between two sides.
  private static func changes(
    _ old: any ItemSource, _ new: any ItemSource, edit: (inout ItemOrigin, inout ItemOrigin) -> Void
  ) async throws -> Archive {
    let disk = SimulatedDisk()
    var writer = try ChangesWriter(
      storage: disk, oldImages: nil, compression: Compression(level: 1))
    let diff = try Diff(
      old: old, new: new, options: DiffOptions(temporaryDirectory: P_tmpdir, concurrency: 1))
    let summary = try await diff.run { try writer.append($0) }
    var (from, to) = (old.origin, new.origin)
    edit(&from, &to)
    _ = try writer.finish(tool: tool, from: from, to: to, summary)
    return try Archive.open(disk)
  }

  private static func changes(
    _ old: Archive, _ new: Archive,
    edit: (inout ItemOrigin, inout ItemOrigin) -> Void = { _, _ in }
  ) async throws -> Archive {
    try await changes(try ArchiveItems(old), try ArchiveItems(new), edit: edit)
  }

  /// The snapshots of all days, and the changes from each to the next.
  private struct Days {
    var snapshots: [Archive]
    var changes: [Archive]
  }

  private static func allDays() async throws -> Days {
    let snapshots = try days.map { try snapshot($0) }
    var changes: [Archive] = []
    for (old, new) in zip(snapshots, snapshots.dropFirst()) {
      changes.append(try await self.changes(old, new))
    }
    return Days(snapshots: snapshots, changes: changes)
  }

  private static func merge(_ chain: ArchiveChain, to disk: SimulatedDisk) async throws -> Archive {
    _ = try await ChainMerge(chain, to: disk, tool: tool, level: 1, concurrency: 2).run()
    return try Archive.open(disk)
  }

  @Test func aChainHoldsTheLastState() async throws {
    let all = try await ChainTests.allDays()
    let chain = try ArchiveChain(all.snapshots[0], all.changes)
    #expect(chain.items == 8)
    #expect(chain.names == [all.changes[2].id, all.snapshots[3].id])
    let merged = try await ChainTests.merge(chain, to: SimulatedDisk())
    #expect(Set(try readLines(merged)) == Set(ChainTests.days[3]))
    #expect(merged.manifest.sameItemsAs == chain.names)
    #expect(merged.manifest.startTime == all.snapshots[3].manifest.startTime)
    #expect(try ArchiveChain(all.snapshots[0]).id == all.snapshots[0].id)
    #expect(Set([chain.id, try ArchiveChain(all.snapshots[0], [all.changes[0]]).id]).count == 2)
  }

  @Test func aLinkThatIsNotThereIsNamed() async throws {
    let all = try await ChainTests.allDays()
    let (days, changes) = (all.snapshots, all.changes)
    for (base, links) in [
      (days[0], [changes[1]]), (days[0], [changes[0], changes[2]]),
      (days[0], [changes[1], changes[0]]), (days[1], [changes[0]]),
      (days[0], [changes[0], changes[0]]),
    ] {
      let error = #expect(throws: ArchiveError.self) { try ArchiveChain(base, links) }
      #expect(error?.code == .brokenChain)
      #expect(error?.hint?.contains("in the order") == true)
    }
    let missing = #expect(throws: ArchiveError.self) { try ArchiveChain(days[0], [changes[1]]) }
    #expect(missing?.message.contains(days[0].id.prefix(16)) == true)
    #expect(missing?.message.contains(days[1].id.prefix(16)) == true)
  }

  @Test func whatIsNoChainIsRefused() async throws {
    let all = try await ChainTests.allDays()
    let (days, changes) = (all.snapshots, all.changes)
    let live = try await ChainTests.changes(days[0], days[1]) { from, _ in
      from.side.archiveID = nil
    }
    let otherKey = try await ChainTests.changes(days[0], days[1]) { _, to in
      to.table.key = KeySchema([KeyAttribute(name: "customer", type: .string, role: .hash)])
    }
    let parts = try await ChainTests.changes(days[0], days[1]) { _, to in
      to.source.read.projectionExpression = "customer, #n"
    }
    let none = try await ChainTests.changes(days[0], days[0])
    let cases: [(Archive, [Archive], ArchiveError.Code, String)] = [
      (changes[0], [changes[1]], .unsupported, "holds changes"),
      (changes[0], [], .unsupported, "holds changes"),
      (days[0], [days[1]], .unsupported, "is a snapshot"),
      (days[0], [live], .brokenChain, "from a live table"),
      (days[0], [otherKey], .usage, "the keys differ"),
      (days[0], [parts], .unsupported, "only a part of each item"),
      (days[0], Array(repeating: none, count: 65536), .unsupported, "at most 65535"),
    ]
    for (base, links, code, says) in cases {
      let error = #expect(throws: ArchiveError.self) { try ArchiveChain(base, links) }
      #expect(error?.code == code, "\(says)")
      #expect(error?.message.contains(says) == true, "\(String(describing: error))")
      #expect(error?.hint != nil)
    }
  }

  /// Changes of a slice lead nowhere but where the slice is all there is, as with a base that was
  /// queried by the same key.
  @Test func slices() async throws {
    let all = try await ChainTests.allDays()
    let days = all.snapshots
    let slice = try KeySlice(key: ordersKey, partition: ["a"], sort: nil)
    let part = try await ChainTests.changes(
      try ArchiveItems(days[1], slice: slice), try ArchiveItems(days[2], slice: slice)
    ) { _, _ in }
    let error = #expect(throws: ArchiveError.self) { try ArchiveChain(days[1], [part]) }
    #expect(error?.message.contains("customer = \"a\"") == true)
    // The first day has customer a only; but the archive of the second has more than what is led to.
    let toPart = try await ChainTests.changes(
      try ArchiveItems(days[0], slice: slice), try ArchiveItems(days[1], slice: slice)
    ) { _, _ in }
    #expect(throws: ArchiveError.self) { try ArchiveChain(days[0], [toPart]) }
    // A live table says by its query what it was.
    let fromTable = try await ChainTests.changes(
      try ArchiveItems(days[0], slice: slice), try ArchiveItems(days[1], slice: slice)
    ) { _, to in to.side.archiveID = nil }
    let chain = try ArchiveChain(days[0], [fromTable])
    let merged = try await ChainTests.merge(chain, to: SimulatedDisk())
    #expect(Set(try readLines(merged)) == Set(ChainTests.days[1].dropLast()))
  }

  @Test func changesThatContradictTheBaseMakeNothing() async throws {
    let all = try await ChainTests.allDays()
    let days = all.snapshots
    // From the second day, and said to be from another with as many items.
    let other = try ChainTests.snapshot((20..<27).map { order("a", $0) })
    let lying = try await ChainTests.changes(days[1], days[2]) { from, _ in
      from.side.archiveID = other.id
    }
    let disk = SimulatedDisk()
    let chain = try ArchiveChain(other, [lying])
    let error = await #expect(throws: ArchiveError.self) {
      _ = try await ChainTests.merge(chain, to: disk)
    }
    #expect(
      error?.message.contains("the chain comes to 9 items") == true, "\(String(describing: error))")
    #expect(throws: ArchiveError.self) { try Archive.open(disk) }
    // Another number of items is told without reading any.
    let fewer = try ChainTests.snapshot([order("a", 1)])
    let wrong = try await ChainTests.changes(days[1], days[2]) { from, _ in
      from.side.archiveID = fewer.id
    }
    let early = #expect(throws: ArchiveError.self) { try ArchiveChain(fewer, [wrong]) }
    #expect(early?.code == .damaged)
  }

  @Test func aKeyThatStandsTwiceInChangesIsDamage() async throws {
    let base = try ChainTests.snapshot([order("a", 1), order("a", 2)])
    let disk = SimulatedDisk()
    var writer = try ChangesWriter(
      storage: disk, oldImages: nil, compression: Compression(level: 1))
    var batch = ChangeBatch()
    batch.bytes = Array((order("a", 3) + #"{"number":{"N":"3.0"},"customer":{"S":"a"}}"#).utf8)
    let end = order("a", 3).utf8.count
    batch.changes = [
      Change(key: 0..<end, old: nil, new: 0..<end),
      Change(key: end..<batch.bytes.count, old: nil, new: end..<batch.bytes.count),
    ]
    try writer.append(batch)
    var summary = DiffSummary()
    (summary.added, summary.old.items, summary.new.items) = (2, 2, 4)
    let origin = try ArchiveItems(base).origin
    _ = try writer.finish(tool: ChainTests.tool, from: origin, to: origin, summary)
    let chain = try ArchiveChain(base, [try Archive.open(disk)])
    let error = #expect(throws: ArchiveError.self) { try LastingLines(chain) }
    #expect(error?.code == .damaged && error?.message.contains("second line") == true)
  }

  /// More keys than the table of keys begins with, by far.
  @Test func manyKeys() async throws {
    let old = (0..<9000).map { order("a", $0) }
    let new = (0..<9000).compactMap { number -> String? in
      switch number % 3 {
      case 0: nil
      case 1: order("a", number, more: #","x":{"S":"new"}"#)
      default: order("a", number)
      }
    }
    let base = try ChainTests.snapshot(old)
    let changes = try await ChainTests.changes(base, try ChainTests.snapshot(new))
    #expect(changes.manifest.counts.items == 6000)
    let merged = try await ChainTests.merge(
      try ArchiveChain(base, [changes]), to: SimulatedDisk())
    #expect(try readLines(merged).sorted() == new.sorted())
  }

  @Test func noChangesCopyEveryChunk() async throws {
    let base = try ChainTests.snapshot(ChainTests.days[0])
    let chain = try ArchiveChain(base, [try await ChainTests.changes(base, base)])
    #expect(chain.names.contains(base.id))
    let merged = try await ChainTests.merge(chain, to: SimulatedDisk())
    #expect(merged.manifest.chunks == base.manifest.chunks)
    #expect(merged.id != base.id)
  }

  @Test(arguments: [0, 1]) func damageIsNamedWithItsArchive(_ which: Int) async throws {
    let all = try await ChainTests.allDays()
    let (directory, names) = (TemporaryDirectory(), ["base", "changes"])
    try writeArchive(
      LocalStorage(directory: "\(directory.path)/base"), [[ChainTests.days[0]]], level: 1)
    let base = try Archive.open(LocalStorage(directory: "\(directory.path)/base"))
    let writer = try ChangesWriter(
      storage: LocalStorage(directory: "\(directory.path)/changes"), oldImages: .images,
      compression: Compression(level: 1))
    let diff = try Diff(
      old: try ArchiveItems(base), new: try ArchiveItems(all.snapshots[1]),
      options: DiffOptions(temporaryDirectory: P_tmpdir, concurrency: 1))
    _ = try await diff.write(writer, tool: ChainTests.tool)
    let chunk = "\(directory.path)/\(names[which])/data/00000-000000.ndjson.zst"
    var bytes = try readFile(chunk)
    bytes[bytes.count / 2] ^= 0x20
    try writeFile(chunk, bytes)
    let changes = try Archive.open(LocalStorage(directory: "\(directory.path)/changes"))
    let output = "\(directory.path)/merged"
    let error = await #expect(throws: ArchiveError.self) {
      let merge = try ChainMerge(
        try ArchiveChain(base, [changes]), to: LocalStorage(directory: output),
        tool: ChainTests.tool, level: 1, concurrency: 1)
      _ = try await merge.run()
    }
    #expect(error?.code == .damaged)
    #expect(error?.file?.hasSuffix("/\(names[which])/data/00000-000000.ndjson.zst") == true)
    #expect(!exists("\(output)/SHA256SUMS"))
  }

  @Test func theManifestKeepsTheNames() throws {
    var manifest = sampleManifest()
    manifest.sameItemsAs = [String(repeating: "0a", count: 32)]
    #expect(try Manifest(parsing: manifest.serialized.span) == manifest)
    manifest.sameItemsAs = ["../elsewhere"]
    let error = #expect(throws: ArchiveError.self) {
      try Manifest(parsing: manifest.serialized.span)
    }
    #expect(error?.message.contains("sameItemsAs") == true)
  }

  /// At every step the power goes, or the disk fails: what is left passes for no archive, or is whole.
  @Test func aMergeThatDoesNotEndLeavesNoArchive() async throws {
    let all = try await ChainTests.allDays()
    let chain = try ArchiveChain(all.snapshots[0], all.changes)
    let whole = SimulatedDisk()
    let expected = try readLines(try await ChainTests.merge(chain, to: whole))
    #expect(whole.steps > 20)
    for step in 1...whole.steps {
      for (seed, event) in [SimulatedDisk.Event.stopBefore, .stopAfter, .fail(ENOSPC)].enumerated()
      {
        let disk = SimulatedDisk([step: event])
        await #expect(throws: ArchiveError.self) { _ = try await ChainTests.merge(chain, to: disk) }
        let after = seed == 2 ? disk.repaired() : disk.restarted(step * 3 + seed)
        do {
          let archive = try Archive.open(after)
          #expect(Set(try readLines(archive)) == Set(expected))
          #expect(await verify(after, mode: .full).problems == [])
        } catch let error as ArchiveError {
          #expect([.unfinished, .notAnArchive].contains(error.code), "\(error), step \(step)")
        }
      }
    }
  }
}
