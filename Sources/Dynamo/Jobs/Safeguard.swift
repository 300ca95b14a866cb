import AWS
import Archive
import Glibc

/// How the state of a table is kept before a job changes it.
public enum Safeguard: Sendable, Equatable {
  /// As an on-demand backup that AWS keeps.
  case aws
  /// As an archive in a directory that does not exist yet.
  case archive(directory: String)
  /// Not at all.
  case none
}

/// How far a safeguard is.
public enum SafeguardProgress: Sendable, Equatable {
  case backup(WaitProgress)
  case dump(DumpProgress)
}

/// Where the state of a table is kept.
public enum SafeguardSummary: Sendable {
  case backup(Backup)
  case archive(directory: String, DumpSummary)
  case none
}

/// Keeps the state of a table before another job changes it.
public struct SafeguardJob: Sendable {
  private let client: DynamoClient
  private let table: TableDescription
  private let safeguard: Safeguard
  private let dump: DumpOptions

  /// - Parameters:
  ///   - table: the table that is going to be changed.
  ///   - dump: how to dump; also whose wish to stop and patience hold. The whole table is read whatever
  ///     `read` says.
  public init(
    client: DynamoClient, table: TableDescription, safeguard: Safeguard, dump: DumpOptions
  ) {
    self.client = client
    self.table = table
    self.safeguard = safeguard
    var dump = dump
    dump.read = ReadOptions()
    dump.resume = false
    self.dump = dump
  }

  /// Looks whether the state can be kept, as far as that can be told beforehand; writes nothing.
  ///
  /// - Throws: `DynamoError` of code `safeguard`.
  public func check() throws {
    guard case .archive(let directory) = safeguard, access(directory, F_OK) == 0 else { return }
    throw DynamoError(
      .safeguard, "\(directory) exists already; table \(table.schema.name) was not changed",
      hint: "name a directory that does not exist: --backup ./directory")
  }

  /// Keeps the state. When it returns, the backup is `AVAILABLE` or the archive complete.
  ///
  /// - Parameter progress: called again and again, from any task.
  /// - Throws: `DynamoError` of code `safeguard`, whatever went wrong: the table has not been changed, and must
  ///   not be; `CancellationError`.
  public func run(
    progress: @escaping @Sendable (SafeguardProgress) -> Void = { _ in }
  ) async throws -> SafeguardSummary {
    try check()
    do {
      switch safeguard {
      case .aws:
        var options = BackupOptions()
        options.giveUpAfter = dump.giveUpAfter
        options.stop = dump.stop
        let job = BackupJob(client: client, table: table.schema.name, options: options)
        return .backup(try await job.run(progress: { progress(.backup($0)) }))
      case .archive(let directory):
        let job = try await DumpJob(
          client: client, tableName: table.schema.name,
          storage: LocalStorage(directory: directory), options: dump)
        return .archive(
          directory: directory, try await job.run { progress(.dump($0)) })
      case .none: return .none
      }
    } catch let error as CancellationError {
      throw error
    } catch { throw refusal(error) }
  }

  /// Says that nothing was changed, and what can be done instead.
  private func refusal(_ error: any Error) -> DynamoError {
    let instead =
      switch safeguard {
      case .aws:
        "keep the table as an archive with --backup ./directory, or keep nothing with --backup none"
      case .archive(let directory) where access(directory, F_OK) == 0:
        "remove the unfinished \(directory), and try again"
      default: "mend that, and try again, or with another directory: --backup ./directory"
      }
    return DynamoError(
      .safeguard,
      "table \(table.schema.name) was not changed, since its state could not be kept: \(error)",
      hint: instead)
  }
}
