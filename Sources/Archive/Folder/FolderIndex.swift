internal import Digest
public import JSON

/// `index.json` of a folder of archives: which tables it is of, and how far each is (format-spec.md,
/// section 11).
public struct FolderIndex: Sendable, Equatable {
  /// The file's name in the folder.
  public static let fileName = "index.json"
  /// The directory in the folder that holds a directory for each table, of the table's name.
  public static let archives = "archives"
  /// The value of `format`.
  public static let format = "dynarc-folder"
  /// The version that is written, and the highest that is read.
  public static let version = 1
  /// The largest index that is read, in bytes.
  public static let sizeLimit = 16 << 20
  /// The most tables that one has.
  public static let tableLimit = 100_000

  /// A table and what has become of it.
  public struct Table: Sendable, Equatable {
    public var name: String
    public var state: TableState
    /// Members that this version does not know, kept.
    public var unknown = JSONObject()

    public init(_ name: String, _ state: TableState = .pending) {
      self.name = name
      self.state = state
    }
  }

  /// The program that began the folder.
  public var tool: ArchiveTool
  /// When the dump began.
  public var startTime: Timestamp
  /// When the index was last written.
  public var updateTime: Timestamp
  /// Where the tables are, as the service told it.
  public var accountID: String?
  public var region: String?
  /// How the tables were chosen.
  public var selection: TableSelection
  /// How the items of all tables were changed on their way; empty where they were not.
  public var transforms: [ItemTransforms.Rule]
  /// Tells one hash key from another (`ItemTransforms.hashKeyCheck`).
  public var hashKeyCheck: String?
  /// In the order of their names; each name once.
  public var tables: [Table]
  /// Members that this version does not know, kept.
  public var unknown = JSONObject()

  public init(
    tool: ArchiveTool, startTime: Timestamp, accountID: String? = nil, region: String? = nil,
    selection: TableSelection, transforms: ItemTransforms = .none, tables: [String]
  ) {
    self.tool = tool
    self.startTime = startTime
    updateTime = startTime
    self.accountID = accountID
    self.region = region
    self.selection = selection
    self.transforms = transforms.rules
    hashKeyCheck = transforms.hashKeyCheck
    self.tables = tables.sorted().map { Table($0) }
  }
}

/// How far a table of a folder is.
public enum TableState: Sendable, Equatable {
  /// Not done: not begun, or its archive is unfinished.
  case pending
  /// Its archive is complete.
  case complete(FolderArchive)
  /// The last try ended with an error.
  case failed(FolderFailure)

  /// `pending`, `complete` or `failed`.
  public var word: String {
    switch self {
    case .pending: "pending"
    case .complete: "complete"
    case .failed: "failed"
    }
  }

  /// The archive; nil where it is not complete.
  public var archive: FolderArchive? {
    if case .complete(let archive) = self { archive } else { nil }
  }
}

/// What the index tells of an archive; the archive's own manifest is what counts.
public struct FolderArchive: Sendable, Equatable {
  /// The archive's id, which names its content.
  public var id: String
  public var items: Int
  /// Bytes of its lines.
  public var contentBytes: Int
  /// Bytes of its chunks' files.
  public var storedBytes: Int

  public init(_ archive: Archive) {
    let counts = archive.manifest.counts
    self.init(
      id: archive.id, items: counts.items, contentBytes: counts.contentBytes,
      storedBytes: counts.storedBytes)
  }

  public init(id: String, items: Int, contentBytes: Int, storedBytes: Int) {
    self.id = id
    self.items = items
    self.contentBytes = contentBytes
    self.storedBytes = storedBytes
  }
}

/// Why a table's archive is not complete. Neither path nor host stands in it.
public struct FolderFailure: Sendable, Equatable {
  /// Characters of a message at most; what is longer is cut.
  public static let messageLimit = 500

  /// A stable word: the service's name for the error, or dynarc's.
  public var code: String
  public var message: String

  public init(code: String, message: String) {
    self.code = code
    self.message = String(message.prefix(FolderFailure.messageLimit))
  }
}

extension FolderIndex {
  /// Parses the bytes of `index.json`, which may be anybody's.
  ///
  /// - Throws: `ArchiveError`: `notAnArchive` for another document, `unsupported` for a newer version,
  ///   `damaged` for anything malformed.
  public init(parsing bytes: Span<UInt8>) throws(ArchiveError) {
    let json: JSONValue
    do throws(JSONError) { json = try JSONValue.parse(bytes) } catch {
      throw ArchiveError(
        .damaged, "the index is not valid JSON: \(error.code.rawValue)", file: FolderIndex.fileName,
        offset: error.offset)
    }
    let fields = try Fields(json, file: FolderIndex.fileName)
    // Asked first: what follows may have another meaning in another version.
    guard fields.object["format"] == .string(FolderIndex.format) else {
      throw ArchiveError(
        .notAnArchive, "\"format\" is not \"\(FolderIndex.format)\"", file: FolderIndex.fileName)
    }
    let version = try fields.int("version", atLeast: 1)
    guard version <= FolderIndex.version else {
      throw ArchiveError(
        .unsupported,
        "the folder has index version \(version), which this version of dynarc cannot read",
        file: FolderIndex.fileName, hint: "read it with a newer dynarc")
    }
    let tool = try fields.fields("tool")
    self.init(
      tool: ArchiveTool(name: try tool.string("name"), version: try tool.string("version")),
      startTime: try fields.time("startTime"), accountID: try fields.optionalString("accountId"),
      region: try fields.optionalString("region"),
      selection: try TableSelection(try fields.fields("selection")), tables: [])
    (transforms, hashKeyCheck) = try fields.transforms()
    updateTime = try fields.time("updateTime")
    unknown = fields.object.removing([
      "format", "version", "tool", "startTime", "updateTime", "accountId", "region", "selection",
      "transforms", "hashKeyCheck", "tables",
    ])
    guard try fields.array("tables").count <= FolderIndex.tableLimit else {
      throw fields.fault("tables", "has more than \(FolderIndex.tableLimit) rows")
    }
    var names: Set<String> = []
    for row in try fields.each("tables") {
      let table = try Table(row)
      guard names.insert(table.name).inserted else {
        throw fields.fault("tables", "names \(table.name) twice")
      }
      tables.append(table)
    }
    tables.sort { $0.name < $1.name }
    guard totals != nil else { throw fields.fault("tables", "counts more than there can be") }
  }

  /// The sums of the complete tables; nil where they are no number, which no index that was read has.
  public var totals: (items: Int, contentBytes: Int, storedBytes: Int)? {
    var sums = [0, 0, 0]
    for archive in tables.compactMap(\.state.archive) {
      for (place, more) in [archive.items, archive.contentBytes, archive.storedBytes].enumerated() {
        let (sum, overflow) = sums[place].addingReportingOverflow(more)
        guard !overflow else { return nil }
        sums[place] = sum
      }
    }
    return (sums[0], sums[1], sums[2])
  }

  /// The document.
  public var json: JSONValue {
    var object: JSONObject = [
      "format": .string(FolderIndex.format), "version": JSONValue(FolderIndex.version),
      "tool": ["name": .string(tool.name), "version": .string(tool.version)],
      "startTime": .string(startTime.description), "updateTime": .string(updateTime.description),
    ]
    object.add("accountId", accountID.map(JSONValue.string))
    object.add("region", region.map(JSONValue.string))
    object["selection"] = .object(selection.json)
    object.add(transforms, hashKeyCheck: hashKeyCheck)
    object["tables"] = .array(tables.map { .object($0.json) })
    object.add(unknown)
    return .object(object)
  }

  /// The bytes of `index.json`.
  public var serialized: [UInt8] { json.serialized(pretty: true) + [0x0A] }
}

extension FolderIndex.Table {
  fileprivate init(_ fields: Fields) throws(ArchiveError) {
    name = try fields.string("tableName")
    // A directory is made of it.
    guard TableName.isValid(name) else { throw fields.fault("tableName", "is no table's name") }
    var known: Set<String> = ["tableName", "state"]
    switch try fields.string("state") {
    case "pending": state = .pending
    case "complete":
      known.formUnion(["archiveId", "items", "contentBytes", "storedBytes"])
      state = .complete(
        FolderArchive(
          id: try fields.digest("archiveId").description, items: try fields.int("items"),
          contentBytes: try fields.int("contentBytes"), storedBytes: try fields.int("storedBytes")))
    case "failed":
      known.formUnion(["code", "message"])
      state = .failed(
        FolderFailure(code: try fields.name("code"), message: try fields.string("message")))
    case let word: throw fields.fault("state", "is \"\(word)\", which this version does not know")
    }
    unknown = fields.object.removing(known)
  }

  /// The row.
  public var json: JSONObject {
    var object: JSONObject = ["tableName": .string(name), "state": .string(state.word)]
    switch state {
    case .pending: break
    case .complete(let archive):
      object["archiveId"] = .string(archive.id)
      object["items"] = JSONValue(archive.items)
      object["contentBytes"] = JSONValue(archive.contentBytes)
      object["storedBytes"] = JSONValue(archive.storedBytes)
    case .failed(let failure):
      object["code"] = .string(failure.code)
      object["message"] = .string(failure.message)
    }
    object.add(unknown)
    return object
  }
}
