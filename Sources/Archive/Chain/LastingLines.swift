/// Which lines of a chain hold the items of its last state: of the archives of changes, the puts that no
/// later one takes back; of the snapshot, the items that none of them names.
///
/// It keeps a hash of 128 bits of each key that was changed, and the last archive that changed it: 24 to
/// 48 bytes a key, and half as much again for the moment in which it grows. A wrong answer needs two keys
/// with one hash, which is as likely as in a comparison (`ItemHash`).
public struct LastingLines: Sendable {
  private let hash = ItemHash()
  private var table = KeyTable()

  /// Reads all changes of a chain, with every check of their chunks.
  ///
  /// - Throws: `ArchiveError` of code `damaged`, or what the storage throws; `CancellationError`.
  public init(_ chain: ArchiveChain) throws {
    for part in chain.parts where part.place > 0 { try take(part) }
  }

  private mutating func take(_ part: ArchivePart) throws {
    let place = UInt16(part.place)
    var reader = try part.reader()
    while try part.next(&reader) {
      try Task.checkCancellation()
      for line in reader.block.lines {
        let before = table.set(hash(of: line, in: reader.block), to: place)
        guard before != place else {
          throw ArchiveError(
            .damaged, "a second line has the key of an earlier one", file: part.row.name,
            offset: line.contentOffset, hint: "make the changes anew"
          ).located(in: part.archive)
        }
      }
    }
  }

  @inline(__always)
  private func hash(of line: Line, in block: borrowing LineBlock) -> UInt128 {
    block.keyBytes.withUnsafeBytes { hash(UnsafeRawBufferPointer(rebasing: $0[line.key])) }
  }

  /// Whether a line holds an item of the last state.
  ///
  /// - Parameters:
  ///   - index: of the line in its block, which has canonical keys.
  ///   - place: of the archive in the chain.
  func keeps(_ index: Int, of block: borrowing LineBlock, place: Int) -> Bool {
    if place > 0, block.changes[index].isDelete { return false }
    return table.place(of: hash(of: block.lines[index], in: block)) == place
  }
}

/// The last place in a chain where each key was changed, by the keys' hashes. Open addressing, at most
/// three quarters full.
private struct KeyTable {
  /// The hashes, and where each was seen last; a place of 0 is free.
  private var hashes: [UInt128]
  private var places: [UInt16]
  private var count = 0

  init(capacity: Int = 1024) {
    hashes = [UInt128](repeating: 0, count: capacity)
    places = [UInt16](repeating: 0, count: capacity)
  }

  /// Where a hash stands, or the free slot where it would.
  @inline(__always)
  private func slot(of hash: UInt128) -> Int {
    let mask = places.count &- 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while places[slot] != 0, hashes[slot] != hash { slot = (slot &+ 1) & mask }
    return slot
  }

  /// The place of a key; 0 for one that was never changed.
  @inline(__always)
  func place(of hash: UInt128) -> Int { Int(places[slot(of: hash)]) }

  /// Notes where a key was changed.
  ///
  /// - Returns: where it was changed before; 0 for nowhere.
  mutating func set(_ hash: UInt128, to place: UInt16) -> UInt16 {
    let slot = slot(of: hash)
    let before = places[slot]
    (hashes[slot], places[slot]) = (hash, place)
    if before == 0 {
      count += 1
      if count > places.count / 4 * 3 { grow() }
    }
    return before
  }

  private mutating func grow() {
    var larger = KeyTable(capacity: 2 * places.count)
    for slot in places.indices where places[slot] != 0 {
      let target = larger.slot(of: hashes[slot])
      (larger.hashes[target], larger.places[target]) = (hashes[slot], places[slot])
    }
    larger.count = count
    self = larger
  }
}
