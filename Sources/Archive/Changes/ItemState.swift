internal import Digest

/// What one side of a change says of the item of a key.
public enum ItemState: Sendable, Equatable {
  /// There is none.
  case absent
  /// The item's object.
  case image([UInt8])
  /// The SHA-256 of its canonical form, 64 lower-case hexadecimal digits.
  case digest([UInt8])
}

/// Tells whether an item that was read is the one that a change speaks of.
public struct ItemComparison: Sendable {
  private var canonical = CanonicalItem()
  private var forms: ([UInt8], [UInt8]) = ([], [])

  public init() {}

  /// Whether an item is in a state, order and spelling aside.
  ///
  /// - Parameter found: the item's object, validated; nil where there is none.
  /// - Throws: `ArchiveError` of code `badPage` where the bytes are no item.
  public mutating func isSame(
    _ found: [UInt8]?, _ state: ItemState
  ) throws(ArchiveError) -> Bool {
    guard let found else { return state == .absent }
    if case .absent = state { return false }
    if case .image(found) = state { return true }
    forms.0.removeAll(keepingCapacity: true)
    try canonical.append(found.span, 0..<found.count, to: &forms.0)
    switch state {
    case .absent: return false
    case .digest(let digits):
      return "\(SHA256.digest(of: forms.0.span.bytes))".utf8.elementsEqual(digits)
    case .image(let item):
      forms.1.removeAll(keepingCapacity: true)
      try canonical.append(item.span, 0..<item.count, to: &forms.1)
      return forms.0 == forms.1
    }
  }
}
