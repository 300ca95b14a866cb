internal import Synchronization

/// The items that are not the same on both sides, a bit for each item that has been read.
final class WantedItems: Sendable {
  private struct State {
    /// For each part of the two sides, old first.
    var bits: [[[UInt64]]]
    var counts: [[Int]]
  }

  private let state: Mutex<State>

  /// - Parameter parts: of the old side and of the new one.
  init(parts: [Int]) {
    state = Mutex(
      State(
        bits: parts.map { Array(repeating: [], count: $0) },
        counts: parts.map { Array(repeating: 0, count: $0) }))
  }

  /// Notes items, but for those that have been gathered already.
  func add(_ records: [ItemRecord]) {
    state.withLock { state in
      for record in records where !record.isGathered {
        let (side, part, word) = (record.isNew ? 1 : 0, record.part, Int(record.index / 64))
        let missing = word + 1 - state.bits[side][part].count
        if missing > 0 {
          state.bits[side][part].append(contentsOf: repeatElement(0, count: missing))
        }
        let bit = UInt64(1) << UInt64(record.index % 64)
        if state.bits[side][part][word] & bit == 0 { state.counts[side][part] += 1 }
        state.bits[side][part][word] |= bit
      }
    }
  }

  /// How many items of a side are wanted.
  func count(_ side: Int) -> Int { state.withLock { $0.counts[side].reduce(0, +) } }

  /// The items of a part that are wanted.
  func items(_ side: Int, _ part: Int) -> Items {
    state.withLock { Items(bits: $0.bits[side][part], count: $0.counts[side][part]) }
  }

  /// The wanted items of one part.
  struct Items {
    fileprivate let bits: [UInt64]
    /// How many there are.
    let count: Int

    func contains(_ index: Int) -> Bool {
      index / 64 < bits.count && bits[index / 64] >> UInt64(index % 64) & 1 == 1
    }
  }
}

/// Finds in a partition of records the items that are not the same on both sides.
///
/// A key that stands once on each side with one hash of its item is the same. Everything else is wanted,
/// and looked at closely later: keys of one side only, items that differ, keys that stand there twice,
/// and keys that have one hash by chance. So only a collision of two items' hashes could hide a change;
/// see `ItemHash` for how likely that is.
struct PartitionJoin {
  private var records: [ItemRecord] = []
  /// Records by the hash of their keys, linear probing: an index into `records` and what is known of it.
  private var slots: [UInt32] = []
  private var partners: [UInt32] = []
  private(set) var wanted: [ItemRecord] = []

  private static let empty = UInt32.max
  /// In `partners`: nobody has met the record yet; the whole group is wanted already.
  private static let alone = UInt32.max
  private static let noted = UInt32.max - 1

  /// Joins what a store holds in a partition.
  ///
  /// - Parameter limit: records to hold at a time; a larger partition is gone through in several passes.
  mutating func join(
    _ partition: Int, of store: RecordStore, limit: Int
  ) throws(ArchiveError) {
    var passes = 1
    while store.count(partition) / passes > limit, passes < 1 << 16 { passes *= 2 }
    wanted.removeAll(keepingCapacity: true)
    for pass in 0..<passes {
      records.removeAll(keepingCapacity: true)
      try store.read(partition) { block in
        for i in block.indices
        where passes == 1 || Int(block[i].keyHash >> 32) & (passes - 1) == pass {
          records.append(block[i])
        }
      }
      joinRecords()
    }
  }

  private mutating func joinRecords() {
    var size = 16
    while size < records.count * 2 { size *= 2 }
    slots.removeAll(keepingCapacity: true)
    slots.append(contentsOf: repeatElement(PartitionJoin.empty, count: size))
    partners.removeAll(keepingCapacity: true)
    partners.append(contentsOf: repeatElement(PartitionJoin.alone, count: records.count))
    for index in records.indices { place(UInt32(index), mask: size - 1) }
    for slot in slots where slot != PartitionJoin.empty {
      if partners[Int(slot)] == PartitionJoin.alone { wanted.append(records[Int(slot)]) }
    }
  }

  private mutating func place(_ index: UInt32, mask: Int) {
    let record = records[Int(index)]
    var slot = Int(truncatingIfNeeded: record.keyHash) & mask
    while slots[slot] != PartitionJoin.empty, records[Int(slots[slot])].keyHash != record.keyHash {
      slot = (slot + 1) & mask
    }
    guard slots[slot] != PartitionJoin.empty else {
      slots[slot] = index
      return
    }
    let first = Int(slots[slot])
    switch partners[first] {
    case PartitionJoin.alone:
      if records[first].isNew != record.isNew, records[first].hash == record.hash {
        partners[first] = index
        // Where one of the two has been gathered, the other one must be, or it would stand there alone.
        if records[first].isGathered != record.isGathered { wanted += [records[first], record] }
        return
      }
      wanted += [records[first], record]
    case PartitionJoin.noted: wanted.append(record)
    case let partner: wanted += [records[first], records[Int(partner)], record]
    }
    partners[first] = PartitionJoin.noted
  }
}
