/// What became of one item between the two sides.
public struct Change: Sendable, Equatable {
  /// The kind of change.
  public enum Kind: String, Sendable, CaseIterable {
    /// Only the new side has the item.
    case added
    /// Only the old side has it.
    case removed
    /// Both have it, and it differs in more than order and spelling.
    case changed
  }

  /// The item's key attributes as a typed JSON object, `{"customer":{"S":"a"},"number":{"N":"1"}}`, in
  /// the order of the key schema and spelled as in the new item, or in the old one where there is no
  /// new. A range of the batch's bytes, as are the others.
  public var key: Range<Int>
  /// The item's object on the old side; nil for one that was added.
  public var old: Range<Int>?
  /// The item's object on the new side; nil for one that was removed.
  public var new: Range<Int>?

  public init(key: Range<Int>, old: Range<Int>?, new: Range<Int>?) {
    self.key = key
    self.old = old
    self.new = new
  }

  /// What kind of change it is.
  public var kind: Kind { old == nil ? .added : new == nil ? .removed : .changed }
}

/// A run of changes in the order of their keys: partition attributes first, strings and binaries by
/// their bytes, numbers by their value.
public struct ChangeBatch: Sendable {
  /// What the ranges of `changes` are taken from.
  public var bytes: [UInt8] = []
  public var changes: [Change] = []

  public init() {}

  /// Forgets the changes, and keeps the memory.
  mutating func clear() {
    bytes.removeAll(keepingCapacity: true)
    changes.removeAll(keepingCapacity: true)
  }
}
