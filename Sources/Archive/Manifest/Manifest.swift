public import JSON

/// The program that wrote an archive.
public struct ArchiveTool: Sendable, Equatable {
  public var name: String
  public var version: String

  public init(name: String = "dynarc", version: String) {
    self.name = name
    self.version = version
  }
}

/// What the service said of a table, kept raw: fields that nobody knows yet survive.
public struct TableSettings: Sendable, Equatable {
  /// A setting that could not be read.
  public struct Unread: Sendable, Equatable {
    public var setting: String
    /// The service's error code.
    public var code: String

    public init(setting: String, code: String) {
      self.setting = setting
      self.code = code
    }
  }

  /// Answers by the operation's name in lower camel case: `describeTable`, `describeTimeToLive`.
  public var answers: JSONObject
  public var notRead: [Unread]

  public init(answers: JSONObject = JSONObject(), notRead: [Unread] = []) {
    self.answers = answers
    self.notRead = notRead
  }
}

/// `manifest.json`: what an archive is, where it came from, and a row for each chunk.
public struct Manifest: Sendable, Equatable {
  /// The value of `format`.
  public static let format = "dynarc-archive"
  /// The version of the format that is written, and the highest that is read.
  public static let version = 1
  /// The features of `requiredFeatures` that this version knows, both of kind `changes`.
  public static let knownFeatures = Set(OldImages.allCases.map(\.rawValue))
  /// The largest manifest that is read, in bytes.
  public static let sizeLimit = 256 << 20

  public var tool: ArchiveTool
  public var source: ArchiveSource
  /// What the lines lead from and to; nil for a snapshot.
  public var changes: ChangesDescription?
  /// Of a snapshot that was merged: ids by which the same items are known, too. Each is that of another
  /// snapshot of them, or of an archive of changes behind which there they are.
  public var sameItemsAs: [String] = []
  public var startTime: Timestamp
  public var endTime: Timestamp
  /// The table as the source had it; its name is `source.tableName`.
  public var table: TableSchema
  public var settings: TableSettings
  public var counts: Counts
  /// In the order of segments and numbers.
  public var chunks: [ChunkRow]
  /// Members that this version does not know, kept.
  public var unknown: JSONObject

  public init(
    tool: ArchiveTool, source: ArchiveSource, startTime: Timestamp, endTime: Timestamp,
    table: TableSchema, settings: TableSettings = TableSettings(), counts: Counts = Counts(),
    chunks: [ChunkRow] = [], changes: ChangesDescription? = nil,
    unknown: JSONObject = JSONObject()
  ) {
    self.tool = tool
    self.changes = changes
    self.source = source
    self.startTime = startTime
    self.endTime = endTime
    self.table = table
    self.settings = settings
    self.counts = counts
    self.chunks = chunks
    self.unknown = unknown
  }

  /// `snapshot` or `changes`.
  public var kind: String { changes == nil ? "snapshot" : "changes" }

  /// The key that lines must have: the table's, or none for an archive without keys.
  public var requiredKey: KeySchema { source.keyless ? KeySchema([]) : table.key }
}
