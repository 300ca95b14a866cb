import AWS
import Archive
import JSON

extension DynamoClient {
  /// Lists the backups of a table, or of all tables of the account in the region, in the service's order.
  ///
  /// - Parameter table: a table's name; it need not exist any more.
  /// - Throws: `ServiceError`, `DynamoError` of code `badAnswer`, `CancellationError`.
  public func backups(of table: String? = nil) async throws -> [Backup] {
    // Without a BackupType the service leaves those of AWS Backup and its own out (API reference,
    // ListBackups).
    var request: JSONObject = ["BackupType": "ALL"]
    request["TableName"] = table.map(JSONValue.string)
    var all: [Backup] = []
    repeat {
      let answer = try await call("ListBackups", .object(request))
      for summary in answer["BackupSummaries"]?.array ?? [] {
        let object = summary.object ?? JSONObject()
        all.append(try Backup(object, table: object))
      }
      // A page may be short, or even empty, and not be the last one.
      request["ExclusiveStartBackupArn"] = answer["LastEvaluatedBackupArn"]
    } while request["ExclusiveStartBackupArn"]?.string != nil
    return all
  }

  /// Describes a backup.
  ///
  /// - Throws: `DynamoError` of code `noSuchBackup`; `ServiceError`, `CancellationError`.
  public func describeBackup(_ arn: String) async throws -> BackupDescription {
    do {
      let answer = try await call("DescribeBackup", ["BackupArn": .string(arn)])
      guard let description = answer["BackupDescription"]?.object else {
        throw DynamoError(.badAnswer, "DescribeBackup answered without a BackupDescription")
      }
      return try BackupDescription(description)
    } catch let error as ServiceError {
      // What is no ARN at all is refused before anybody looks for it.
      guard ["BackupNotFoundException", "ValidationException"].contains(error.code) else {
        throw error
      }
      throw DynamoError(
        .noSuchBackup, "there is no backup \(arn) in \(region): \(error.message)",
        hint: "see what there is with: dynarc backups; or check --region and --profile")
    }
  }

  /// Finds a backup by its ARN or its name.
  ///
  /// - Throws: `DynamoError` of code `noSuchBackup`, or `ambiguousBackup` where several have the name, with
  ///   their ARNs in the message; `ServiceError`, `CancellationError`.
  public func findBackup(_ nameOrARN: String) async throws -> BackupDescription {
    if Backup.isARN(nameOrARN) { return try await describeBackup(nameOrARN) }
    let found = try await backups().filter { $0.name == nameOrARN && $0.status != "DELETED" }
    guard let first = found.first else {
      throw DynamoError(
        .noSuchBackup, "there is no backup \"\(nameOrARN)\" in \(region)",
        hint: "see what there is with: dynarc backups; or check --region and --profile")
    }
    guard found.count == 1 else {
      let list = found.map { backup in
        "\n  \(backup.arn) of table \(backup.tableName)"
          + (backup.created.map { ", \($0)" } ?? "")
      }
      throw DynamoError(
        .ambiguousBackup,
        "\(found.count) backups are named \"\(nameOrARN)\":\(list.joined())",
        hint: "give the ARN of the one that is meant")
    }
    return try await describeBackup(first.arn)
  }

  /// Asks for a backup of a table. It is of use once its status is `AVAILABLE`.
  ///
  /// - Throws: `DynamoError` of code `noSuchTable`, or `noBackups` where the service does not make any;
  ///   `ServiceError`, `CancellationError`.
  func createBackup(table: String, name: String) async throws -> Backup {
    do {
      let answer = try await call(
        "CreateBackup", ["TableName": .string(table), "BackupName": .string(name)])
      guard let details = answer["BackupDetails"]?.object else {
        throw DynamoError(.badAnswer, "CreateBackup answered without BackupDetails")
      }
      return try Backup(details, table: ["TableName": .string(table)])
    } catch let error as ServiceError {
      switch error.code {
      case "TableNotFoundException", "ResourceNotFoundException":
        throw DynamoError(
          .noSuchTable, "there is no table \"\(table)\" in \(region)",
          hint: "check the name, --region and --profile")
      case "BackupInUseException":
        // A backup is being made just now. It is ours if it has our name: an earlier attempt's answer was
        // lost then.
        let running = try await backups(of: table).last {
          $0.name == name && $0.status == "CREATING"
        }
        guard let running else { throw error }
        return running
      default:
        guard error.isUnknownOperation else { throw error }
        throw DynamoError(
          .noBackups, "the service at \(endpoint) makes no backups: \(error)",
          hint: "keep the table as an archive: dynarc dump \(table) ./directory")
      }
    }
  }

  /// Asks for a new table of a backup. The table is of use once it is `ACTIVE`.
  ///
  /// - Parameter overrides: members of RestoreTableFromBackup that change what is restored.
  /// - Returns: the new table as it is now.
  /// - Throws: `DynamoError` of code `tableExists`; `ServiceError`, `CancellationError`.
  func restoreTable(
    _ table: String, from backup: Backup, overrides: JSONObject = JSONObject()
  ) async throws -> TableDescription {
    var request: JSONObject = [
      "TargetTableName": .string(table), "BackupArn": .string(backup.arn),
    ]
    for member in overrides.members { request[member.name] = member.value }
    do {
      let answer = try await call("RestoreTableFromBackup", .object(request))
      guard let made = answer["TableDescription"]?.object else {
        throw DynamoError(
          .badAnswer, "RestoreTableFromBackup answered without a TableDescription")
      }
      return try TableDescription(table: made)
    } catch let error as ServiceError {
      guard ["TableAlreadyExistsException", "TableInUseException"].contains(error.code) else {
        throw error
      }
      // An earlier attempt may have begun, and only its answer was lost; libcurl may have made it unseen.
      if let table = try await describeTableIfPresent(table),
        table.isRestored(from: backup)
      {
        return table
      }
      throw DynamoError.tableExists(table)
    }
  }

  /// Deletes a table, if it is still the one that is meant, and waits until it is gone.
  ///
  /// - Throws: `DynamoError` of code `otherTable`; `ServiceError`, `CancellationError`.
  func deleteTable(
    _ table: TableDescription, _ poll: Poll, progress: @Sendable (WaitProgress) -> Void
  ) async throws {
    let name = table.schema.name
    var isAsked = false
    try await poll.until(progress) { status -> Void? in
      guard let found = try await describeTableIfPresent(name) else { return () }
      guard found.identity == table.identity else {
        // Ours is gone, and somebody else took the name.
        if isAsked { return () }
        throw DynamoError(
          .otherTable, "table \(name) is not the one that was made here, and is left alone")
      }
      status = "table \(name) is \(found.status)"
      guard !isAsked else { return nil }
      do {
        _ = try await call("DeleteTable", ["TableName": .string(name)])
        isAsked = true
      } catch let error as ServiceError {
        // It is changing still, or being deleted already.
        guard error.code == "ResourceInUseException" else { throw error }
      }
      return nil
    }
  }
}

extension TableDescription {
  /// Whether the table was made of a backup (DescribeTable, RestoreSummary).
  func isRestored(from backup: Backup) -> Bool {
    raw["RestoreSummary"]?["SourceBackupArn"]?.string == backup.arn
  }
}

extension ServiceError {
  /// Whether the service does not know the operation: DynamoDB Local says UnknownOperationException, and
  /// others something of their own.
  var isUnknownOperation: Bool {
    [
      "UnknownOperationException", "UnknownOperation", "NotImplemented", "NotImplementedException",
      "UnsupportedOperationException", "InvalidAction",
    ].contains(code) || [404, 405, 501].contains(status)
  }
}

extension DynamoError {
  static func tableExists(_ name: String) -> DynamoError {
    DynamoError(
      .tableExists, "there is a table \(name) already",
      hint:
        "name another table; or replace what it holds with: dynarc restore BACKUP --into \(name)")
  }
}
