/// A hash of 128 bits with keys of its own in each process, for telling whether bytes are the same.
///
/// Blocks of a KiB are hashed by NH (UMAC, RFC 4418 section 5.2.2) with 64-bit words and two keys, and
/// the blocks' sums chained by multiply-and-fold, as wyhash does. NH makes two different blocks of one
/// length collide with a probability of 2^-64 for each key, whoever chose the blocks; the folding is
/// not proven but has no known weakness to somebody who sees neither keys nor hashes. So two given
/// inputs that differ have one hash with a probability of about 2^-120: among 10^12 pairs of items not
/// once in 10^24 comparisons.
struct ItemHash: Sendable {
  private static let blockBytes = 1024
  private static let blockWords = blockBytes / 8

  /// NH's key, the second one shifted by two words, and behind it the words for chaining and mixing.
  private let key: [UInt64]

  /// Draws the keys from the system's generator.
  init() {
    var random = SystemRandomNumberGenerator()
    key = (0..<ItemHash.blockWords + 10).map { _ in random.next() }
  }

  /// A hash of two hashes in their order, and of a small number.
  @inline(__always)
  func mix(_ one: UInt128, _ other: UInt128, _ kind: UInt64) -> UInt128 {
    let start = ItemHash.blockWords + 6
    let low = ItemHash.chain(
      ItemHash.chain(key[start] ^ kind, one, key[start &+ 1]), other, key[start &+ 1])
    let high = ItemHash.chain(
      ItemHash.chain(key[start &+ 2] ^ kind, one, key[start &+ 3]), other, key[start &+ 3])
    return UInt128(truncatingIfNeeded: high) << 64 | UInt128(truncatingIfNeeded: low)
  }

  /// The hash of some bytes.
  @inline(__always)
  func callAsFunction(_ bytes: UnsafeRawBufferPointer) -> UInt128 {
    key.withUnsafeBufferPointer { key in
      let last = ItemHash.blockWords + 2
      var low = key[last] ^ UInt64(truncatingIfNeeded: bytes.count)
      var high = key[last &+ 1] ^ UInt64(truncatingIfNeeded: bytes.count)
      var start = 0
      while start < bytes.count {
        let end = min(start &+ ItemHash.blockBytes, bytes.count)
        let sums = ItemHash.block(bytes, start, end, key)
        low = ItemHash.chain(low, sums.0, key[last &+ 2])
        high = ItemHash.chain(high, sums.1, key[last &+ 3])
        start = end
      }
      return UInt128(truncatingIfNeeded: high) << 64 | UInt128(truncatingIfNeeded: low)
    }
  }

  @inline(__always)
  private static func block(
    _ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int, _ key: UnsafeBufferPointer<UInt64>
  ) -> (UInt128, UInt128) {
    var one: UInt128 = 0
    var other: UInt128 = 0
    var i = start
    var word = 0
    func add(_ a: UInt64, _ b: UInt64) {
      one &+= product(a &+ key[word], b &+ key[word &+ 1])
      other &+= product(a &+ key[word &+ 2], b &+ key[word &+ 3])
    }
    while i &+ 16 <= end {
      add(
        bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self),
        bytes.loadUnaligned(fromByteOffset: i &+ 8, as: UInt64.self))
      i &+= 16
      word &+= 2
    }
    if i < end {
      // Filled up with zeros; the length, which the chaining begins with, tells them from real ones.
      var rest: UInt128 = 0
      withUnsafeMutableBytes(of: &rest) {
        $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[i..<end]))
      }
      add(UInt64(truncatingIfNeeded: rest), UInt64(truncatingIfNeeded: rest >> 64))
    }
    return (one, other)
  }

  @inline(__always)
  private static func product(_ a: UInt64, _ b: UInt64) -> UInt128 {
    UInt128(truncatingIfNeeded: a) &* UInt128(truncatingIfNeeded: b)
  }

  @inline(__always)
  private static func chain(_ state: UInt64, _ sum: UInt128, _ key: UInt64) -> UInt64 {
    let folded = product(
      state ^ UInt64(truncatingIfNeeded: sum), key ^ UInt64(truncatingIfNeeded: sum >> 64))
    return UInt64(truncatingIfNeeded: folded) ^ UInt64(truncatingIfNeeded: folded >> 64)
  }
}
