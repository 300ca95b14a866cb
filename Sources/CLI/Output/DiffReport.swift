import Archive

/// Writes changes one by one: a listing for people, or JSON lines.
struct DiffReport {
  enum Style { case none, listing, json }

  /// Changes beyond the limit.
  private(set) var notShown = 0

  private let style: Style
  private let keysOnly: Bool
  private var left: Int
  private let filter: AttributeFilter
  private var finder = AttributeDiff()
  private let listing: DiffListing
  private var output: [UInt8] = []

  init(style: Style, keysOnly: Bool, limit: Int?, filter: AttributeFilter) {
    self.style = style
    self.keysOnly = keysOnly
    left = limit ?? Int.max
    self.filter = filter
    listing = DiffListing(colour: Terminal.standardOutputHasColour)
  }

  /// Writes a batch.
  mutating func show(
    _ batch: borrowing ChangeBatch, _ write: ([UInt8]) throws -> Void
  ) throws {
    guard style != .none else { return }
    output.removeAll(keepingCapacity: true)
    for change in batch.changes.prefix(left) {
      var attributes: [AttributeChange] = []
      if !keysOnly, let old = change.old, let new = change.new {
        let bytes = batch.bytes.span
        attributes = try finder.changes(
          old: bytes.extracting(old), new: bytes.extracting(new), filter)
      }
      switch style {
      case .listing:
        try listing.append(change, of: batch.bytes, attributes, keysOnly: keysOnly, to: &output)
      case .json:
        DiffJSON.append(change, of: batch.bytes, attributes, keysOnly: keysOnly, to: &output)
      case .none: break
      }
    }
    notShown += max(0, batch.changes.count - left)
    left -= min(left, batch.changes.count)
    if !output.isEmpty { try write(output) }
  }
}
