import Archive

/// Which way an archive of changes is applied.
public enum ChangesDirection: String, Sendable {
  /// From its old side to its new one.
  case forward
  /// Back again, by the old images.
  case backward
}

/// Makes operations of an archive's lines. A snapshot's lines are puts. A line of changes puts or
/// deletes; taken back, it puts what was there before, or deletes what was not.
struct LineOperations: Sendable {
  private let direction: ChangesDirection
  private var scanner: ItemScanner
  private var keyObject: [UInt8] = []

  init(_ direction: ChangesDirection, key: KeySchema) {
    self.direction = direction
    scanner = ItemScanner(key: key)
  }

  /// Adds what a line asks for where it fits; otherwise says no, and the batch must be taken first.
  mutating func add(
    _ index: Int, of block: LineBlock, to builder: inout BatchBuilder
  ) throws(ArchiveError) -> Bool {
    let line = block.lines[index]
    let object = block.bytes.span.extracting(line.item)
    let key = block.keyBytes.span.extracting(line.key)
    guard !block.changes.isEmpty else { return builder.add(.put, object, key: key) }
    let change = block.changes[index]
    guard direction == .backward else {
      return builder.add(change.isDelete ? .delete : .put, object, key: key)
    }
    if let old = change.old { return builder.add(.put, block.bytes.span.extracting(old), key: key) }
    try readKey(of: object)
    return builder.add(.delete, keyObject.span, key: key)
  }

  /// What a line of changes says was there before.
  func before(_ index: Int, of block: LineBlock) -> ItemState {
    let change = block.changes[index]
    guard direction == .forward else {
      return change.isDelete ? .absent : .image(Array(block.bytes[block.lines[index].item]))
    }
    if let old = change.old { return .image(Array(block.bytes[old])) }
    return change.oldSHA256.map { .digest(Array(block.bytes[$0])) } ?? .absent
  }

  /// Cuts the key object out of an item that was added.
  private mutating func readKey(of item: Span<UInt8>) throws(ArchiveError) {
    keyObject.removeAll(keepingCapacity: true)
    do throws(ItemFault) { _ = try scanner.scan(item, at: 0) } catch {
      throw ArchiveError(.damaged, "an item is not what it was when it was read: \(error)")
    }
    KeyObject.append(item, scanner, to: &keyObject)
  }
}
