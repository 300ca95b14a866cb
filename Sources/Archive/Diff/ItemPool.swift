/// Lines of both sides that have not met their like yet: the last few MB of them, first in, first out.
///
/// Two snapshots of one table tell its items in nearly the same order, so that an item that did not change
/// meets its like soon, and both are done with. What leaves the pool alone is a stray.
struct ItemPool {
  private struct Entry {
    var hash: UInt128 = 0
    /// In the endless numbering of the ring's bytes.
    var start = 0
    var count = 0
    /// Where in the line the item is.
    var item = 0..<0
    var contentOffset = 0
    var place: UInt32 = 0
    var index: UInt32 = 0
    var isWaiting = false

    var stray: Strays.Stray {
      Strays.Stray(
        hash: hash, place: place, index: index,
        line: Line(item: item, line: 0..<count, contentOffset: contentOffset, key: 0..<0))
    }
  }

  /// Bytes of lines that it holds.
  let capacity: Int
  /// Bytes of each side's lines that wait for their like.
  private(set) var waiting = [0, 0]

  private var ring: [UInt8]
  /// Where the next line goes, in the endless numbering.
  private var end = 0
  /// Entries in a ring, too, and the numbers of the first one and of the one behind the last.
  private var entries: [Entry]
  private var first = 0
  private var next = 0
  /// By hash, linear probing: 32 bits of the hash, and below them an entry's place in `entries` plus one;
  /// zero where there is none.
  private var slots: [UInt64]

  /// - Parameter memory: bytes for the lines; what tells of them takes a fifth of that on top.
  init(memory: Int) {
    capacity = memory
    ring = [UInt8](repeating: 0, count: memory)
    var count = 16
    while count < memory / 320 { count *= 2 }
    entries = [Entry](repeating: Entry(), count: count)
    slots = [UInt64](repeating: 0, count: count * 2)
  }

  /// Takes in the items of a block.
  ///
  /// - Parameters:
  ///   - hashes: of the items' bytes.
  ///   - place: of the block's part.
  ///   - index: of the block's first item in that part.
  ///   - strays: gets those that have to leave.
  /// - Returns: how many met their like.
  mutating func take(
    _ block: borrowing LineBlock, _ hashes: [UInt128], place: UInt32, index: Int,
    strays: inout Strays
  ) -> Int {
    var met = 0
    for number in block.lines.indices {
      if let other = find(hashes[number], notOn: place) {
        remove(other)
        met += 1
        continue
      }
      let line = block.lines[number]
      let entry = Entry(
        hash: hashes[number], count: line.line.count,
        item: line.item.lowerBound - line.line.lowerBound..<line.item.upperBound
          - line.line.lowerBound, contentOffset: line.contentOffset,
        place: place, index: UInt32(index + number), isWaiting: true)
      add(entry, block.bytes, line.line, &strays)
    }
    return met
  }

  /// Lets everything leave.
  mutating func drain(_ strays: inout Strays) {
    while first < next { removeFirst(&strays) }
  }

  private static func side(_ place: UInt32) -> Int {
    ItemRecord(hash: 0, keyHash: 0, place: place, index: 0).isNew ? 1 : 0
  }

  private mutating func add(
    _ new: Entry, _ bytes: [UInt8], _ line: Range<Int>, _ strays: inout Strays
  ) {
    guard line.count <= capacity / 4 else {
      return bytes.withUnsafeBytes {
        strays.add(new.stray, UnsafeRawBufferPointer(rebasing: $0[line]))
      }
    }
    var entry = new
    // A line does not go around the ring's end.
    let offset = end % capacity
    if offset + line.count > capacity { end += capacity - offset }
    while first < next,
      end + line.count - entries[first & (entries.count - 1)].start > capacity
        || next - first == entries.count
    {
      removeFirst(&strays)
    }
    entry.start = end
    ring.withUnsafeMutableBytes { ring in
      bytes.withUnsafeBytes {
        UnsafeMutableRawBufferPointer(rebasing: ring[(end % capacity)...]).copyMemory(
          from: UnsafeRawBufferPointer(rebasing: $0[line]))
      }
    }
    end += line.count
    waiting[ItemPool.side(entry.place)] += entry.count
    let place = next & (entries.count - 1)
    entries[place] = entry
    next += 1
    var slot = home(entry.hash)
    while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = ItemPool.slot(entry.hash, place)
  }

  private mutating func removeFirst(_ strays: inout Strays) {
    let place = first & (entries.count - 1)
    first += 1
    guard entries[place].isWaiting else { return }
    let entry = entries[place]
    ring.withUnsafeBytes {
      let start = entry.start % capacity
      strays.add(entry.stray, UnsafeRawBufferPointer(rebasing: $0[start..<start + entry.count]))
    }
    var slot = home(entry.hash)
    while slots[slot] != ItemPool.slot(entry.hash, place) { slot = (slot + 1) & (slots.count - 1) }
    remove(slot)
  }

  private static func slot(_ hash: UInt128, _ place: Int) -> UInt64 {
    UInt64(truncatingIfNeeded: hash >> 96) << 32 | UInt64(place + 1)
  }

  private func place(inSlot slot: Int) -> Int { Int(slots[slot] & 0xFFFF_FFFF) - 1 }

  private func home(_ hash: UInt128) -> Int {
    Int(truncatingIfNeeded: hash >> 32) & (slots.count - 1)
  }

  /// The slot of a waiting item of the other side that has a hash.
  private func find(_ hash: UInt128, notOn place: UInt32) -> Int? {
    var slot = home(hash)
    let tag = UInt64(truncatingIfNeeded: hash >> 96)
    while slots[slot] != 0 {
      if slots[slot] >> 32 == tag {
        let entry = entries[self.place(inSlot: slot)]
        if entry.hash == hash, ItemPool.side(entry.place) != ItemPool.side(place) { return slot }
      }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }

  /// Empties a slot, and moves those behind it that would not be found any more.
  private mutating func remove(_ slot: Int) {
    let entry = place(inSlot: slot)
    entries[entry].isWaiting = false
    waiting[ItemPool.side(entries[entry].place)] -= entries[entry].count
    let mask = slots.count - 1
    var hole = slot
    var probe = (slot + 1) & mask
    while slots[probe] != 0 {
      let wanted = home(entries[place(inSlot: probe)].hash)
      if (probe - wanted) & mask >= (probe - hole) & mask {
        slots[hole] = slots[probe]
        hole = probe
      }
      probe = (probe + 1) & mask
    }
    slots[hole] = 0
  }
}

/// Items that did not meet their like, with their lines.
struct Strays {
  struct Stray {
    var hash: UInt128
    var place: UInt32
    var index: UInt32
    /// In `bytes`.
    var line: Line
  }

  private(set) var bytes: [UInt8] = []
  private(set) var items: [Stray] = []

  /// Adds an item, whose ranges are those in its line.
  mutating func add(_ stray: Stray, _ line: UnsafeRawBufferPointer) {
    var stray = stray
    let start = bytes.count
    bytes.append(contentsOf: line)
    stray.line.line = start..<bytes.count
    stray.line.item = start + stray.line.item.lowerBound..<start + stray.line.item.upperBound
    items.append(stray)
  }

  mutating func clear() {
    bytes.removeAll(keepingCapacity: true)
    items.removeAll(keepingCapacity: true)
  }
}
