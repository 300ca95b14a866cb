public import Digest

/// One side of a comparison: an archive, a slice of one, or a table.
///
/// Its items come part by part; parts are read independently of each other, several at a time. A
/// source that is not `isRepeatable` is read once, and what comes is kept in a temporary file.
public protocol ItemSource: Sendable {
  /// What people call it, for messages: a path, a table's name.
  var name: String { get }
  /// The key by which items are compared. Every item has it.
  var key: KeySchema { get }
  /// What an archive that is made of it says of its origin. Asked when all has been read.
  var origin: ItemOrigin { get }
  /// Its parts, in the order in which they should be read. An item is in one of them.
  var parts: [ItemPart] { get }
  /// Whether a part may be read again, and then gives the same bytes.
  var isRepeatable: Bool { get }
  /// Parts to read at a time where reading is mostly waiting; nil where it keeps a processor busy.
  var readersWanted: Int? { get }
  /// Whether the service itself holds keys unique here, as a table does and an index does not.
  var hasUniqueKeys: Bool { get }

  /// Reads a part from its start to its end.
  ///
  /// - Parameters:
  ///   - part: an index into `parts`.
  ///   - detail: what has to be known of each item; more may be given.
  ///   - body: called for each run of items, on the caller's task, and says whether to go on. Its
  ///     argument must not be kept: the buffers are filled again.
  /// - Throws: `ArchiveError`, or what the source's own engine throws. What `body` was given counts
  ///   only when the whole part has been read without an error.
  func read(
    part: Int, _ detail: ItemDetail, _ body: (borrowing LineBlock) async throws -> Bool
  ) async throws
}

/// Where the items of a source come from.
public struct ItemOrigin: Sendable, Equatable {
  /// What a changes archive says of this side. A comparison knows better how many items there are.
  public var side: ChangesSide
  public var source: ArchiveSource
  public var table: TableSchema
  public var settings: TableSettings

  public init(
    side: ChangesSide, source: ArchiveSource, table: TableSchema, settings: TableSettings
  ) {
    self.side = side
    self.source = source
    self.table = table
    self.settings = settings
  }
}

/// What a reader of items wants to know of them.
public enum ItemDetail: Sendable {
  /// Where each one starts and ends. The bytes are those that were stored, but no grammar was checked.
  case lines
  /// The same, again: the part has been read before, and its digests held.
  case linesAgain
  /// Validated in full, with its canonical key.
  case keys
}

/// A part of a source: a chunk of an archive, a segment of a table's scan.
public struct ItemPart: Sendable, Equatable {
  /// What it is called in messages: a chunk's file; nil where it is no file.
  public var file: String?
  /// The SHA-256 of all its lines, where that is known before they are read and the part is taken
  /// whole. Two parts with the same one hold the same items.
  public var contentSHA256: SHA256Digest?
  /// Items in it, where that is known; the service's word may be hours old.
  public var items: Int?
  /// Bytes of its lines, where that is known.
  public var contentBytes: Int?

  public init(
    file: String? = nil, contentSHA256: SHA256Digest? = nil, items: Int? = nil,
    contentBytes: Int? = nil
  ) {
    self.file = file
    self.contentSHA256 = contentSHA256
    self.items = items
    self.contentBytes = contentBytes
  }
}
