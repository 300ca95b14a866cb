import Archive

/// How to make a backup.
public struct BackupOptions: Sendable {
  /// The backup's name, 3 to 255 letters, digits, `_`, `-` and `.`; nil makes one of the table's name and the
  /// moment: `Orders-dynarc-20261122T100000Z`.
  public var name: String?
  /// How long the service may give no answer before the job gives up.
  public var giveUpAfter = Duration.seconds(900)
  /// Ends the job at once; the backup, once asked for, is made all the same.
  public var stop = StopSignal()

  public init() {}
}

/// Makes an on-demand backup of a table, which AWS keeps until somebody deletes it.
public struct BackupJob: Sendable {
  private let client: DynamoClient
  private let table: String
  private let options: BackupOptions
  /// The name that the backup will have.
  public let name: String

  /// - Parameter table: the table's name.
  public init(client: DynamoClient, table: String, options: BackupOptions = BackupOptions()) {
    self.client = client
    self.table = table
    self.options = options
    name =
      options.name ?? DerivedName.of(table, suffix: "-dynarc-\(Timestamp.now.compact)")
  }

  /// Asks for the backup and waits until it is `AVAILABLE`.
  ///
  /// - Parameters:
  ///   - begun: told once the backup has an ARN; from then on it is made whatever happens here.
  ///   - progress: called while it is waited for.
  /// - Returns: the backup, with its size.
  /// - Throws: `DynamoError` of code `noSuchTable`, `noBackups` where the service does not make any, or
  ///   `notActive` where the backup was deleted meanwhile; `ServiceError`, `CancellationError`.
  public func run(
    begun: @Sendable (Backup) -> Void = { _ in },
    progress: @Sendable (WaitProgress) -> Void = { _ in }
  ) async throws -> Backup {
    let poll = Poll(giveUpAfter: options.giveUpAfter, stop: options.stop)
    let made = try await poll.until(progress) { status in
      status = "the backup of \(table) is not there yet"
      return try await client.createBackup(table: table, name: name)
    }
    begun(made)
    return try await client.waitUntilAvailable(made, poll, progress: progress).backup
  }
}

extension DynamoClient {
  /// Waits until a backup is `AVAILABLE`.
  func waitUntilAvailable(
    _ backup: Backup, _ poll: Poll, progress: @Sendable (WaitProgress) -> Void
  ) async throws -> BackupDescription {
    try await poll.until(progress) { status in
      let now = try await describeBackup(backup.arn)
      status = "backup \(backup.name) is \(now.backup.status)"
      switch now.backup.status {
      case "AVAILABLE": return now
      case "CREATING": return nil
      default:
        throw DynamoError(
          .notActive, "backup \(backup.arn) is \(now.backup.status)",
          hint: "see what there is with: dynarc backups \(backup.tableName)")
      }
    }
  }
}
