/// Writes sorted items one behind the other into a temporary file: the lengths of key and item in four
/// bytes each, the highest bit of the second telling the new side, then the two.
struct RunWriter: ~Copyable {
  private static let bufferBytes = 256 << 10

  private let file: TemporaryFile
  private var buffer: [UInt8] = []
  private var pieces: [Range<Int>] = []

  init(_ file: TemporaryFile) {
    self.file = file
    buffer.reserveCapacity(RunWriter.bufferBytes)
  }

  mutating func add(_ bytes: Span<UInt8>, _ item: SortedItem) throws(ArchiveError) {
    if !buffer.isEmpty, buffer.count + item.key.count + item.item.count > RunWriter.bufferBytes {
      try flush()
    }
    append(UInt32(item.key.count))
    append(UInt32(item.item.count) | (item.isNew ? 1 << 31 : 0))
    bytes.extracting(item.key).withUnsafeBufferPointer { buffer.append(contentsOf: $0) }
    bytes.extracting(item.item).withUnsafeBufferPointer { buffer.append(contentsOf: $0) }
  }

  private mutating func append(_ length: UInt32) {
    withUnsafeBytes(of: length.littleEndian) { buffer.append(contentsOf: $0) }
  }

  private mutating func flush() throws(ArchiveError) {
    pieces.append(try file.append(buffer.span.bytes))
    buffer.removeAll(keepingCapacity: true)
  }

  /// Ends the run.
  consuming func finish() throws(ArchiveError) -> ItemRun {
    if !buffer.isEmpty { try flush() }
    return ItemRun(file: file, pieces: pieces)
  }
}

/// A sorted run in a temporary file, in pieces that each hold whole items: several writers share a file.
struct ItemRun: Sendable {
  let file: TemporaryFile
  let pieces: [Range<Int>]
}

/// Steps through a sorted run, in memory or in a file.
final class ItemCursor {
  /// What the current item is taken from.
  private(set) var bytes: [UInt8]
  /// The current item; nil behind the last one.
  private(set) var current: SortedItem?

  private var items: ArraySlice<SortedItem>
  private let run: ItemRun?
  private var nextPiece = 0

  init(_ buffer: consuming ItemSorter.Buffer) {
    bytes = buffer.bytes
    items = buffer.items[...]
    run = nil
    current = items.popFirst()
  }

  init(_ run: ItemRun) throws(ArchiveError) {
    bytes = []
    items = []
    self.run = run
    try advance()
  }

  func advance() throws(ArchiveError) {
    if items.isEmpty, let run, nextPiece < run.pieces.count {
      let piece = run.pieces[nextPiece]
      nextPiece += 1
      try load(piece, of: run.file)
    }
    current = items.popFirst()
  }

  private func load(_ piece: Range<Int>, of file: TemporaryFile) throws(ArchiveError) {
    var loaded = [UInt8](repeating: 0, count: piece.count)
    var span = loaded.mutableSpan
    try span.withUnsafeMutableBytes { (buffer) throws(ArchiveError) in
      try file.read(at: piece.lowerBound, into: buffer)
    }
    bytes = loaded
    var found: [SortedItem] = []
    var i = 0
    while i < loaded.count {
      let key = i + 8..<i + 8 + Int(ItemCursor.length(loaded, at: i))
      let second = ItemCursor.length(loaded, at: i + 4)
      let item = key.upperBound..<key.upperBound + Int(second & ~(1 << 31))
      found.append(SortedItem(key: key, item: item, isNew: second >> 31 == 1))
      i = item.upperBound
    }
    items = found[...]
  }

  private static func length(_ bytes: [UInt8], at offset: Int) -> UInt32 {
    bytes.withUnsafeBytes {
      UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
  }

  /// Whether this one's item comes first. Both have one.
  func precedes(_ other: ItemCursor) -> Bool {
    guard let mine = current, let its = other.current else { return current != nil }
    return bytes.withUnsafeBytes { left in
      other.bytes.withUnsafeBytes { ItemSorter.precedes(left, mine, $0, its) }
    }
  }
}

/// Merges sorted runs into one order.
struct ItemMerge {
  /// A heap: no cursor comes before the one at half its place.
  private var heap: [ItemCursor] = []

  init(_ cursors: [ItemCursor]) {
    for cursor in cursors where cursor.current != nil {
      heap.append(cursor)
      var place = heap.count - 1
      while place > 0, heap[place].precedes(heap[(place - 1) / 2]) {
        heap.swapAt(place, (place - 1) / 2)
        place = (place - 1) / 2
      }
    }
  }

  /// The next item, in the bytes of its cursor; nil behind the last one. `step` goes on.
  var next: ItemCursor? { heap.first }

  mutating func step() throws(ArchiveError) {
    guard let first = heap.first else { return }
    try first.advance()
    if first.current == nil {
      heap[0] = heap[heap.count - 1]
      heap.removeLast()
    }
    var place = 0
    while true {
      var child = 2 * place + 1
      guard child < heap.count else { return }
      if child + 1 < heap.count, heap[child + 1].precedes(heap[child]) { child += 1 }
      guard heap[child].precedes(heap[place]) else { return }
      heap.swapAt(place, child)
      place = child
    }
  }

  /// Merges runs until there are so few that all can be read at a time.
  static func reduce(
    _ runs: [ItemRun], to limit: Int, scratch: ScratchSpace
  ) throws(ArchiveError) -> [ItemRun] {
    var runs = runs
    while runs.count > limit {
      let target = try TemporaryFile(in: scratch)
      var merged: [ItemRun] = []
      for start in stride(from: 0, to: runs.count, by: limit) {
        var cursors: [ItemCursor] = []
        for run in runs[start..<min(start + limit, runs.count)] {
          cursors.append(try ItemCursor(run))
        }
        var merge = ItemMerge(cursors)
        var writer = RunWriter(target)
        while let cursor = merge.next, let item = cursor.current {
          try writer.add(cursor.bytes.span, item)
          try merge.step()
        }
        merged.append(try writer.finish())
      }
      runs = merged
    }
    return runs
  }
}
