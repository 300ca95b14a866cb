internal import JSON

/// Changes items as `ItemTransformer` does and makes lines of what comes of them, with the keys that they
/// have then. One task's; its buffers are used again.
package struct LineTransformer: Sendable {
  /// The lines since `begin`. Those of an archive of changes have become plain puts.
  package private(set) var block = LineBlock()

  private var transformer: ItemTransformer
  private var scanner: ItemScanner

  /// - Parameter key: of the table, so that every item has it, before and after.
  package init(_ transforms: ItemTransforms, key: KeySchema) {
    transformer = ItemTransformer(transforms, key: key)
    scanner = ItemScanner(key: key)
  }

  /// Empties the block.
  package mutating func begin() {
    block.bytes.removeAll(keepingCapacity: true)
    block.lines.removeAll(keepingCapacity: true)
    block.keyBytes.removeAll(keepingCapacity: true)
    block.content = 0..<0
  }

  /// Adds an item as it is to be. It is validated once more, so that a fault in here reaches no table.
  ///
  /// - Throws: `TransformError` of code `mismatch`; `ArchiveError` of code `badPage` where what comes of
  ///   it does not hold to the table.
  package mutating func append(_ item: Span<UInt8>) throws {
    let start = block.bytes.count
    block.bytes += "{\"Item\":".utf8
    let itemStart = block.bytes.count
    try transformer.append(item, to: &block.bytes)
    let range = itemStart..<block.bytes.count
    block.bytes += "}\n".utf8
    let keyStart = block.keyBytes.count
    try appendKey(range)
    block.lines.append(
      Line(
        item: range, line: start..<block.bytes.count - 1, contentOffset: start,
        key: keyStart..<block.keyBytes.count))
    block.content = 0..<block.bytes.count
  }

  private mutating func appendKey(_ item: Range<Int>) throws(ArchiveError) {
    // A second reference, not a copy: reading the bytes may not overlap with writing other members.
    let bytes = block.bytes
    do throws(ItemFault) {
      let end = try scanner.scan(bytes.span, at: item.lowerBound)
      guard end == item.upperBound else { throw .json(.init(.trailingBytes, at: end)) }
      try CanonicalKey.append(bytes.span, scanner, to: &block.keyBytes)
    } catch {
      throw ArchiveError(
        .badPage, "an item does not hold to the table once it is changed: \(error)")
    }
  }

  /// Makes the block of all items of another one.
  ///
  /// - Throws: what `append` throws.
  package mutating func change(_ source: borrowing LineBlock) throws {
    begin()
    for line in source.lines { try append(source.bytes.span.extracting(line.item)) }
  }
}
