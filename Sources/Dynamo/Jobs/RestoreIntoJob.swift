import Archive
import JSON

/// What a restore into a table is about to do; nothing has been changed.
public struct RestoreIntoPlan: Sendable {
  public var backup: BackupDescription
  /// The table whose items are to be those of the backup.
  public var target: TableDescription
  /// The table that is made beside it, and removed in the end.
  public var helper: String
}

/// How far a restore into a table is.
public enum RestoreIntoProgress: Sendable, Equatable {
  /// The backup or the helper table is waited for.
  case restoring(WaitProgress)
  /// Items go from the helper table into the target.
  case copying(CopyProgress)
  /// The helper table is removed.
  case removing(WaitProgress)
}

/// Gives a table that is there the items of a backup: AWS restores the backup beside it under another name, the
/// table is made equal to that, and what was made beside is removed. The table's settings stay.
public struct RestoreIntoJob: Sendable {
  private let client: DynamoClient
  private let backup: BackupDescription
  private let table: String
  private let options: CopyOptions
  private let rejects: RejectsFile

  /// - Parameters:
  ///   - backup: as `DynamoClient.findBackup` finds it.
  ///   - table: the table to give its items to.
  ///   - options: how to copy; `target`, `mode` and `read` are the job's own affair.
  ///   - rejects: where items go that the table refuses.
  public init(
    client: DynamoClient, backup: BackupDescription, into table: String, options: CopyOptions,
    rejects: RejectsFile
  ) {
    self.client = client
    self.backup = backup
    self.table = table
    self.options = options
    self.rejects = rejects
  }

  /// Looks whether the table can take the backup's items; changes nothing.
  ///
  /// - Throws: `DynamoError` of code `noSuchTable` or `keyMismatch`; `ServiceError`, `CancellationError`.
  public func plan() async throws -> RestoreIntoPlan {
    let target = try await client.describeTable(table)
    // A backup does not tell the types of key attributes; they are compared when the helper is there.
    guard backup.hasKey(target.schema.key) else {
      throw DynamoError(
        .keyMismatch,
        "the key of table \(table) is \(target.schema.key.words), and that of the backup's table was "
          + backup.keyWords,
        hint: "restore it into a table of its own: dynarc restore \(backup.backup.arn) NAME")
    }
    return RestoreIntoPlan(
      backup: backup, target: target,
      helper: DerivedName.of(table, suffix: "-dynarc-restore-\(Timestamp.now.compact)"))
  }

  /// Restores, copies and removes.
  ///
  /// - Parameters:
  ///   - begun: told once the helper table has been asked for; if the job throws after that, the helper is left.
  ///   - beforeCopy: the last moment at which the table is as it was.
  ///   - progress: called from any task.
  /// - Returns: what was copied. If items were rejected, the helper table is left, since it has them.
  /// - Throws: what `CopyJob` throws and `beforeCopy`; `ServiceError`, `DynamoError`, `CancellationError`.
  public func run(
    _ plan: RestoreIntoPlan, begun: @escaping @Sendable (TableDescription) -> Void,
    beforeCopy: @Sendable () async throws -> Void,
    progress: @escaping @Sendable (RestoreIntoProgress) -> Void
  ) async throws -> CopySummary {
    let poll = Poll(giveUpAfter: options.giveUpAfter, stop: options.stop)
    progress(.restoring(WaitProgress(status: "table \(plan.helper) is asked for", waited: .zero)))
    let helper = try await client.restoredTable(
      plan.helper, from: plan.backup.backup, overrides: RestoreIntoJob.overrides, found: nil, poll,
      begun: begun
    ) { progress(.restoring($0)) }
    var options = options
    options.target = plan.target.schema.name
    options.mode = .replace
    options.read = ReadOptions()
    // What the copy must not miss is in the helper, and nobody writes there.
    options.read.consistent = true
    let copy = CopyJob(
      source: client, table: plan.helper, target: client, options: options, rejects: rejects)
    let copyPlan = try await copy.plan()
    guard copyPlan.targetTable?.identity == plan.target.identity else {
      throw DynamoError(
        .otherTable, "table \(table) is not the one any more that it was before the restore",
        hint: "look what it is, and restore again")
    }
    try await beforeCopy()
    let summary = try await copy.run(copyPlan) { progress(.copying($0)) }
    guard summary.rejects == nil else { return summary }
    progress(.removing(WaitProgress(status: "table \(plan.helper) is removed", waited: .zero)))
    try await client.deleteTable(helper, poll) { progress(.removing($0)) }
    return summary
  }

  /// The helper is read once and removed: it needs no indexes, and no capacity that must be bought beforehand.
  private static let overrides: JSONObject = [
    "BillingModeOverride": "PAY_PER_REQUEST", "GlobalSecondaryIndexOverride": [],
    "LocalSecondaryIndexOverride": [],
  ]
}
