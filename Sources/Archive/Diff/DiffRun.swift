internal import Synchronization

/// One comparison on its way.
final class DiffRun: Sendable {
  let sides: [any ItemSource]
  let options: DiffOptions
  let counter: DiffCounter
  let scratch: ScratchSpace
  private let store: RecordStore
  let wanted: WantedItems
  private let hash = ItemHash()
  /// Whether records are told apart by their keys: where a side may have two items of one key. Where
  /// none can, an item's bytes stand for its key, and need not be looked into.
  private let usesKeys: Bool
  /// For each side, the parts that are read.
  let partsToRead: [[Int]]

  init(
    sides: [any ItemSource], options: DiffOptions,
    progress: @escaping @Sendable (DiffProgress) -> Void
  ) {
    self.sides = sides
    self.options = options
    counter = DiffCounter(sides, report: progress)
    scratch = ScratchSpace(directory: options.temporaryDirectory)
    // The records of the first reading and the tables of the join are gone, or nearly, when items are
    // sorted.
    store = RecordStore(memory: options.memory / 2, scratch: scratch)
    usesKeys = sides.contains { !$0.hasUniqueKeys }
    wanted = WantedItems(parts: sides.map(\.parts.count))
    partsToRead = DiffRun.differingParts(sides)
    for (side, source) in sides.enumerated() {
      let skipped = Set(source.parts.indices).subtracting(partsToRead[side])
      for part in skipped { counter.skip(side, source.parts[part]) }
    }
  }

  /// The parts of each side of which the other has none left with the same content.
  private static func differingParts(_ sides: [any ItemSource]) -> [[Int]] {
    let counts = sides.map { source in
      source.parts.reduce(into: [:]) { $0[$1.contentSHA256, default: 0] += 1 }
    }
    return sides.enumerated().map { side, source in
      var shared = counts[side].map { digest, count in
        (digest, digest == nil ? 0 : min(count, counts[1 - side][digest] ?? 0))
      }.reduce(into: [:]) { $0[$1.0] = $1.1 }
      return source.parts.indices.filter { part in
        let digest = source.parts[part].contentSHA256
        guard let left = shared[digest], left > 0 else { return true }
        shared[digest] = left - 1
        return false
      }
    }
  }

  /// Takes parts of both sides in turn, so that two sources work at a time.
  static func interleaved(_ parts: [[Int]]) -> [(side: Int, part: Int)] {
    let steps = parts.enumerated().flatMap { side, parts in
      parts.enumerated().map { position, part in
        (Double(position) / Double(parts.count), side, part)
      }
    }
    return steps.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map { ($0.1, $0.2) }
  }

  /// Runs a job for each part, as many at a time as may be.
  func forEach<Result: Sendable>(
    _ parts: [(side: Int, part: Int)],
    _ body: @escaping @Sendable (_ side: Int, _ part: Int) async throws -> Result
  ) async throws -> [Result] {
    try await withThrowingTaskGroup(of: Result.self) { group in
      var results: [Result] = []
      var next = parts.makeIterator()
      for _ in 0..<max(1, options.concurrency) {
        if let (side, part) = next.next() { group.addTask { try await body(side, part) } }
      }
      while let result = try await group.next() {
        results.append(result)
        if let (side, part) = next.next() { group.addTask { try await body(side, part) } }
      }
      return results
    }
  }

  /// The first reading: a record of each item.
  func read() async throws {
    _ = try await forEach(DiffRun.interleaved(partsToRead)) { [self] side, part in
      try await read(side, part)
    }
  }

  private func read(_ side: Int, _ part: Int) async throws {
    let source = sides[side]
    var lane = RecordStore.Lane(store)
    var index = 0
    let place = UInt32(part) | (side == 1 ? ItemRecord.newSide : 0)
    try await source.read(part: part, usesKeys ? .keys : .lines) { block in
      guard index + block.lines.count <= Int(UInt32.max) else {
        throw ArchiveError(.unsupported, "\(source.name) has a part of more than 2^32 items")
      }
      try block.bytes.withUnsafeBytes { bytes in
        for line in block.lines {
          let hash = hash(UnsafeRawBufferPointer(rebasing: bytes[line.item]))
          let keyHash =
            usesKeys
            ? block.keyBytes.withUnsafeBytes {
              self.hash(UnsafeRawBufferPointer(rebasing: $0[line.key]))
            } : hash
          try lane.add(
            ItemRecord(
              hash: hash, keyHash: UInt64(truncatingIfNeeded: keyHash), place: place,
              index: UInt32(index)))
          index += 1
        }
      }
      counter.read(side, block)
      return true
    }
    try lane.finish()
  }

  /// Finds the items that are not the same.
  func join() throws {
    var join = PartitionJoin()
    // A record, its slots and its partner take some 50 bytes.
    let limit = max(options.memory / 4 / 64, 1024)
    for partition in 0..<RecordStore.partitions {
      try Task.checkCancellation()
      try join.join(partition, of: store, limit: limit)
      wanted.add(join.wanted)
      store.drop(partition)
    }
  }
}
