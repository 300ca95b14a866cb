public import Archive
import JSON

/// How to make a table of a backup.
public struct RestoreOptions: Sendable {
  /// The table to make, which must not exist; nil takes the name that the backup's table had.
  public var target: String?
  /// Go on with a table that an earlier run has asked for.
  public var resume = false
  /// How long the service may give no answer before the job gives up.
  public var giveUpAfter = Duration.seconds(900)
  /// Ends the job at once; the table, once asked for, is restored all the same.
  public var stop = StopSignal()

  public init() {}
}

/// What a restore is about to do; nothing has been changed.
public struct RestorePlan: Sendable {
  public var backup: BackupDescription
  /// The table that will be made.
  public var target: String
  /// The table that the backup was made of, where it still exists: its settings are applied, as they are now.
  /// Otherwise only those are that the backup tells of.
  public var source: TableDescription?
  /// Settings to apply once the table is there, since AWS's restore does not bring them back.
  public var settings: TableSettings
  /// The table, where an earlier run has asked for it.
  public var begun: TableDescription?

  /// Settings of which nobody knows any more what they were.
  public var unknown: [TableSetting] {
    source == nil
      ? [
        .tags, .pitr, .autoScaling, .policy, .protection, .tableClass, .kinesis, .insights, .limits,
      ] : []
  }

  /// What of `settings` is applied.
  var choice: SettingsChoice {
    var choice = SettingsChoice()
    choice.wanted = source == nil ? .only([.stream, .ttl]) : .all
    return choice
  }
}

/// What a restore made.
public struct RestoreSummary: Sendable {
  public var plan: RestorePlan
  /// The new table.
  public var table: TableDescription
  /// What became of each setting.
  public var settings: [SettingResult]
}

/// How far a restore is.
public enum RestoreProgress: Sendable, Equatable {
  /// The backup, the table or its indexes are waited for.
  case waiting(WaitProgress)
  /// A setting has been dealt with.
  case setting(SettingResult)
}

/// Makes a new table of an on-demand backup, and gives it the settings that AWS's own restore leaves out.
public struct RestoreJob: Sendable {
  private let client: DynamoClient
  private let backup: BackupDescription
  private let options: RestoreOptions

  /// - Parameter backup: as `DynamoClient.findBackup` finds it.
  public init(
    client: DynamoClient, backup: BackupDescription, options: RestoreOptions = RestoreOptions()
  ) {
    self.client = client
    self.backup = backup
    self.options = options
  }

  /// Looks whether the table can be made, and what is known of its settings; changes nothing.
  ///
  /// - Throws: `DynamoError` of code `tableExists`, or `otherTable` where `resume` finds a table that was not made
  ///   of the backup; `ServiceError`, `CancellationError`.
  public func plan() async throws -> RestorePlan {
    let target = options.target ?? backup.backup.tableName
    let found = try await client.describeTableIfPresent(target)
    if let found { try check(found) }
    let source = try await client.describeTableIfPresent(backup.backup.tableName)
    let live = source.flatMap { backup.isOf($0) ? $0 : nil }
    let settings =
      if let live {
        await TableSettings.capture(live, client: client)
      } else { backup.settings }
    return RestorePlan(
      backup: backup, target: target, source: live, settings: settings, begun: found)
  }

  /// A table that is there is only gone on with, and only if it was made of the backup.
  private func check(_ found: TableDescription) throws(DynamoError) {
    let isOurs = found.isRestored(from: backup.backup)
    guard options.resume else {
      var error = DynamoError.tableExists(found.schema.name)
      if isOurs { error.hint = "it was made of this backup: go on with it with --resume" }
      throw error
    }
    guard isOurs else {
      throw DynamoError(
        .otherTable, "table \(found.schema.name) was not made of backup \(backup.backup.arn)",
        hint: "name another table, and leave --resume out")
    }
  }

  /// Makes the table, waits until it and its indexes are `ACTIVE`, and applies the settings.
  ///
  /// - Parameters:
  ///   - begun: told once the table has been asked for; from then on it is made whatever happens here.
  ///   - progress: called while it is waited for.
  /// - Throws: `DynamoError` of code `tableExists`, or `notActive` where the backup cannot be used or the table
  ///   became something else; `ServiceError`, `CancellationError`.
  public func run(
    _ plan: RestorePlan, begun: @Sendable (TableDescription) -> Void = { _ in },
    progress: @Sendable (RestoreProgress) -> Void = { _ in }
  ) async throws -> RestoreSummary {
    let poll = Poll(giveUpAfter: options.giveUpAfter, stop: options.stop)
    let table = try await client.restoredTable(
      plan.target, from: plan.backup.backup, found: plan.begun, poll, begun: begun
    ) { progress(.waiting($0)) }
    let results = try await SettingsJob(client: client, stop: options.stop).apply(
      plan.settings, to: plan.target, choice: plan.choice
    ) { progress(.setting($0)) }
    return RestoreSummary(plan: plan, table: table, settings: results)
  }
}

extension DynamoClient {
  /// Makes a table of a backup, or takes the one that is being made, and waits until it and its indexes are
  /// `ACTIVE`.
  ///
  /// - Parameters:
  ///   - overrides: members of RestoreTableFromBackup that change what is restored.
  ///   - found: the table that is being made already.
  ///   - begun: told of the table as soon as it is asked for.
  func restoredTable(
    _ name: String, from backup: Backup, overrides: JSONObject = JSONObject(),
    found: TableDescription?, _ poll: Poll, begun: @Sendable (TableDescription) -> Void,
    progress: @Sendable (WaitProgress) -> Void
  ) async throws -> TableDescription {
    let asked: TableDescription
    if let found {
      asked = found
    } else {
      let ready = try await waitUntilAvailable(backup, poll, progress: progress).backup
      asked = try await poll.until(progress) { status in
        status = "table \(name) is not there yet"
        return try await restoreTable(name, from: ready, overrides: overrides)
      }
    }
    begun(asked)
    // RestoreInProgress says no more than the status does: the table is CREATING until its items are there.
    return try await poll.until(progress) { status in
      guard let table = try await describeTableIfPresent(name) else {
        status = "table \(name) is not there yet"
        return nil
      }
      guard table.identity == asked.identity else {
        throw DynamoError(
          .otherTable, "table \(name) is not the one any more that was made of \(backup.arn)",
          hint: "see what it is with: aws dynamodb describe-table --table-name \(name)")
      }
      status = "table \(name) is \(table.status)"
      if let index = table.pendingIndexes.first {
        status += ", its index \(index.name) \(index.status)"
      }
      switch table.status {
      case "ACTIVE": return table.pendingIndexes.isEmpty ? table : nil
      case "CREATING", "UPDATING": return nil
      default:
        throw DynamoError(
          .notActive, "table \(name) is \(table.status)",
          hint: "see its state with: aws dynamodb describe-table --table-name \(name)")
      }
    }
  }
}

extension BackupDescription {
  /// What the backup itself tells of settings that AWS's restore leaves out: TTL and the stream.
  var settings: TableSettings {
    var table = JSONObject()
    table["TableName"] = .string(backup.tableName)
    table["TableArn"] = backup.tableARN.map(JSONValue.string)
    if case .object(let stream)? = features["StreamDescription"] {
      table["StreamSpecification"] = .object(stream)
    }
    var answers: JSONObject = ["describeTable": .object(table), "describeTimeToLive": [:]]
    if case .object(let timeToLive)? = features["TimeToLiveDescription"] {
      answers["describeTimeToLive"] = .object(timeToLive)
    }
    return TableSettings(answers: answers)
  }
}
