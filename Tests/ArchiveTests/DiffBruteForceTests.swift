@testable import Archive
import Digest
import Glibc
import JSON
import Testing

/// Random pairs of small archives against a reference that never reads them: items are made up as
/// values, compared as values, and spelled at random into archives of random layouts.
@Suite struct DiffBruteForceTests {
  /// DYNARC_PAIRS says how many pairs; each one of `groups` takes its share.
  private static let pairs = getenv("DYNARC_PAIRS").flatMap { Int(String(cString: $0)) } ?? 400
  private static let groups = 20

  @Test(arguments: 0..<groups) func pairsAgreeWithTheReference(group: Int) async throws {
    for seed in stride(from: group, to: DiffBruteForceTests.pairs, by: DiffBruteForceTests.groups) {
      try await Pair(seed).check()
    }
  }
}

/// Two archives, and what they mean.
private struct Pair {
  private let seed: Int
  private let old: [ModelItem.Key: ModelItem]
  private let new: [ModelItem.Key: ModelItem]
  private let disks: [SimulatedDisk]

  init(_ seed: Int) throws {
    self.seed = seed
    var maker = ModelMaker(seed)
    var old: [ModelItem.Key: ModelItem] = [:]
    var new: [ModelItem.Key: ModelItem] = [:]
    // Spellings of items that are the same on both sides, in half of the cases.
    var spelled: [ModelItem.Key: String] = [:]
    for _ in 0..<maker.below(40) {
      let key = maker.key()
      let item = maker.item(key)
      // A key can be drawn again.
      spelled[key] = nil
      switch maker.below(10) {
      case 0: old[key] = item
      case 1: new[key] = item
      case 2, 3:
        old[key] = item
        new[key] = maker.changed(item)
      default:
        old[key] = item
        new[key] = item
        if maker.chance(50) { spelled[key] = maker.spell(item) }
      }
    }
    var layouts: [[[[String]]]] = [[], []]
    // A chunk that both have, of items that are the same.
    let keys = old.keys.filter { old[$0] == new[$0] }.sorted()
    let shared = keys.filter { _ in maker.chance(30) }
    let chunk = shared.map { maker.spell(old[$0] ?? ModelItem(attributes: [:])) }
    for (side, items) in [old, new].enumerated() {
      var texts: [String] = []
      for key in items.keys.sorted().shuffled(using: &maker.random)
      where !shared.contains(key) {
        texts.append(spelled[key] ?? maker.spell(items[key] ?? ModelItem(attributes: [:])))
      }
      layouts[side] = maker.layout(texts)
      if !chunk.isEmpty { layouts[side][maker.below(layouts[side].count)].append(chunk) }
    }
    (self.old, self.new) = (old, new)
    disks = [SimulatedDisk(), SimulatedDisk()]
    for (disk, layout) in zip(disks, layouts) { try writeArchive(disk, layout) }
  }

  func check() async throws {
    let sides = try disks.map { try ArchiveItems(try Archive.open($0)) }
    var options = DiffOptions(temporaryDirectory: P_tmpdir, concurrency: 1 + seed % 3)
    // A few hundred bytes make every buffer too small.
    options.memory = [400, 20_000, DiffOptions.standardMemory][seed % 3]
    let diff = try Diff(old: sides[0], new: sides[1], options: options)
    let images: OldImages? = [.images, .digests, nil][seed / 3 % 3]
    let output = SimulatedDisk()
    var writer = try ChangesWriter(
      storage: output, oldImages: images, compression: Compression(level: 1),
      limits: ChunkLimits(contentBytes: 2000, storedBytes: 1 << 20))

    var changes: [ModelItem.Key: Change.Kind] = [:]
    var keys: [[UInt8]] = []
    var finder = AttributeDiff()
    let summary = try await diff.run { batch in
      try writer.append(batch)
      for change in batch.changes {
        let bytes = batch.bytes.span
        let old = try change.old.map { try meaning(Array(batch.bytes[$0])) }
        let new = try change.new.map { try meaning(Array(batch.bytes[$0])) }
        let key = try #require((new ?? old)?.key, "seed \(seed)")
        #expect(changes.updateValue(change.kind, forKey: key) == nil, "seed \(seed)")
        #expect(old == (change.kind == .added ? nil : self.old[key]), "seed \(seed)")
        #expect(new == (change.kind == .removed ? nil : self.new[key]), "seed \(seed)")
        keys.append(try orderedKey(Array(batch.bytes[change.key])))
        guard let old, let new, let oldRange = change.old, let newRange = change.new else {
          continue
        }
        let found = try finder.changes(
          old: bytes.extracting(oldRange), new: bytes.extracting(newRange))
        let expected = ModelDiff.differences(old, new)
        #expect(found.count == expected.count, "seed \(seed)")
        for one in found {
          #expect(expected[one.path] == one.kind, "seed \(seed): \(one.path)")
          #expect(AttributePath(one.path.description) == one.path, "seed \(seed): \(one.path)")
        }
      }
    }
    let expected = expectedChanges
    for key in Set(expected.keys).union(changes.keys) where expected[key] != changes[key] {
      let found = changes[key]?.rawValue ?? "the same"
      Issue.record(
        "seed \(seed): \(found): from \(String(describing: old[key])) to \(String(describing: new[key]))"
      )
    }
    #expect(zip(keys, keys.dropFirst()).allSatisfy { $0.lexicographicallyPrecedes($1) })
    #expect(summary.added + summary.removed + summary.changed == expected.count, "seed \(seed)")
    #expect(summary.old.items == old.count && summary.new.items == new.count, "seed \(seed)")
    _ = try writer.finish(
      tool: ArchiveTool(version: "0.0.1"), from: sides[0].origin, to: sides[1].origin, summary)
    try await checkArchive(output, images)
    checkHashes()
  }

  /// Items that mean the same have one hash, and no others have.
  private func checkHashes() {
    var maker = ModelMaker(seed + 2)
    var meaning = CanonicalHash(ItemHash())
    var hashes: [UInt128: ModelItem] = [:]
    for item in Array(old.values) + new.values {
      for _ in 0..<2 {
        let found = meaning(Array(maker.spell(item).utf8).span)
        #expect(found != nil, "seed \(seed)")
        if let found, let other = hashes.updateValue(item, forKey: found) {
          #expect(other == item, "seed \(seed)")
        }
      }
    }
    #expect(hashes.count == Set(old.values).union(new.values).count, "seed \(seed)")
  }

  private var expectedChanges: [ModelItem.Key: Change.Kind] {
    var changes: [ModelItem.Key: Change.Kind] = [:]
    for key in Set(old.keys).union(new.keys) where old[key] != new[key] {
      changes[key] = old[key] == nil ? .added : new[key] == nil ? .removed : .changed
    }
    return changes
  }

  /// Whether the archive of the changes is sound, leads from the old to the new, and back.
  private func checkArchive(_ disk: SimulatedDisk, _ images: OldImages?) async throws {
    let report = await verify(disk, mode: .full)
    #expect(report.problems == [], "seed \(seed)")
    let archive = try Archive.open(disk)
    #expect(archive.manifest.changes?.oldImages == images)
    var (forward, back) = (old, new)
    for row in archive.manifest.chunks {
      var reader = try archive.chunk(row)
      while try reader.next() {
        for (line, change) in zip(reader.block.lines, reader.block.changes) {
          let bytes = reader.block.bytes
          let object = try meaning(Array(bytes[line.item]))
          let key = try #require(object.key)
          forward[key] = change.isDelete ? nil : object
          switch images {
          case .images:
            back[key] = try change.old.map { try meaning(Array(bytes[$0])) }
          case .digests:
            let digest = change.oldSHA256.map { String(decoding: bytes[$0], as: UTF8.self) }
            #expect(digest == (try old[key].map(self.digest)), "seed \(seed)")
          case nil: #expect(change.old == nil && change.oldSHA256 == nil)
          }
        }
      }
    }
    #expect(forward == new, "seed \(seed)")
    if images == .images { #expect(back == old, "seed \(seed)") }
  }

  /// The digest of an item in a spelling of its own.
  private func digest(_ item: ModelItem) throws -> String {
    var maker = ModelMaker(seed + 1)
    let bytes = Array(maker.spell(item).utf8)
    var canonical = CanonicalItem()
    var form: [UInt8] = []
    try canonical.append(bytes.span, 0..<bytes.count, to: &form)
    return SHA256.digest(of: form.span.bytes).description
  }

  private func orderedKey(_ object: [UInt8]) throws -> [UInt8] {
    var scanner = ItemScanner(key: ordersKey)
    _ = try scanner.scan(object.span, at: 0)
    var (canonical, ordered): ([UInt8], [UInt8]) = ([], [])
    try CanonicalKey.append(object.span, scanner, to: &canonical)
    OrderedKey.append(canonical.span, to: &ordered)
    return ordered
  }
}

/// What the bytes of an item mean, read by the slow parser.
func meaning(_ bytes: [UInt8]) throws -> ModelItem {
  let json = try #require(SlowJSON.parse(bytes))
  guard case .map(let attributes) = ModelValue(map: json) else {
    throw ArchiveError(.badPage, "no item")
  }
  return ModelItem(attributes: attributes)
}
