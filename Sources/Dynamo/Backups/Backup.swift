public import Archive
public import JSON

/// An on-demand backup that AWS keeps, as ListBackups, CreateBackup or DescribeBackup tell it.
public struct Backup: Sendable, Equatable {
  /// Amazon resource name, which is unique; names are not.
  public var arn: String
  public var name: String
  /// `CREATING`, `AVAILABLE` or `DELETED`.
  public var status: String
  /// `USER`, `SYSTEM` or `AWS_BACKUP`.
  public var type: String
  /// When it was asked for.
  public var created: Timestamp?
  /// When it is removed by itself; only backups of type `SYSTEM` have this.
  public var expires: Timestamp?
  /// Bytes it takes, by the service's count.
  public var sizeBytes: Int?
  /// The table it is of, whether that still exists or not.
  public var tableName: String
  public var tableARN: String?
  /// The id that changes when a table is deleted and made anew.
  public var tableID: String?

  /// Whether a text is written as an ARN.
  public static func isARN(_ text: String) -> Bool { text.hasPrefix("arn:") }

  /// The table's name in the ARN of a backup
  /// (`arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/backup/ID`); nil where it is written otherwise.
  static func tableName(inARN arn: String) -> String? {
    let parts = arn.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0].hasSuffix(":table") && parts[2] == "backup"
      ? String(parts[1]) : nil
  }

  /// Reads a BackupSummary, which holds all in one object, or BackupDetails with the table's details
  /// beside it.
  init(_ details: JSONObject, table: JSONObject) throws(DynamoError) {
    guard let arn = details["BackupArn"]?.string, let name = details["BackupName"]?.string,
      let tableName = table["TableName"]?.string ?? Backup.tableName(inARN: arn)
    else { throw DynamoError(.badAnswer, "the service tells of a backup without ARN or name") }
    self.arn = arn
    self.name = name
    status = details["BackupStatus"]?.string ?? "AVAILABLE"
    type = details["BackupType"]?.string ?? "USER"
    created = Timestamp(epoch: details["BackupCreationDateTime"])
    expires = Timestamp(epoch: details["BackupExpiryDateTime"])
    sizeBytes = details["BackupSizeBytes"]?.int
    self.tableName = tableName
    tableARN = table["TableArn"]?.string
    tableID = table["TableId"]?.string
  }
}

/// A backup, and what it tells of the table it was made of.
public struct BackupDescription: Sendable {
  public var backup: Backup
  /// Names and roles of the table's key attributes; their types are not told.
  public var key: [(name: String, role: KeyAttribute.Role)]
  /// The SourceTableDetails as the service sent them.
  public var table: JSONObject
  /// The SourceTableFeatureDetails as the service sent them: indexes, stream, TTL, encryption.
  public var features: JSONObject

  init(_ description: JSONObject) throws(DynamoError) {
    guard let details = description["BackupDetails"]?.object else {
      throw DynamoError(.badAnswer, "DescribeBackup answered without BackupDetails")
    }
    table = description["SourceTableDetails"]?.object ?? JSONObject()
    features = description["SourceTableFeatureDetails"]?.object ?? JSONObject()
    backup = try Backup(details, table: table)
    key = (table["KeySchema"]?.array ?? []).compactMap { element in
      guard let name = element["AttributeName"]?.string,
        let role = element["KeyType"]?.string.flatMap(KeyAttribute.Role.init(rawValue:))
      else { return nil }
      return (name, role)
    }
  }

  /// Whether a table is the one that the backup was made of, and not one of its name made later.
  public func isOf(_ table: TableDescription) -> Bool {
    if let mine = backup.tableID, let other = table.id { return mine == other }
    // Some servers know no ids; a table's name and the moment it was created are as good.
    guard backup.tableName == table.schema.name else { return false }
    let mine = self.table["TableCreationDateTime"]
    return mine == nil || mine == table.raw["CreationDateTime"]
  }

  /// The names of the table's key attributes with their roles, in words.
  var keyWords: String { key.map { "\($0.name) (\($0.role.rawValue))" }.joined(separator: ", ") }

  /// Whether a key has the same attributes in the same roles.
  func hasKey(_ other: KeySchema) -> Bool {
    key.count == other.attributes.count
      && other.attributes.allSatisfy { attribute in
        key.contains { $0.role == attribute.role && $0.name.hasSameBytes(as: attribute.name) }
      }
  }
}

extension Timestamp {
  /// A moment as DynamoDB tells it: seconds since 1970, with a fraction, which is cut off.
  init?(epoch value: JSONValue?) {
    guard let seconds = value?.double, seconds.isFinite, seconds.magnitude < 1e12 else {
      return nil
    }
    self.init(seconds: Int(seconds.rounded(.down)))
  }

  /// `20261122T100000Z`, for names.
  var compact: String { description.filter { $0 != "-" && $0 != ":" } }
}

/// Names that are made of a table's name.
enum DerivedName {
  /// A name of at most 255 bytes, which is what tables and backups may have: the table's name is cut.
  /// Both have letters, digits, `_`, `-` and `.` only.
  static func of(_ table: String, suffix: String) -> String {
    table.prefix(255 - suffix.count) + suffix
  }
}
