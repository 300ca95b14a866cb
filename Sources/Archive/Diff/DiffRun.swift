internal import Synchronization

/// One comparison on its way.
final class DiffRun: Sendable {
  let sides: [any ItemSource]
  let options: DiffOptions
  let counter: DiffCounter
  let scratch: ScratchSpace
  let sorters: SorterPool
  let hash = ItemHash()
  /// Whether records are told apart by their keys: where a side may have two items of one key. Where
  /// none can, an item's bytes stand for its key, and need not be looked into.
  let usesKeys: Bool
  /// Whether both sides are read at the same time. What comes from elsewhere has a pace of its own.
  let readsTogether: Bool
  /// Items that were gathered in the first reading.
  let early = Atomic(0)
  /// For each side, the parts that are read.
  let partsToRead: [[Int]]

  init(
    sides: [any ItemSource], options: DiffOptions,
    progress: @escaping @Sendable (DiffProgress) -> Void
  ) {
    let scratch = ScratchSpace(directory: options.temporaryDirectory)
    let isRepeatable = sides.allSatisfy(\.isRepeatable)
    let sides = sides.map { side -> any ItemSource in
      side.isRepeatable ? side : SpooledItems(side, scratch: scratch)
    }
    self.scratch = scratch
    self.sides = sides
    self.options = options
    counter = DiffCounter(sides, report: progress)
    sorters = SorterPool(
      limit: options.memory / 2 / sides.reduce(1) { max($0, $1.readers(options)) },
      scratch: scratch)
    usesKeys = sides.contains { !$0.hasUniqueKeys }
    // A content that a side has twice holds keys twice, which only records tell.
    readsTogether = isRepeatable && !usesKeys && !sides.contains(where: DiffRun.repeatsContent)
    partsToRead = DiffRun.differingParts(sides, keysMayRepeat: usesKeys)
    for (side, source) in sides.enumerated() {
      let skipped = Set(source.parts.indices).subtracting(partsToRead[side])
      for part in skipped { counter.skip(side, source.parts[part]) }
    }
  }

  private static func repeatsContent(_ source: any ItemSource) -> Bool {
    let digests = source.parts.compactMap(\.contentSHA256)
    return Set(digests).count < digests.count
  }

  /// The parts of each side that the other has not.
  ///
  /// A content that one side has twice is read all the same: its keys stand there twice.
  ///
  /// - Parameter keysMayRepeat: a key of a part that both have may stand in another part, too; then only
  ///   sides that have all parts in common need no reading.
  private static func differingParts(
    _ sides: [any ItemSource], keysMayRepeat: Bool
  ) -> [[Int]] {
    let counts = sides.map { source in
      source.parts.reduce(into: [:]) { $0[$1.contentSHA256, default: 0] += 1 }
    }
    let differing = sides.map { source in
      source.parts.indices.filter { part in
        let digest = source.parts[part].contentSHA256
        return digest == nil || counts.contains { $0[digest] != 1 }
      }
    }
    let isAllShared = differing.allSatisfy(\.isEmpty)
    return keysMayRepeat && !isAllShared ? sides.map { Array($0.parts.indices) } : differing
  }

  /// Runs a job for each part, so many at a time.
  func forEach(
    _ parts: [(side: Int, part: Int)], atATime limit: Int,
    _ body: @escaping @Sendable (_ side: Int, _ part: Int) async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      var next = parts.makeIterator()
      for _ in 0..<limit {
        if let (side, part) = next.next() { group.addTask { try await body(side, part) } }
      }
      while try await group.next() != nil {
        if let (side, part) = next.next() { group.addTask { try await body(side, part) } }
      }
    }
  }

  /// A store for the records of a reading. What is left of the half that it takes serves the pool or the
  /// filter, and the join behind it.
  func newStore() -> RecordStore {
    RecordStore(memory: options.memory / 8 * 3, scratch: scratch)
  }

  /// Something to gather items with; its sorter goes back to the pool.
  func gatherer() -> ItemGatherer { ItemGatherer(sorters.take(), key: sides[0].key) }

  /// Finds the items that are not the same.
  func join(_ store: RecordStore) throws -> WantedItems {
    let wanted = WantedItems(parts: sides.map(\.parts.count))
    var join = PartitionJoin()
    // A record, its slots and its partner take some 50 bytes.
    let limit = max(options.memory / 8 / 64, 1024)
    for partition in 0..<RecordStore.partitions {
      try Task.checkCancellation()
      try join.join(partition, of: store, limit: limit)
      wanted.add(join.wanted)
      store.drop(partition)
    }
    return wanted
  }

  /// Where so much differs that it is probably in spelling, such as the order of attributes, reads what
  /// differs once more and leaves out what means the same. Anything else would be sorted as a whole.
  func withoutRespelled(_ wanted: WantedItems) async throws -> WantedItems {
    let count = min(wanted.count(0), wanted.count(1))
    guard !usesKeys, count > 20_000 + counter.newItems / 16 else { return wanted }
    let store = newStore()
    try await forEach(partsWith(wanted), atATime: max(1, options.concurrency)) {
      [self] side, part in
      let items = wanted.items(side, part)
      var lane = RecordStore.Lane(store)
      var meaning = CanonicalHash(hash)
      var (index, left) = (0, items.count)
      try await sides[side].read(part: part, .linesAgain) { block in
        for line in block.lines {
          defer { index += 1 }
          guard items.contains(index) else { continue }
          left -= 1
          let bytes = block.bytes.span.extracting(line.item)
          // What is no item is like no other, and will be told when it is gathered.
          let found = meaning(bytes) ?? UInt128.random(in: 0...UInt128.max)
          try lane.add(
            ItemRecord(
              hash: found, keyHash: UInt64(truncatingIfNeeded: found),
              place: ItemRecord.place(side, part), index: UInt32(index)))
        }
        counter.readAgain(block)
        return left > 0
      }
      try lane.finish()
    }
    return try join(store)
  }

  /// The parts that hold any of the items wanted.
  func partsWith(_ wanted: WantedItems) -> [(side: Int, part: Int)] {
    partsToRead.enumerated().flatMap { side, parts in
      parts.filter { wanted.items(side, $0).count > 0 }.map { (side, $0) }
    }
  }
}

extension ItemSource {
  /// Parts to read at a time.
  func readers(_ options: DiffOptions) -> Int {
    max(1, readersWanted ?? options.concurrency)
  }
}
