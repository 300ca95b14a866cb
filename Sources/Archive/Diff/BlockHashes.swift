/// The hashes of a block's items. They are made in passes over the whole block, so that what the filter
/// fetches from memory for one item does not wait for the bytes of the next.
struct BlockHashes {
  private(set) var items: [UInt128] = []
  /// Of the items' keys; without them, a part of the items' own.
  private(set) var keys: [UInt64] = []
  /// Whether the other side surely lacks the item; known once it has been judged.
  private(set) var isForeign: [Bool] = []

  private let hash: ItemHash
  private let usesKeys: Bool

  init(_ hash: ItemHash, usesKeys: Bool) {
    self.hash = hash
    self.usesKeys = usesKeys
  }

  /// Hashes the items of a block.
  mutating func take(_ block: borrowing LineBlock) {
    items.removeAll(keepingCapacity: true)
    keys.removeAll(keepingCapacity: true)
    block.bytes.withUnsafeBytes { bytes in
      for line in block.lines {
        items.append(hash(UnsafeRawBufferPointer(rebasing: bytes[line.item])))
      }
    }
    if usesKeys {
      block.keyBytes.withUnsafeBytes { bytes in
        for line in block.lines {
          let hash = hash(UnsafeRawBufferPointer(rebasing: bytes[line.key]))
          keys.append(UInt64(truncatingIfNeeded: hash))
        }
      }
    } else {
      for hash in items { keys.append(UInt64(truncatingIfNeeded: hash)) }
    }
  }

  /// Finds those that the other side surely lacks.
  ///
  /// - Parameter filter: the hashes of the other side.
  mutating func judge(_ filter: HashFilter) {
    isForeign.removeAll(keepingCapacity: true)
    for hash in items { isForeign.append(filter.lacks(hash)) }
  }
}
