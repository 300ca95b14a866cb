internal import Synchronization

/// Collects the keys of items as hashes of 128 bits, from any task: 16 bytes a key, beside at most 4 MiB of
/// blocks that are not full yet.
package final class KeyHashCollector: Sendable {
  fileprivate static let partitionBits = 4
  /// Hashes in a block: 256 KiB, which are the system's again as soon as they are let go.
  private static let blockHashes = 16_384

  private struct Partition {
    /// The block that is being filled.
    var open: [UInt128] = []
    var full: [[UInt128]] = []
  }

  private let hash = ItemHash()
  private let state = Mutex([Partition](repeating: Partition(), count: 1 << partitionBits))

  package init() {}

  /// Takes in keys in their canonical form (`CanonicalKey`).
  ///
  /// - Parameters:
  ///   - keys: where each stands in `bytes`.
  package func add(_ keys: [Range<Int>], in bytes: [UInt8]) {
    // Hashed before the lock is taken, which many tasks share.
    let hashes = bytes.withUnsafeBytes { bytes in
      keys.map { hash(UnsafeRawBufferPointer(rebasing: bytes[$0])) }
    }
    state.withLock { partitions in
      for hash in hashes {
        let index = KeyHashSet.partition(of: hash)
        partitions[index].open.append(hash)
        guard partitions[index].open.count == KeyHashCollector.blockHashes else { continue }
        var block: [UInt128] = []
        block.reserveCapacity(KeyHashCollector.blockHashes)
        swap(&block, &partitions[index].open)
        partitions[index].full.append(block)
      }
    }
  }

  /// Sorts what was taken in, to be searched; the collector is empty afterwards.
  ///
  /// One partition after the other, so that what takes its memory twice for a moment is a sixteenth.
  package func sorted() -> KeyHashSet {
    var sorted: [[UInt128]] = []
    for index in 0..<1 << KeyHashCollector.partitionBits {
      var partition = Partition()
      state.withLock { partitions in swap(&partition, &partitions[index]) }
      var hashes: [UInt128] = []
      hashes.reserveCapacity(partition.open.count + partition.full.reduce(0) { $0 + $1.count })
      for block in partition.full { hashes += block }
      hashes += partition.open
      partition = Partition()
      hashes.sort()
      sorted.append(hashes)
    }
    return KeyHashSet(hash: hash, sorted: sorted)
  }
}

/// Keys by their hashes, to be searched from any task.
///
/// That a key is told as one of them which is not needs two keys with one hash, which is as likely as in a
/// comparison (`ItemHash`): some 2^-120 for each pair.
package struct KeyHashSet: Sendable {
  fileprivate let hash: ItemHash
  /// By partition, in rising order.
  fileprivate let sorted: [[UInt128]]

  /// Keys taken in; one that was taken in twice counts twice.
  package var count: Int { sorted.reduce(0) { $0 + $1.count } }

  /// Whether a key in its canonical form is one of those taken in.
  package func contains(_ key: Range<Int>, in bytes: [UInt8]) -> Bool {
    let wanted = bytes.withUnsafeBytes { hash(UnsafeRawBufferPointer(rebasing: $0[key])) }
    let hashes = sorted[KeyHashSet.partition(of: wanted)]
    var (low, high) = (0, hashes.count)
    while low < high {
      let middle = low + (high - low) / 2
      if hashes[middle] < wanted { low = middle + 1 } else { high = middle }
    }
    return low < hashes.count && hashes[low] == wanted
  }

  /// The keys that were taken in more than once, once for each further time.
  package var repeated: KeyHashSet {
    KeyHashSet(
      hash: hash,
      sorted: sorted.map { hashes in
        hashes.indices.dropFirst().filter { hashes[$0] == hashes[$0 - 1] }.map { hashes[$0] }
      })
  }

  fileprivate static func partition(of hash: UInt128) -> Int {
    Int(truncatingIfNeeded: hash >> (128 - KeyHashCollector.partitionBits))
  }
}
