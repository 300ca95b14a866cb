internal import JSON

/// Validates items that are not the same on both sides, and hands them to a sorter. A task has one.
struct ItemGatherer {
  private(set) var sorter: ItemSorter
  private var scanner: ItemScanner
  private var canonical: [UInt8] = []
  private var ordered: [UInt8] = []

  /// - Parameter sorter: one that nobody else uses.
  init(_ sorter: ItemSorter, key: KeySchema) {
    self.sorter = sorter
    scanner = ItemScanner(key: key)
  }

  /// Takes an item.
  ///
  /// - Parameters:
  ///   - index: its number in its part, for messages.
  ///   - isNew: the side.
  ///   - file: the part's, for messages.
  mutating func add(
    _ bytes: Span<UInt8>, _ line: Line, index: Int, isNew: Bool, file: String?
  ) throws(ArchiveError) {
    canonical.removeAll(keepingCapacity: true)
    ordered.removeAll(keepingCapacity: true)
    do throws(ItemFault) {
      let end = try scanner.scan(bytes, at: line.item.lowerBound)
      guard end == line.item.upperBound, !scanner.sawLineBreak else {
        throw .json(JSONError(.trailingBytes, at: end))
      }
      try CanonicalKey.append(bytes, scanner, to: &canonical)
    } catch {
      throw ArchiveError(
        .damaged, "item \(index + 1): \(ItemGatherer.describe(error, in: line))", file: file,
        offset: line.contentOffset)
    }
    // References, not copies: reading a member may not overlap with writing another.
    let found = canonical
    OrderedKey.append(found.span, to: &ordered)
    let key = ordered
    try sorter.add(key: key.span, item: bytes.extracting(line.item), isNew: isNew)
  }

  private static func describe(_ fault: ItemFault, in line: Line) -> String {
    guard case .json(let error) = fault else { return fault.description }
    return "\(error.code.rawValue) at byte \(error.offset - line.line.lowerBound) of the line"
  }
}
