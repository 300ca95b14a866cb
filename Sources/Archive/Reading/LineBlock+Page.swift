internal import JSON

extension LineBlock {
  /// Makes lines of a page's items, as they would stand in an archive.
  ///
  /// - Parameters:
  ///   - page: the answer that `items` were cut from.
  ///   - scanner: where given, validates each item and finds its canonical key.
  /// - Throws: `ArchiveError` of code `badPage`.
  public mutating func fill(
    _ page: Span<UInt8>, _ items: [PageCutter.Item], scanner: inout ItemScanner?
  ) throws(ArchiveError) {
    bytes.removeAll(keepingCapacity: true)
    lines.removeAll(keepingCapacity: true)
    keyBytes.removeAll(keepingCapacity: true)
    for item in items {
      let start = bytes.count
      bytes += "{\"Item\":".utf8
      let object = page.extracting(item.range)
      if item.hasLineBreak {
        JSONText.compact(object, into: &bytes)
      } else {
        object.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
      }
      let range = start + 8..<bytes.count
      bytes += "}\n".utf8
      let keyStart = keyBytes.count
      if scanner != nil { try appendKey(object, &scanner) }
      lines.append(
        Line(
          item: range, line: start..<bytes.count - 1, contentOffset: start,
          key: keyStart..<keyBytes.count))
    }
    content = 0..<bytes.count
  }

  private mutating func appendKey(
    _ object: Span<UInt8>, _ scanner: inout ItemScanner?
  ) throws(ArchiveError) {
    guard var found = scanner.take() else { return }
    defer { scanner = found }
    do throws(ItemFault) {
      _ = try found.scan(object, at: 0)
      try CanonicalKey.append(object, found, to: &keyBytes)
    } catch { throw ArchiveError(.badPage, "an item does not hold to the table: \(error)") }
  }
}
