internal import Synchronization

/// What the comparison keeps of an item until both sides have been read: 32 bytes.
struct ItemRecord: BitwiseCopyable, Sendable {
  /// Of the item's bytes.
  var hash: UInt128
  /// Of the item's key; items of one key have the same, and it hardly ever happens to others.
  var keyHash: UInt64
  /// The part, in the highest bit the side, and in the one below whether it has been gathered already.
  var place: UInt32
  /// The number of the item in its part.
  var index: UInt32

  private static let newSide: UInt32 = 1 << 31
  private static let gathered: UInt32 = 1 << 30

  /// - Parameter side: 0 for the old one, 1 for the new one.
  static func place(_ side: Int, _ part: Int) -> UInt32 {
    UInt32(part) | (side == 1 ? newSide : 0)
  }

  var isNew: Bool { place & ItemRecord.newSide != 0 }
  var part: Int { Int(place & ~(ItemRecord.newSide | ItemRecord.gathered)) }
  /// Whether the item itself is kept already, so that it must not be read again.
  var isGathered: Bool {
    get { place & ItemRecord.gathered != 0 }
    set { place = newValue ? place | ItemRecord.gathered : place & ~ItemRecord.gathered }
  }
}

/// Records, partitioned by the hash of their keys, in bounded memory: what is more goes to a temporary
/// file.
final class RecordStore: Sendable {
  static let partitions = 256
  private static let shift = 56

  private struct Partition {
    /// The block that is being filled.
    var open: [ItemRecord] = []
    var full: [[ItemRecord]] = []
    var spilled: [Range<Int>] = []
    var count = 0
  }

  private struct State {
    var partitions = [Partition](repeating: Partition(), count: RecordStore.partitions)
    /// Full blocks in memory, of all partitions.
    var blocks = 0
    var file: TemporaryFile?
  }

  private let scratch: ScratchSpace
  private let blockRecords: Int
  private let blockLimit: Int
  private let state = Mutex(State())

  /// - Parameter memory: bytes that the records may take.
  init(memory: Int, scratch: ScratchSpace) {
    self.scratch = scratch
    let size = MemoryLayout<ItemRecord>.stride
    // Every partition has a block that is partly filled; together they take an eighth of the memory.
    blockRecords = min(max(memory / 8 / RecordStore.partitions / size, 16), 2048)
    blockLimit = max(memory / (blockRecords * size) - RecordStore.partitions, 0)
  }

  /// Collects the records of one reader, so that the lock is taken once for many of them.
  struct Lane {
    private static let batch = 64
    private let store: RecordStore
    private var pending: [[ItemRecord]]

    init(_ store: RecordStore) {
      self.store = store
      pending = Array(repeating: [], count: RecordStore.partitions)
      for index in pending.indices { pending[index].reserveCapacity(Lane.batch) }
    }

    mutating func add(_ record: ItemRecord) throws(ArchiveError) {
      let partition = Int(truncatingIfNeeded: record.keyHash >> RecordStore.shift)
      pending[partition].append(record)
      if pending[partition].count == Lane.batch { try flush(partition) }
    }

    mutating func finish() throws(ArchiveError) {
      for partition in pending.indices { try flush(partition) }
    }

    private mutating func flush(_ partition: Int) throws(ArchiveError) {
      try store.append(pending[partition], to: partition)
      pending[partition].removeAll(keepingCapacity: true)
    }
  }

  private func append(_ records: [ItemRecord], to index: Int) throws(ArchiveError) {
    try state.withLock { (state) throws(ArchiveError) in
      state.partitions[index].count += records.count
      for record in records {
        state.partitions[index].open.append(record)
        guard state.partitions[index].open.count == blockRecords else { continue }
        var block: [ItemRecord] = []
        block.reserveCapacity(blockRecords)
        swap(&block, &state.partitions[index].open)
        if state.blocks < blockLimit {
          state.blocks += 1
          state.partitions[index].full.append(block)
        } else {
          try spill(block, of: index, &state)
        }
      }
    }
  }

  private func spill(
    _ block: [ItemRecord], of index: Int, _ state: inout State
  ) throws(ArchiveError) {
    if state.file == nil { state.file = try TemporaryFile(in: scratch) }
    guard let file = state.file else { return }
    let place = try file.append(block.span.bytes)
    state.partitions[index].spilled.append(place)
  }

  /// Records in a partition.
  func count(_ partition: Int) -> Int { state.withLock { $0.partitions[partition].count } }

  /// Gives every record of a partition, block by block, in no order.
  func read(_ index: Int, _ body: (borrowing Span<ItemRecord>) -> Void) throws(ArchiveError) {
    let (partition, file) = state.withLock { ($0.partitions[index], $0.file) }
    body(partition.open.span)
    for block in partition.full { body(block.span) }
    guard let file else { return }
    var block = [ItemRecord](
      repeating: ItemRecord(hash: 0, keyHash: 0, place: 0, index: 0), count: blockRecords)
    for place in partition.spilled {
      var span = block.mutableSpan
      try span.withUnsafeMutableBytes { (buffer) throws(ArchiveError) in
        try file.read(at: place.lowerBound, into: buffer)
      }
      body(block.span)
    }
  }

  /// Forgets a partition that has been joined.
  func drop(_ index: Int) {
    state.withLock { state in
      state.blocks -= state.partitions[index].full.count
      state.partitions[index] = Partition()
    }
  }
}
