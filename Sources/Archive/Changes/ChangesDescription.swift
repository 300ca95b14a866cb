public import JSON

/// What a changes archive says of one of the two sides that it leads between.
public struct ChangesSide: Sendable, Equatable {
  /// The id of the archive that was compared; nil for a live table.
  public var archiveID: String?
  /// Ids by which the same items are known, too: see `Manifest.sameItemsAs`.
  public var sameItemsAs: [String]
  public var tableName: String
  /// As the service told them; a live table has them.
  public var tableARN: String?
  public var tableID: String?
  /// Items of the side, those that are the same on both included.
  public var items: Int
  /// When it was read.
  public var startTime: Timestamp
  public var endTime: Timestamp
  /// Which part was compared, in words; nil for the whole side.
  public var slice: String?
  /// Members that this version does not know, kept.
  public var unknown = JSONObject()

  public init(
    archiveID: String?, sameItemsAs: [String] = [], tableName: String, tableARN: String? = nil,
    tableID: String? = nil, items: Int, startTime: Timestamp, endTime: Timestamp,
    slice: String? = nil
  ) {
    self.archiveID = archiveID
    self.sameItemsAs = sameItemsAs
    self.tableName = tableName
    self.tableARN = tableARN
    self.tableID = tableID
    self.items = items
    self.startTime = startTime
    self.endTime = endTime
    self.slice = slice
  }

  /// Every id by which the side is known; none for a live table.
  public var names: [String] { [archiveID].compactMap(\.self) + sameItemsAs }
}

/// What lines of a changes archive carry of the items that they change.
public enum OldImages: String, Sendable, CaseIterable {
  /// The SHA-256 of the canonical form (`CanonicalItem`): enough to see whether an item is still the
  /// same.
  case digests = "old-digests"
  /// The item itself, so that the changes can be taken back.
  case images = "old-images"
}

/// What the manifest of an archive of kind `changes` has beside a snapshot's members.
public struct ChangesDescription: Sendable, Equatable {
  /// The side to which the changes are applied.
  public var from: ChangesSide
  /// The side that comes of it.
  public var to: ChangesSide
  /// What lines tell of the items before; nil for nothing. A required feature of the archive.
  public var oldImages: OldImages?
  /// Items that only `to` has, items that only `from` has, items that differ.
  public var added: Int
  public var removed: Int
  public var changed: Int
  /// Members that this version does not know, kept.
  public var unknown = JSONObject()

  public init(
    from: ChangesSide, to: ChangesSide, oldImages: OldImages?, added: Int = 0, removed: Int = 0,
    changed: Int = 0
  ) {
    self.from = from
    self.to = to
    self.oldImages = oldImages
    self.added = added
    self.removed = removed
    self.changed = changed
  }
}

/// What a line of a changes archive asks for, beside its `Line`. In `LineBlock.changes` there is one
/// for each line; `Line.item` is the item to put, or the key object of the item to delete.
public struct LineChange: Sendable, Equatable {
  /// Whether the item is deleted rather than put.
  public var isDelete: Bool
  /// The item before, in the block's `bytes`; nil where there was none or the archive has no images.
  public var old: Range<Int>?
  /// The 64 digits of its SHA-256, in the block's `bytes`; nil where there was no item or the archive
  /// has no digests.
  public var oldSHA256: Range<Int>?

  public init(isDelete: Bool, old: Range<Int>? = nil, oldSHA256: Range<Int>? = nil) {
    self.isDelete = isDelete
    self.old = old
    self.oldSHA256 = oldSHA256
  }
}
