import AWS
import ArgumentParser
import Archive
import Dynamo

/// The options of commands that write an archive into a table.
struct WriteArguments: ParsableArguments {
  @Flag(help: "Go on with a run that was stopped.")
  var resume = false

  @Option(
    help: ArgumentHelp(
      "Where to note how far the work is; otherwise ARCHIVE.TABLE.COMMAND-state.",
      valueName: "file"),
    completion: .file())
  var state: String?

  @OptionGroup var change: ChangeOptions

  var dryRun: Bool { change.dryRun }

  /// - Parameters:
  ///   - archive: its directory, beside which the state file stands if nothing else is asked for.
  ///   - others: directories of archives that are read with it.
  ///   - command: the command's name, for the state file's.
  func options(
    archive: String, others: [String] = [], table: String, command: String
  ) throws -> WriteOptions {
    guard !([archive] + others).contains(where: { FileSystem.isInside(".", $0) }) else {
      throw ValidationError(
        "\(command) writes files where it runs, and this is the archive itself: run it from "
          + "elsewhere")
    }
    var path = archive
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    var options = WriteOptions(
      statePath: state ?? "\(path).\(table).\(command)-state", cores: Machine.cores)
    options.resume = resume
    options.stop = Interruption.stop
    options.concurrency = change.concurrency
    options.writeUnits = change.writeUnits?.limit
    if let time = change.giveUp.giveUpAfter { options.giveUpAfter = time.duration }
    return options
  }

  /// Says how to go on with work that has begun and not ended.
  ///
  /// - Parameter again: the command without --resume and --state.
  /// - Returns: what to end with.
  func stopped(
    by error: any Error, table: String, statePath: String, again: String
  ) -> any Error {
    let interrupted = error is CancellationError
    // Before the state file is made, nothing has been done that could be gone on with.
    guard FileSystem.exists(statePath) else { return error }
    if let error = error as? DynamoError, error.code == .stateExists || error.code == .locked {
      return error
    }
    if !interrupted { Program.describe(error) }
    let command = "\(again) --resume" + (state.map { " --state \($0)" } ?? "")
    let isDamaged = (error as? ArchiveError)?.code == .damaged
    Terminal.error(
      "\(interrupted ? "interrupted" : "stopped"); what is in table \(table) is noted in "
        + statePath,
      hint:
        "\(isDamaged ? "with a sound copy of the archive in its place, " : "")go on with: \(command)"
    )
    if isDamaged { return EndWith(status: ExitStatus.failed) }
    return EndWith(status: interrupted ? ExitStatus.interrupted : ExitStatus.partial)
  }

  /// Asks, where nobody said that there is no need.
  ///
  /// - Parameter danger: what would happen, for when nobody can be asked.
  func confirm(_ question: String, danger: String) throws {
    try change.confirm(question, danger: danger)
  }

  /// Ends with exit code 4 where something was rejected.
  static func report(_ rejects: (path: String, count: Int)?, noun: String) throws {
    guard let rejects else { return }
    Terminal.error(
      "\(Format.count(rejects.count)) \(noun)(s) were rejected by the table; they are in "
        + rejects.path,
      hint: "each line there gives the reason; all other \(noun)s were written")
    throw EndWith(status: ExitStatus.partial)
  }

  /// What the job is at.
  private static func prefix(_ progress: WriteProgress) -> String {
    guard progress.phase == .indexing, let index = progress.index else {
      return progress.phase.rawValue
    }
    return "index \(index.number)/\(index.count) \(index.name)"
      + (index.isBackfilling ? ", being filled" : "")
  }

  /// What the progress line shows.
  static func reading(_ progress: WriteProgress) -> ProgressMeter.Reading {
    let deleting = progress.phase == .truncating
    let done =
      switch progress.phase {
      case .checking: progress.checked
      case .truncating: progress.deleted
      default: progress.written
      }
    return .init(
      done: done,
      expected: deleting ? nil : progress.items, bytes: progress.wireBytes, unitName: "WU",
      units: progress.consumedUnits, prefix: prefix(progress), retries: progress.retries,
      throttledBy: progress.throttledBy, fault: progress.lastFault)
  }
}
