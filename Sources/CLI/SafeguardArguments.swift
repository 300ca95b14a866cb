import Archive
import ArgumentParser
import Dynamo
import JSON

/// `--backup` of commands that change what a table holds.
struct SafeguardArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How the table's state is kept before anything is changed: aws makes an on-demand backup; a "
        + "directory, which has a / or begins with a dot, gets a dump; none keeps nothing, and asks "
        + "(default: aws).",
      valueName: "aws|dir|none"),
    completion: .directory, transform: SafeguardArgument.parse)
  var backup: SafeguardArgument?

  /// What was asked for, or a backup.
  var safeguard: Safeguard { backup?.safeguard ?? .aws }

  /// What is going to happen, for dry runs; nil where nothing is kept.
  func words(table: String) -> String? {
    switch safeguard {
    case .aws: "make an on-demand backup of \(table)"
    case .archive(let directory): "dump \(table) to \(directory)"
    case .none: nil
    }
  }

  /// Asks where nothing is to be kept.
  ///
  /// - Parameter yes: whether --yes was given.
  func confirm(table: String, yes: Bool) throws {
    guard safeguard == .none else { return }
    try Confirmation.ask(
      "Keep nothing of what table \(table) holds now?",
      danger: "nothing of what table \(table) holds now would be kept (--backup none)", yes: yes)
  }

  /// The job, whose `check` may be called before anything else is done.
  func job(client: DynamoClient, table: TableDescription, giveUp: GiveUpOptions) -> SafeguardJob {
    var dump = DumpOptions(toolVersion: Version.number, cores: Machine.cores)
    dump.stop = Interruption.stop
    dump.warn = { Terminal.warn($0) }
    if let time = giveUp.giveUpAfter { dump.giveUpAfter = time.duration }
    return SafeguardJob(client: client, table: table, safeguard: safeguard, dump: dump)
  }

  /// Keeps the state, with progress, and says where it is.
  ///
  /// - Throws: what `SafeguardJob.run` throws; nothing may be changed then.
  func keep(_ job: SafeguardJob, table: String, _ output: OutputOptions) async throws
    -> SafeguardSummary
  {
    let meter = ProgressMeter(output)
    defer { meter.finish() }
    let summary = try await job.run { progress in
      switch progress {
      case .backup(let progress): meter.show(progress)
      case .dump(let progress): meter.show(progress.reading)
      }
    }
    meter.finish()
    if !output.quiet, let words = summary.words {
      Terminal.say("kept the state of \(table) as \(words)")
    }
    return summary
  }
}

/// `aws`, a directory, or `none`.
struct SafeguardArgument {
  var safeguard: Safeguard

  static func parse(_ argument: String) throws -> SafeguardArgument {
    guard let safeguard = SafeguardArgument(argument) else {
      throw ValidationError(
        "--backup takes aws, none, or a directory with a / in it, and not \"\(argument)\"")
    }
    return safeguard
  }

  private init?(_ argument: String) {
    switch argument {
    case "aws": safeguard = .aws
    case "none": safeguard = .none
    default:
      // As for diff's sides: a bare word could be a slip.
      guard argument.contains("/") || argument.hasPrefix(".") else { return nil }
      safeguard = .archive(directory: argument)
    }
  }
}

extension SafeguardSummary {
  /// Where the state is; nil where nothing was kept.
  var words: String? {
    switch self {
    case .backup(let backup): "backup \(backup.name), \(backup.arn)"
    case .archive(let directory, let summary):
      "archive \(directory), \(Format.count(summary.archive.manifest.counts.items)) items"
    case .none: nil
    }
  }

  /// `{"backup": {…}}`, `{"archive": …}`, or null.
  var json: JSONValue {
    switch self {
    case .backup(let backup): ["backup": .object(backup.report)]
    case .archive(let directory, let summary):
      ["archive": .string(directory), "id": .string(summary.archive.id)]
    case .none: .null
    }
  }
}
