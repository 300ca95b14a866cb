@testable import Archive
import Glibc
import Testing

/// Random chains of three to five states against a reference that knows the states as values.
@Suite struct ChainBruteForceTests {
  /// DYNARC_PAIRS says how many chains; each one of `groups` takes its share.
  private static let chains = getenv("DYNARC_PAIRS").flatMap { Int(String(cString: $0)) } ?? 100
  private static let groups = 20

  @Test(arguments: 0..<groups) func chainsAgreeWithTheReference(group: Int) async throws {
    for seed in stride(
      from: group, to: ChainBruteForceTests.chains, by: ChainBruteForceTests.groups)
    {
      var chain = try RandomChain(seed)
      try await chain.check()
    }
  }
}

/// A table on several days.
private struct RandomChain {
  typealias State = [ModelItem.Key: ModelItem]

  private let seed: Int
  private var maker: ModelMaker
  private let states: [State]
  /// A snapshot of each state.
  private let snapshots: [Archive]

  init(_ seed: Int) throws {
    self.seed = seed
    var maker = ModelMaker(seed)
    let keys = (0..<25).map { _ in maker.key() }
    var states: [State] = [[:]]
    for key in keys where maker.chance(60) { states[0][key] = maker.item(key) }
    for _ in 0..<2 + maker.below(3) {
      var next = states[states.count - 1]
      // A day on which nothing happens is a day, too.
      let rate = maker.pick([0, 10, 30, 100])
      for key in Set(keys).sorted() where maker.chance(rate) {
        if let item = next[key] {
          next[key] = maker.chance(40) ? nil : maker.changed(item)
        } else {
          // Some of the keys were there before: with the same item, or with another.
          let earlier = states.compactMap { $0[key] }
          next[key] = maker.chance(50) ? earlier.first ?? maker.item(key) : maker.item(key)
        }
      }
      states.append(next)
    }
    self.states = states
    var snapshots: [Archive] = []
    for state in states {
      let disk = SimulatedDisk()
      let items = state.sorted { $0.key < $1.key }.shuffled(using: &maker.random)
      try writeArchive(disk, maker.layout(items.map { maker.spell($0.value) }), level: 1)
      snapshots.append(try Archive.open(disk))
    }
    self.snapshots = snapshots
    self.maker = maker
  }

  mutating func check() async throws {
    var chain = try ArchiveChain(snapshots[0])
    // Whatever holds the state before can be what the next changes start from.
    var merged = snapshots[0]
    for day in 1..<states.count {
      let old: any ItemSource =
        switch maker.below(3) {
        case 0: try ArchiveItems(snapshots[day - 1])
        case 1: try ArchiveItems(merged)
        default: try ChainItems(chain)
        }
      let new = try ArchiveItems(snapshots[day])
      let changes = try await changes(old, new)
      let before = merged
      chain = try ArchiveChain(chain.base, chain.changes + [changes])
      #expect(chain.items == states[day].count, "seed \(seed)")
      try await check(ChainItems(chain), states[day])
      // The whole chain onto the first snapshot, or one day onto what was merged the day before.
      merged = try await merge(
        maker.chance(50) ? chain : try ArchiveChain(before, [changes]), states[day])
      let same = try await differences(ArchiveItems(merged), new)
      #expect(same.isEmpty, "seed \(seed)")
      #expect(merged.manifest.sameItemsAs.contains(snapshots[day].id), "seed \(seed)")
    }
  }

  private mutating func changes(
    _ old: any ItemSource, _ new: any ItemSource
  ) async throws -> Archive {
    let disk = SimulatedDisk()
    let writer = try ChangesWriter(
      storage: disk, oldImages: maker.pick([.images, .digests, nil]),
      compression: Compression(level: 1),
      limits: ChunkLimits(contentBytes: 1000, storedBytes: 1 << 20))
    _ = try await diff(old, new).write(writer, tool: ArchiveTool(version: "0.0.1"))
    return try Archive.open(disk)
  }

  private func diff(_ old: any ItemSource, _ new: any ItemSource) throws -> Diff {
    try Diff(
      old: old, new: new,
      options: DiffOptions(temporaryDirectory: P_tmpdir, concurrency: 1 + seed % 3))
  }

  private func differences(
    _ old: any ItemSource, _ new: any ItemSource
  ) async throws -> DiffSummary { try await diff(old, new).run { _ in } }

  /// Whether a source gives the items of a state, each once.
  private func check(_ source: any ItemSource, _ state: State) async throws {
    var found: State = [:]
    for part in source.parts.indices {
      try await source.read(part: part, .keys) { block in
        for line in block.lines {
          let item = try meaning(Array(block.bytes[line.item]))
          let key = try #require(item.key)
          #expect(found.updateValue(item, forKey: key) == nil, "seed \(seed)")
        }
        return true
      }
    }
    #expect(found == state, "seed \(seed)")
  }

  private mutating func merge(_ chain: ArchiveChain, _ state: State) async throws -> Archive {
    let disk = SimulatedDisk()
    let merge = try ChainMerge(
      chain, to: disk, tool: ArchiveTool(version: "0.0.1"), level: 1,
      limits: ChunkLimits(contentBytes: 700, storedBytes: 1 << 20), concurrency: 1 + maker.below(3))
    let summary = try await merge.run()
    let report = await verify(disk, mode: .full)
    #expect(report.problems == [], "seed \(seed)")
    let archive = try Archive.open(disk)
    #expect(archive.manifest == summary.manifest && archive.id == summary.id, "seed \(seed)")
    try await check(ArchiveItems(archive), state)
    let manifest = archive.manifest
    #expect(manifest.source.tableID == chain.last.source.tableID)
    #expect(manifest.counts.items == state.count && manifest.counts.scannedItems == state.count)
    let largest = try readLines(archive).map(\.utf8.count).max() ?? 0
    #expect(manifest.counts.largestItemBytes == largest, "seed \(seed)")
    // A chunk that no change touches is the base's, to the byte.
    let stored = Set(chain.base.manifest.chunks.map(\.sha256))
    #expect(manifest.chunks.filter { stored.contains($0.sha256) }.count >= summary.chunksCopied)
    if chain.changes.allSatisfy({ $0.manifest.counts.items == 0 }) {
      #expect(summary.chunksCopied == chain.base.manifest.chunks.count, "seed \(seed)")
    }
    return archive
  }
}
