/// One difference between the two images of a changed item.
public struct AttributeChange: Sendable, Equatable {
  /// Where it is.
  public var path: AttributePath
  /// The typed value `{"N":"1"}` in the old item's bytes; nil where there was none.
  public var old: Range<Int>?
  /// The typed value in the new item's bytes; nil where there is none.
  public var new: Range<Int>?
  /// Where both are sets of one type: the members, strings with their quotation marks, that only the
  /// old one has, ranges of the old item's bytes.
  public var removedMembers: [Range<Int>] = []
  /// The members that only the new one has, ranges of the new item's bytes.
  public var addedMembers: [Range<Int>] = []

  public init(path: AttributePath, old: Range<Int>?, new: Range<Int>?) {
    self.path = path
    self.old = old
    self.new = new
  }

  /// What kind of difference it is.
  public var kind: Change.Kind { old == nil ? .added : new == nil ? .removed : .changed }
  /// Whether it is told by the members of a set.
  public var isSet: Bool { !removedMembers.isEmpty || !addedMembers.isEmpty }
}
