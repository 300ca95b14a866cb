internal import Glibc
internal import Synchronization

/// Where an item comes from, what its key is, and its bytes, as they are sorted.
struct SortedItem: Sendable {
  /// In the bytes that the item is given with.
  var key: Range<Int>
  var item: Range<Int>
  var isNew: Bool
}

/// Sorts items by their ordered keys, the old before the new of one key, in bounded memory: full buffers
/// are sorted and go to a temporary file as runs. One reader fills one sorter.
struct ItemSorter: Sendable {
  /// Items, sorted, in memory.
  struct Buffer: Sendable {
    var bytes: [UInt8] = []
    var items: [SortedItem] = []

    mutating func sort() {
      bytes.withUnsafeBytes { bytes in
        items.sort { ItemSorter.precedes(bytes, $0, bytes, $1) }
      }
    }
  }

  /// Sorted runs in a temporary file, and a buffer that was never full.
  struct Output: Sendable {
    var runs: [ItemRun] = []
    var rest = Buffer()
  }

  private let limit: Int
  private let scratch: ScratchSpace
  private var file: TemporaryFile?
  private var buffer = Buffer()
  private var runs: [ItemRun] = []

  /// - Parameter limit: bytes to hold in memory.
  init(limit: Int, scratch: ScratchSpace) {
    self.limit = limit
    self.scratch = scratch
  }

  /// Adds an item.
  mutating func add(
    key: Span<UInt8>, item: Span<UInt8>, isNew: Bool
  ) throws(ArchiveError) {
    let size = key.count + item.count + MemoryLayout<SortedItem>.stride
    // Twice the items' own size, since arrays grow by doubling.
    let used = buffer.bytes.count + buffer.items.count * MemoryLayout<SortedItem>.stride
    if !buffer.items.isEmpty, (used + size) * 2 > limit { try spill() }
    let start = buffer.bytes.count
    key.withUnsafeBufferPointer { buffer.bytes.append(contentsOf: $0) }
    let middle = buffer.bytes.count
    item.withUnsafeBufferPointer { buffer.bytes.append(contentsOf: $0) }
    buffer.items.append(
      SortedItem(key: start..<middle, item: middle..<buffer.bytes.count, isNew: isNew))
  }

  private mutating func spill() throws(ArchiveError) {
    buffer.sort()
    if file == nil { file = try TemporaryFile(in: scratch) }
    guard let file else { return }
    var writer = RunWriter(file)
    for item in buffer.items { try writer.add(buffer.bytes.span, item) }
    runs.append(try writer.finish())
    buffer.bytes.removeAll(keepingCapacity: true)
    buffer.items.removeAll(keepingCapacity: true)
  }

  /// Ends the adding.
  mutating func finish() -> Output {
    buffer.sort()
    return Output(runs: runs, rest: buffer)
  }

  /// The order: by key, then old before new.
  static func precedes(
    _ left: UnsafeRawBufferPointer, _ one: SortedItem, _ right: UnsafeRawBufferPointer,
    _ other: SortedItem
  ) -> Bool {
    let order = compare(left, one.key, right, other.key)
    return order < 0 || order == 0 && !one.isNew && other.isNew
  }

  static func compare(
    _ left: UnsafeRawBufferPointer, _ one: Range<Int>, _ right: UnsafeRawBufferPointer,
    _ other: Range<Int>
  ) -> Int {
    guard let left = left.baseAddress, let right = right.baseAddress else {
      return one.count - other.count
    }
    let order = memcmp(
      left + one.lowerBound, right + other.lowerBound, min(one.count, other.count))
    return order != 0 ? Int(order) : one.count - other.count
  }
}

/// Sorters for readers that come and go: as many as there are readers at a time.
final class SorterPool: Sendable {
  private let limit: Int
  private let scratch: ScratchSpace
  private let idle = Mutex<[ItemSorter]>([])

  /// - Parameter limit: bytes that each may hold in memory.
  init(limit: Int, scratch: ScratchSpace) {
    self.limit = limit
    self.scratch = scratch
  }

  func take() -> ItemSorter {
    idle.withLock { $0.popLast() } ?? ItemSorter(limit: limit, scratch: scratch)
  }

  func put(_ sorter: ItemSorter) { idle.withLock { $0.append(sorter) } }

  /// What all of them have sorted. None is in use any more.
  func outputs() -> [ItemSorter.Output] {
    var sorters = idle.withLock { idle in
      defer { idle = [] }
      return idle
    }
    return sorters.indices.map { sorters[$0].finish() }
  }
}
