/// The hashes of one side, as far as it takes to say of another hash that it is none of them.
///
/// A blocked Bloom filter: a hash has one bit in each of the eight words of one block. With 32 bits for
/// each hash about one foreign hash in 50,000 is not told, with 16 one in 400.
struct HashFilter: Sendable {
  private static let blockWords = 8
  /// Below so many bits for each hash, too many are not told.
  private static let leastBits = 8
  private static let mostBits = 32

  private var words: [UInt64]
  private let blocks: UInt64

  /// Takes in all records of a store.
  ///
  /// - Parameter memory: bytes to take at most.
  /// - Returns: nil where the memory is too small to be of use.
  init?(_ store: RecordStore, memory: Int) throws(ArchiveError) {
    let count = (0..<RecordStore.partitions).reduce(0) { $0 + store.count($1) }
    let bits = min(
      count.multipliedReportingOverflow(by: HashFilter.mostBits).partialValue, memory * 8)
    guard count > 0, bits / count >= HashFilter.leastBits else { return nil }
    blocks = UInt64(max(1, bits / (HashFilter.blockWords * 64)))
    words = [UInt64](repeating: 0, count: Int(blocks) * HashFilter.blockWords)
    for partition in 0..<RecordStore.partitions {
      try store.read(partition) { records in
        for i in records.indices { insert(records[i].hash) }
      }
    }
  }

  /// Where the block of a hash begins.
  @inline(__always)
  private func start(_ hash: UInt128) -> Int {
    let low = UInt64(truncatingIfNeeded: hash)
    return Int(low.multipliedFullWidth(by: blocks).high) &* HashFilter.blockWords
  }

  /// The bit of a hash in one of the words.
  @inline(__always)
  private static func bit(_ hash: UInt128, _ word: Int) -> UInt64 {
    1 &<< (UInt64(truncatingIfNeeded: hash >> 64) &>> UInt64(6 &* word))
  }

  private mutating func insert(_ hash: UInt128) {
    let start = start(hash)
    for word in 0..<HashFilter.blockWords { words[start &+ word] |= HashFilter.bit(hash, word) }
  }

  /// Whether a hash is surely none of those taken in.
  @inline(__always)
  func lacks(_ hash: UInt128) -> Bool {
    let start = start(hash)
    for word in 0..<HashFilter.blockWords
    where words[start &+ word] & HashFilter.bit(hash, word) == 0 {
      return true
    }
    return false
  }
}
