/// Counts what a comparison gives out: per kind, and per attribute of the changed items.
public struct DiffStatistics: Sendable {
  /// The most attributes that are told apart; names may be data.
  public static let attributeLimit = 10_000

  /// Items and bytes of one kind of change.
  public struct Tally: Sendable, Equatable {
    public var items = 0
    /// Bytes of the items' JSON before.
    public var oldBytes = 0
    /// Bytes of the items' JSON now.
    public var newBytes = 0

    public init() {}
  }

  /// In how many changed items an attribute of the top level was added, removed or changed.
  public struct AttributeTally: Sendable, Equatable {
    /// The path of one step.
    public var attribute: AttributePath
    public var added = 0
    public var removed = 0
    public var changed = 0

    /// In how many items it differs.
    public var items: Int { added + removed + changed }
  }

  public private(set) var added = Tally()
  public private(set) var removed = Tally()
  public private(set) var changed = Tally()
  /// Differences in attributes beyond `attributeLimit`.
  public private(set) var attributesNotListed = 0

  private var attributes: [AttributePath: AttributeTally] = [:]
  private var finder = AttributeDiff()
  private let filter: AttributeFilter

  /// - Parameter filter: the one of the comparison.
  public init(filter: AttributeFilter = AttributeFilter()) { self.filter = filter }

  /// The attributes, those that differ most often first.
  public var byAttribute: [AttributeTally] {
    attributes.values.sorted {
      ($1.items, $0.attribute.description) < ($0.items, $1.attribute.description)
    }
  }

  /// Counts a batch.
  ///
  /// - Throws: `ArchiveError` of code `badPage` where its bytes are no items.
  public mutating func add(_ batch: borrowing ChangeBatch) throws(ArchiveError) {
    for change in batch.changes {
      switch change.kind {
      case .added: added.add(change)
      case .removed: removed.add(change)
      case .changed: changed.add(change)
      }
      guard let old = change.old, let new = change.new else { continue }
      let bytes = batch.bytes.span
      add(try finder.changes(old: bytes.extracting(old), new: bytes.extracting(new), filter))
    }
  }

  private mutating func add(_ changes: [AttributeChange]) {
    // Several differences inside of an attribute are one of it.
    var last: AttributePath?
    for change in changes {
      let attribute = AttributePath(Array(change.path.steps.prefix(1)))
      if attribute == last { continue }
      last = attribute
      guard attributes[attribute] != nil || attributes.count < DiffStatistics.attributeLimit else {
        attributesNotListed += 1
        continue
      }
      let kind = change.path.steps.count == 1 ? change.kind : .changed
      var tally = attributes[attribute] ?? AttributeTally(attribute: attribute)
      switch kind {
      case .added: tally.added += 1
      case .removed: tally.removed += 1
      case .changed: tally.changed += 1
      }
      attributes[attribute] = tally
    }
  }
}

extension DiffStatistics.Tally {
  fileprivate mutating func add(_ change: Change) {
    items += 1
    oldBytes += change.old?.count ?? 0
    newBytes += change.new?.count ?? 0
  }
}
