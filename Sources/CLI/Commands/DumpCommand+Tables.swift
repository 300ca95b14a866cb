import Archive
import ArgumentParser
import Dynamo
import JSON

/// `dump --all`, `dump 'prod-*'` and `dump --tag team=pay`: several tables into a folder of archives.
extension DumpCommand {
  /// Reads `team=pay` or `team`.
  static func tag(_ argument: String) throws -> TagCondition {
    guard let condition = TagCondition(argument) else {
      throw ValidationError("--tag takes KEY=VALUE, or KEY for any value")
    }
    return condition
  }

  /// The pattern in the place of the table.
  private var pattern: (address: TableAddress, pattern: TablePattern)? {
    second == nil ? nil : TableAddress.pattern(first)
  }

  /// Which tables are meant; nil where it is one by its name.
  var selection: TableSelection? {
    guard all || !tag.isEmpty || pattern != nil else { return nil }
    return TableSelection(pattern: pattern?.pattern, tags: tag)
  }

  /// The one table, where it is one.
  var table: TableAddress {
    get throws { try TableAddress.parse(first) }
  }

  /// The directory to write, be it one archive or a folder of them.
  var archive: String { second ?? first }

  func validateTables() throws {
    guard let selection else {
      guard second != nil else {
        throw ValidationError("name a table and a directory for its archive, or add --all")
      }
      _ = try TableAddress.parse(first)
      return
    }
    if all, !tag.isEmpty {
      throw ValidationError("--all takes every table, whatever its tags; leave one of the two out")
    }
    if all, second != nil {
      throw ValidationError(
        pattern == nil
          ? "--all takes every table; name the folder alone, and the account by --profile and --region"
          : "--all takes every table, and \"\(first)\" some; leave one of the two out")
    }
    if selection.pattern == nil, second != nil {
      throw ValidationError(
        "--tag goes with a pattern such as 'prod-*', or with the folder alone, and \"\(first)\" is no pattern"
      )
    }
    if second == nil, TableAddress.pattern(first) != nil {
      throw ValidationError("\"\(first)\" is a pattern; name the folder behind it")
    }
    guard base.isEmpty, !withOld else {
      throw ValidationError("--base is of one table; dump several tables whole")
    }
    var read = try readOptions()
    read.consistent = false
    guard read == ReadOptions() else {
      throw ValidationError(
        "several tables are dumped whole; leave --pk, --sk and its kin, --index, --filter, --projection, "
          + "--names, --values and --allow-keyless out")
    }
  }

  func dumpTables(_ selection: TableSelection, _ prices: Prices) async throws {
    let options = DumpTablesOptions(dump: try dumpOptions())
    let connection = try await Connection(aws, address: pattern?.address)
    let job = DumpTablesJob(
      client: connection.client, selection: selection, directory: archive, options: options)
    let meter = ProgressMeter(output)
    defer { meter.finish() }
    let begun = Begun<Bool>()
    let summary: DumpTablesSummary
    do {
      summary = try await job.run { event in
        switch event {
        case .begun: begun.set(true)
        case .progress(let progress): meter.show(TablesReport.reading(progress, unitName: "RU"))
        case .ended(let dump):
          if case .failed(let error) = dump.outcome { TablesReport.tell(error, of: dump.table) }
        }
      }
    } catch {
      meter.finish()
      throw begun.value == true ? stoppedTables(by: error) : error
    }
    meter.finish()
    let report = DumpTablesReport(
      folder: archive, summary: summary, seconds: meter.elapsed, prices: prices)
    for name in summary.appeared {
      Terminal.warn(
        "table \(name) came after \(archive) was begun, and is not in it; dump it by itself")
    }
    for dump in summary.tables {
      guard case .complete(let archive, .some) = dump.outcome else { continue }
      warnOfUnread(archive.manifest.settings, of: "\(dump.table): ")
    }
    if output.json {
      try Terminal.output(.object(report.json))
    } else if !output.quiet {
      report.lines.forEach(Terminal.say)
    }
    try end(report)
  }

  /// Ends with the exit code for tables that are not there.
  private func end(_ report: DumpTablesReport) throws {
    guard !report.missing.isEmpty else { return }
    let interrupted = report.summary.tables.contains {
      if case .pending = $0.outcome { true } else { false }
    }
    let named = TablesReport.list(report.missing)
    guard report.summary.isKept else {
      Terminal.error(
        "no table was dumped: \(named)", hint: "see the errors above; nothing was left behind")
      throw EndWith(status: ExitStatus.failed)
    }
    Terminal.error(
      "\(interrupted ? "interrupted; " : "")\(archive) does not hold \(named)", hint: goOn)
    throw EndWith(status: interrupted ? ExitStatus.interrupted : ExitStatus.partial)
  }

  private var goOn: String {
    var words = ["dynarc"] + CommandLine.arguments.dropFirst()
    if !resume { words.append("--resume") }
    return "mend what the errors tell of, and go on with: \(ShellCommand.line(words))"
  }

  /// Says how to go on where what happened concerns all tables.
  private func stoppedTables(by error: any Error) -> any Error {
    let interrupted = error is CancellationError
    if !interrupted { Program.describe(error) }
    Terminal.error(
      "\(interrupted ? "interrupted" : "stopped"); \(archive) is not complete", hint: goOn)
    return EndWith(status: interrupted ? ExitStatus.interrupted : ExitStatus.partial)
  }
}
