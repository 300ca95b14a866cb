import AWS
import Archive
import ArgumentParser
import Dynamo

struct CopyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "copy",
    abstract: "Copy a table, or a slice of one, into another table.",
    discussion: """
      dynarc copy Orders --source production --target development
      dynarc copy Orders --source production --target development --replace
      dynarc copy Orders --target-table Orders-2
      dynarc copy Orders --target dynamodb://development@eu-west-1/ --pk 4711 --merge
      dynarc copy Orders --target development --index by-status --pk open --replace
      dynarc copy Orders --source production --target test --hash email --remove address.phone

      What a side does not name is --profile's and --region's, or else the other side's. Before a table \
      that holds items is changed, its state is kept (--backup).
      """)

  @Argument(
    help: "Table to copy, by name or as dynamodb://[profile@][region]/NAME.",
    transform: TableAddress.parse)
  var table: TableAddress

  @Option(
    help: ArgumentHelp(
      "Where it is: a profile, or dynamodb://[profile@][region]/.", valueName: "side"),
    transform: CopySide.parse)
  var source: CopySide?

  @Option(
    help: ArgumentHelp(
      "Where to copy it: a profile, or dynamodb://[profile@][region]/[NAME].", valueName: "side"),
    transform: CopySide.parse)
  var target: CopySide?

  @Option(
    help: ArgumentHelp(
      "Name of the table at the target, where it is another one. A table that is not there is created.",
      valueName: "name"))
  var targetTable: String?

  @Flag(help: "Put the items over those that the target holds.")
  var merge = false

  @Flag(
    help: """
      Make the target equal to the source, or to its slice: put the items, then delete those that the \
      source has not. Nobody who reads meanwhile misses an item that both hold.
      """)
  var replace = false

  @Flag(help: "Delete what the target holds first, or what it holds of the slice.")
  var truncateFirst = false

  @OptionGroup var safeguard: SafeguardArguments

  @OptionGroup(title: "What to copy") var slice: SliceOptions

  @Option(
    help: ArgumentHelp(
      "Segments of the parallel scan, 1 to 1,000,000; otherwise by the table's size.",
      valueName: "n"))
  var segments: Int?

  @Option(
    help: ArgumentHelp(
      "Read units a second to consume at most of the source, and of the target where its keys are read; "
        + "or a percentage of the provisioned or maximum on-demand throughput.", valueName: "n|n%"))
  var readUnits: CapacityArgument?

  @OptionGroup(title: "Changing items") var changing: TransformOptions

  @OptionGroup var change: ChangeOptions

  @OptionGroup var prices: PriceOptions

  @OptionGroup(title: "AWS") var aws: AWSOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws {
    guard [merge, replace, truncateFirst].count(where: { $0 }) <= 1 else {
      throw ValidationError("--merge, --replace and --truncate-first exclude each other")
    }
    guard slice.projection == nil else {
      throw ValidationError("items are copied whole; leave --projection out")
    }
    if segments != nil, !slice.key.pk.isEmpty {
      throw ValidationError("--segments is for scans; with --pk the table is queried")
    }
    if let targetTable, !TableName.isValid(targetTable) {
      throw ValidationError("--target-table takes a table's name; say where it is with --target")
    }
  }

  private var mode: CopyMode? {
    merge ? .merge : replace ? .replace : truncateFirst ? .truncateFirst : nil
  }

  private func options(_ target: String) throws -> CopyOptions {
    var options = CopyOptions(cores: Machine.cores)
    options.target = target
    options.mode = mode
    options.read = try slice.readOptions()
    options.read.segments = segments
    options.transforms = try changing.transforms()
    options.rekey = changing.rekey
    options.readUnits = readUnits?.limit
    options.writeUnits = change.writeUnits?.limit
    options.concurrency = change.concurrency
    if let time = change.giveUp.giveUpAfter { options.giveUpAfter = time.duration }
    options.stop = Interruption.stop
    return options
  }

  func run() async throws {
    let prices = try prices.list()
    let sides = try CopySides(
      table: table, source: source, target: target, targetTable: targetTable, aws: aws)
    let options = try options(sides.targetTable)
    let from = try await Connection(sides.source, address: nil)
    let to = try await Connection(sides.target, address: nil)
    let job = CopyJob(
      source: from.client, table: sides.sourceTable, target: to.client,
      options: options, rejects: RejectsFile(directory: "."))
    let plan = try await job.plan()
    let report = CopyReport(plan: plan, output: output)
    let keeping =
      plan.holdsItems
      ? plan.targetTable.map { safeguard.job(client: to.client, table: $0, giveUp: change.giveUp) }
      : nil
    try keeping?.check()
    report.warn()
    if !plan.transforms.isEmpty, plan.holdsItems, plan.mode == .truncateFirst {
      Terminal.warn(
        "items of \(plan.target) are deleted before any item is held against the rules: one that does not fit "
          + "stops the copy then")
    }
    if change.dryRun {
      return try report.dryRun(keeping: keeping == nil ? nil : safeguard.words(table: plan.target))
    }
    if plan.holdsItems {
      try change.confirm(report.question, danger: report.danger)
      try safeguard.confirm(table: plan.target, yes: change.yes)
    }
    var kept: SafeguardSummary?
    if let keeping { kept = try await safeguard.keep(keeping, table: plan.target, output) }

    let meter = ProgressMeter(output)
    defer { meter.finish() }
    let begun = Begun<CopyProgress>()
    let summary: CopySummary
    do {
      summary = try await job.run(plan) { progress in
        begun.set(progress)
        meter.show(progress.reading)
      }
    } catch {
      meter.finish()
      throw stopped(by: error, report, begun.value)
    }
    meter.finish()
    try report.done(summary, kept: kept, seconds: meter.elapsed, prices)
    try WriteArguments.report(summary.rejects, noun: "item")
  }

  /// Says what the target is like after an end half-way, and how to go on.
  private func stopped(
    by error: any Error, _ report: CopyReport, _ progress: CopyProgress?
  ) -> any Error {
    guard let progress, let state = report.state(progress) else { return error }
    // A refusal to create the table leaves nothing.
    if progress.phase == .creating, let error = error as? ServiceError, error.kind == .final {
      return error
    }
    let interrupted = error is CancellationError
    if !interrupted { Program.describe(error) }
    // The target holds items now; what it held before, where that was any, is kept.
    let again = ShellCommand.againWithoutBackup(mode == nil ? ["--merge"] : [])
    let mended = error is TransformError ? "mend the item, or take other rules; then " : ""
    Terminal.error(
      "\(interrupted ? "interrupted" : "stopped"); \(state)",
      hint: "\(mended)copy again, from the start: \(again)")
    return EndWith(status: interrupted ? ExitStatus.interrupted : ExitStatus.partial)
  }
}
