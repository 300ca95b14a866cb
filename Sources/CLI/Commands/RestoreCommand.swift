import ArgumentParser
import Dynamo
import JSON

struct RestoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Make a table of a backup that AWS keeps, or bring a table back to one.",
    discussion: """
      dynarc restore Orders-dynarc-20261122T100000Z Orders-restored
      dynarc restore arn:aws:dynamodb:eu-central-1:111122223333:table/Orders/backup/0163… Orders-restored
      dynarc restore Orders-dynarc-20261122T100000Z --into Orders --dry-run

      AWS's own restore brings back neither tags, TTL, stream, point-in-time recovery, autoscaling, \
      resource policy nor deletion protection. dynarc applies these afterwards: from the table that \
      the backup was made of, as it is now; where that is gone, TTL and stream from the backup.

      With --into the backup is restored beside the table, under a name of its own; the table is made \
      equal to it, item by item, and keeps its settings; then what was made beside is removed.
      """)

  @Argument(help: "The backup: its ARN, or its name where no other backup has it.")
  var backup: String

  @Argument(
    help: """
      Table to make, by name or as dynamodb://[profile@][region]/NAME; otherwise the name it had. It \
      must not exist.
      """,
    transform: TableAddress.parse)
  var table: TableAddress?

  @Option(
    help: ArgumentHelp(
      "Table that is there, and is to hold the backup's items and no others; asks.",
      valueName: "table"),
    transform: TableAddress.parse)
  var into: TableAddress?

  @Flag(help: "Go on with a restore that was stopped.")
  var resume = false

  @OptionGroup(title: "With --into") var safeguard: SafeguardArguments
  @OptionGroup var change: ChangeOptions

  @OptionGroup(title: "AWS") var aws: AWSOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws {
    guard into == nil else {
      if table != nil { throw ValidationError("a table to make and --into exclude each other") }
      if resume {
        throw ValidationError(
          "--into cannot be gone on with; the message of its end says what can be done")
      }
      return
    }
    for (option, isGiven) in [
      ("--backup", safeguard.backup != nil), ("--yes", change.yes),
      ("--write-units", change.writeUnits != nil), ("--concurrency", change.concurrency != nil),
    ] where isGiven { throw ValidationError("\(option) goes with --into") }
  }

  func run() async throws {
    let client = try await Connection(aws, address: into ?? table).client
    let found = try await client.findBackup(backup)
    if let into { return try await bringBack(into.table, to: found, client) }
    try await make(of: found, client)
  }

  private func make(of found: BackupDescription, _ client: DynamoClient) async throws {
    var options = RestoreOptions()
    options.target = table?.table
    options.resume = resume
    options.stop = Interruption.stop
    if let time = change.giveUp.giveUpAfter { options.giveUpAfter = time.duration }
    let job = RestoreJob(client: client, backup: found, options: options)
    let plan = try await job.plan()
    let report = RestoreReport(plan: plan, output: output)
    report.warn()
    if change.dryRun { return try report.dryRun() }
    let begun = Begun<TableDescription>()
    let meter = ProgressMeter(output)
    defer { meter.finish() }
    let summary: RestoreSummary
    do {
      summary = try await job.run(plan, begun: { begun.set($0) }) { progress in
        if case .waiting(let progress) = progress { meter.show(progress) }
      }
    } catch {
      meter.finish()
      throw stopped(by: error, report, isBegun: begun.value != nil)
    }
    meter.finish()
    try report.done(summary, seconds: meter.elapsed)
  }

  /// Says how to go on with a table that has been asked for.
  private func stopped(
    by error: any Error, _ report: RestoreReport, isBegun: Bool
  ) -> any Error {
    guard isBegun else { return error }
    let interrupted = error is CancellationError
    if !interrupted { Program.describe(error) }
    Terminal.error(
      "\(interrupted ? "interrupted" : "stopped"); AWS goes on restoring table \(report.plan.target), and not "
        + "all of its settings have been applied",
      hint: "wait for it and apply them with: \(report.again)")
    return EndWith(status: interrupted ? ExitStatus.interrupted : ExitStatus.partial)
  }
}
