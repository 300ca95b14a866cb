/// Takes items in the order of their keys, the old before the new, and makes changes of them.
struct ImagePairs {
  /// Bytes of changes at which they are given out.
  private static let batchBytes = 1 << 20

  /// The changes so far.
  private(set) var batch = ChangeBatch()

  private let sides: [any ItemSource]
  private let filter: AttributeFilter
  private var scanner: ItemScanner
  private var canonical = CanonicalItem()
  private var attributes = AttributeDiff()
  /// The ordered key that is being collected, and its images; empty where there is none.
  private var key: [UInt8] = []
  private var old: [UInt8] = []
  private var new: [UInt8] = []
  private var oldForm: [UInt8] = []
  private var newForm: [UInt8] = []

  init(sides: [any ItemSource], filter: AttributeFilter) {
    self.sides = sides
    self.filter = filter
    scanner = ItemScanner(key: sides[0].key)
  }

  var isFull: Bool { batch.bytes.count >= ImagePairs.batchBytes }

  /// Forgets the changes that were given out.
  mutating func clear() { batch.clear() }

  /// Takes the next item.
  ///
  /// - Throws: `ArchiveError` of code `duplicateKey`.
  mutating func add(_ bytes: Span<UInt8>, _ item: SortedItem) throws(ArchiveError) {
    if !isSame(bytes.extracting(item.key)) {
      try end()
      bytes.extracting(item.key).withUnsafeBufferPointer { key.append(contentsOf: $0) }
    }
    let image = bytes.extracting(item.item)
    guard item.isNew ? new.isEmpty : old.isEmpty else { throw try duplicate(image, item.isNew) }
    image.withUnsafeBufferPointer {
      if item.isNew { new.append(contentsOf: $0) } else { old.append(contentsOf: $0) }
    }
  }

  private func isSame(_ other: Span<UInt8>) -> Bool {
    guard other.count == key.count else { return false }
    for i in other.indices where other[i] != key[i] { return false }
    return true
  }

  /// Makes a change of what has been collected, if it is one.
  mutating func end() throws(ArchiveError) {
    defer {
      key.removeAll(keepingCapacity: true)
      old.removeAll(keepingCapacity: true)
      new.removeAll(keepingCapacity: true)
    }
    guard !key.isEmpty, try isChange() else { return }
    let start = batch.bytes.count
    try appendKey(new.isEmpty ? old : new)
    let oldStart = batch.bytes.count
    batch.bytes += old
    let newStart = batch.bytes.count
    batch.bytes += new
    batch.changes.append(
      Change(
        key: start..<oldStart, old: old.isEmpty ? nil : oldStart..<newStart,
        new: new.isEmpty ? nil : newStart..<batch.bytes.count))
  }

  private mutating func isChange() throws(ArchiveError) -> Bool {
    if old.isEmpty || new.isEmpty { return true }
    if old == new { return false }
    // References, not copies: reading members may not overlap with writing others.
    let (old, new) = (old, new)
    guard filter.isEmpty else {
      return try !attributes.changes(old: old.span, new: new.span, filter).isEmpty
    }
    oldForm.removeAll(keepingCapacity: true)
    newForm.removeAll(keepingCapacity: true)
    try canonical.append(old.span, 0..<old.count, to: &oldForm)
    try canonical.append(new.span, 0..<new.count, to: &newForm)
    return oldForm != newForm
  }

  private mutating func appendKey(_ item: [UInt8]) throws(ArchiveError) {
    do throws(ItemFault) { _ = try scanner.scan(item.span, at: 0) } catch {
      throw ArchiveError(.damaged, "an item is not what it was when it was read: \(error)")
    }
    KeyObject.append(item.span, scanner, to: &batch.bytes)
  }

  private mutating func duplicate(
    _ item: Span<UInt8>, _ isNew: Bool
  ) throws(ArchiveError) -> ArchiveError {
    batch.clear()
    var copy: [UInt8] = []
    item.withUnsafeBufferPointer { copy.append(contentsOf: $0) }
    try appendKey(copy)
    return ArchiveError(
      .duplicateKey,
      "\(sides[isNew ? 1 : 0].name) has two items with the key "
        + String(decoding: batch.bytes, as: UTF8.self),
      hint: "an archive of an index that changed while it was read can; dump the table instead")
  }
}
