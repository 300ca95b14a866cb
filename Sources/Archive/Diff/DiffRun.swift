internal import Synchronization

/// One comparison on its way.
final class DiffRun: Sendable {
  let sides: [any ItemSource]
  let options: DiffOptions
  let counter: DiffCounter
  let scratch: ScratchSpace
  private let store: RecordStore
  let wanted: WantedItems
  let sorters: SorterPool
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
    let scratch = ScratchSpace(directory: options.temporaryDirectory)
    let sides = sides.map { side -> any ItemSource in
      side.isRepeatable ? side : SpooledItems(side, scratch: scratch)
    }
    self.scratch = scratch
    self.sides = sides
    self.options = options
    counter = DiffCounter(sides, report: progress)
    // What is left of each half serves the filter while items are read, and the join behind it.
    store = RecordStore(memory: options.memory / 8 * 3, scratch: scratch)
    sorters = SorterPool(
      limit: options.memory / 2 / sides.reduce(1) { max($0, $1.readers(options)) },
      scratch: scratch)
    usesKeys = sides.contains { !$0.hasUniqueKeys }
    wanted = WantedItems(parts: sides.map(\.parts.count))
    partsToRead = DiffRun.differingParts(sides, keysMayRepeat: usesKeys)
    for (side, source) in sides.enumerated() {
      let skipped = Set(source.parts.indices).subtracting(partsToRead[side])
      for part in skipped { counter.skip(side, source.parts[part]) }
    }
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

  /// The first reading: a record of each item, but of those on the new side that the old one surely
  /// lacks: they are gathered at once, so that most parts of the new side need no second reading.
  func read() async throws {
    try await forEach(partsToRead[0].map { (0, $0) }, atATime: sides[0].readers(options)) {
      [self] side, part in
      try await read(side, part, nil)
    }
    let filter = usesKeys ? nil : try HashFilter(store, memory: options.memory / 8)
    try await forEach(partsToRead[1].map { (1, $0) }, atATime: sides[1].readers(options)) {
      [self] side, part in
      try await read(side, part, filter)
    }
  }

  private func read(_ side: Int, _ part: Int, _ filter: HashFilter?) async throws {
    let source = sides[side]
    var gatherer = ItemGatherer(
      sorters.take(), key: source.key, isNew: side == 1, file: source.parts[part].file)
    var gathered = 0
    var lane = RecordStore.Lane(store)
    var hashes = BlockHashes(hash, usesKeys: usesKeys)
    var index = 0
    let place = UInt32(part) | (side == 1 ? ItemRecord.newSide : 0)
    try await source.read(part: part, usesKeys ? .keys : .lines) { block in
      guard index + block.lines.count <= Int(UInt32.max) else {
        throw ArchiveError(.unsupported, "\(source.name) has a part of more than 2^32 items")
      }
      hashes.take(block, filter)
      for number in block.lines.indices {
        defer { index += 1 }
        // Where much differs it may be in spelling only; then it is better seen in the second reading.
        if hashes.isForeign[number], gathered <= 1024 + index / 16 {
          try gatherer.add(block.bytes.span, block.lines[number], index: index)
          gathered += 1
          continue
        }
        try lane.add(
          ItemRecord(
            hash: hashes.items[number], keyHash: hashes.keys[number], place: place,
            index: UInt32(index)))
      }
      counter.read(side, block)
      return true
    }
    try lane.finish()
    sorters.put(gatherer.sorter)
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

extension ItemSource {
  /// Parts to read at a time.
  fileprivate func readers(_ options: DiffOptions) -> Int {
    max(1, readersWanted ?? options.concurrency)
  }
}
