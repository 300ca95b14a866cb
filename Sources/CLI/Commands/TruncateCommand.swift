import ArgumentParser
import Dynamo
import JSON

struct TruncateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "truncate",
    abstract: "Delete every item of a table, and leave the table.",
    discussion: """
      dynarc truncate Orders --dry-run
      dynarc truncate Orders
      dynarc truncate Orders --backup ./orders-before --yes

      At a terminal the table's name must be typed. What was stopped is gone on with by the same command.
      """)

  @Argument(
    help: "Table, by name or as dynamodb://[profile@][region]/NAME.",
    transform: TableAddress.parse)
  var table: TableAddress

  @OptionGroup var safeguard: SafeguardArguments

  @Option(
    help: ArgumentHelp(
      "Read units a second to consume at most for finding the keys, or a percentage of the provisioned "
        + "or maximum on-demand throughput.", valueName: "n|n%"))
  var readUnits: CapacityArgument?

  @OptionGroup var change: ChangeOptions

  @OptionGroup(title: "AWS") var aws: AWSOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func run() async throws {
    var options = TruncateOptions(cores: Machine.cores)
    options.readUnits = readUnits?.limit
    options.writeUnits = change.writeUnits?.limit
    options.concurrency = change.concurrency
    if let time = change.giveUp.giveUpAfter { options.giveUpAfter = time.duration }
    options.stop = Interruption.stop
    let client = try await Connection(aws, address: table).client
    let job = TruncateJob(client: client, table: table.table, options: options)
    let plan = try await job.plan()
    let keeping =
      plan.holdsItems
      ? safeguard.job(client: client, table: plan.table, giveUp: change.giveUp) : nil
    try keeping?.check()
    if change.dryRun { return try report(plan) }
    guard let keeping else {
      return try report(plan, TruncateProgress(expectedItems: 0), kept: nil, seconds: 0)
    }
    if !output.quiet { cost(plan.cost).forEach(Terminal.say) }
    try Confirmation.typed(
      table.table, danger: "this would delete every item of table \(table.table)", yes: change.yes)
    try safeguard.confirm(table: table.table, yes: change.yes)
    let kept = try await safeguard.keep(keeping, table: table.table, output)

    let meter = ProgressMeter(output)
    defer { meter.finish() }
    let begun = Begun<TruncateProgress>()
    let end: TruncateProgress
    do {
      end = try await job.run(plan) { progress in
        begun.set(progress)
        meter.show(progress.reading)
      }
    } catch {
      meter.finish()
      throw stopped(by: error, begun.value)
    }
    meter.finish()
    try report(plan, end, kept: kept, seconds: meter.elapsed)
  }

  /// What it costs, and what else could be done.
  private func cost(_ cost: TruncateCost) -> [String] {
    [
      "table \(table.table) has about \(Format.count(cost.items)) items, by a count up to six hours old; to "
        + "delete them takes about \(Format.count(cost.readUnits)) read units and "
        + "\(Format.count(cost.writeUnits)) write units, indexes included",
      "to delete the table and create it again takes no write units and may be cheaper, but loses its "
        + "settings; dynarc dump and dynarc load bring those back that dynarc knows",
    ]
  }

  private func stopped(by error: any Error, _ progress: TruncateProgress?) -> any Error {
    guard let progress, progress.deleted > 0 else { return error }
    let interrupted = error is CancellationError
    if !interrupted { Program.describe(error) }
    Terminal.error(
      "\(interrupted ? "interrupted" : "stopped"); \(Format.count(progress.deleted)) items of table "
        + "\(table.table) are deleted, others not yet",
      hint: "go on with: \(ShellCommand.againWithoutBackup())")
    return EndWith(status: interrupted ? ExitStatus.interrupted : ExitStatus.partial)
  }

  private func report(_ plan: TruncatePlan) throws {
    if output.json {
      try Terminal.output(
        .object([
          "dryRun": true, "table": .string(table.table), "holdsItems": .bool(plan.holdsItems),
          "items": JSONValue(plan.cost.items), "readUnits": JSONValue(plan.cost.readUnits),
          "writeUnits": JSONValue(plan.cost.writeUnits),
        ]))
      return
    }
    guard plan.holdsItems else { return Terminal.say("table \(table.table) holds no items") }
    if let words = safeguard.words(table: table.table) { Terminal.say("would \(words)") }
    Terminal.say("would delete every item of \(table.table)")
    cost(plan.cost).forEach(Terminal.say)
  }

  private func report(
    _ plan: TruncatePlan, _ end: TruncateProgress, kept: SafeguardSummary?, seconds: Double
  ) throws {
    if output.json {
      var json: JSONObject = [
        "table": .string(table.table), "deleted": JSONValue(end.deleted),
        "consumedReadUnits": .number(Format.plain(end.readUnits)),
        "consumedWriteUnits": .number(Format.plain(end.writeUnits)),
        "seconds": .number(Format.plain(seconds)), "kept": kept?.json ?? .null,
      ]
      TrafficReport.add(end.retries, end.throttledBy, to: &json)
      try Terminal.output(.object(json))
    }
    guard !output.quiet, !output.json else { return }
    guard plan.holdsItems else { return Terminal.say("table \(table.table) holds no items") }
    Terminal.say(
      "deleted \(Format.count(end.deleted)) items of \(table.table) in \(Format.duration(seconds)), "
        + "\(Format.decimal(end.readUnits, 1)) read units, "
        + "\(Format.decimal(end.writeUnits, 1)) write units")
    TrafficReport.lines(end.retries, end.throttledBy).forEach(Terminal.say)
  }
}

extension TruncateProgress {
  /// What the progress line shows.
  fileprivate var reading: ProgressMeter.Reading {
    .init(
      done: deleted, expected: expectedItems, bytes: wireBytes, unitName: "WU", units: writeUnits,
      prefix: "deleting", retries: retries, throttledBy: throttledBy, fault: lastFault)
  }
}

extension Confirmation {
  /// Has a name typed, where nobody said that there is no need.
  ///
  /// - Parameters:
  ///   - danger: what would happen, for when nobody can be asked.
  ///   - yes: whether --yes was given.
  /// - Throws: `EndWith`, where something else is typed or nobody can answer.
  static func typed(_ name: String, danger: String, yes: Bool) throws {
    guard !yes else { return }
    guard Terminal.standardInputIsTTY else {
      Terminal.error(danger, hint: "add --yes to go on without being asked")
      throw EndWith(status: ExitStatus.usage)
    }
    guard try Terminal.ask("Type the table's name to delete every item of it: ") == name else {
      Terminal.say("that is not \(name); nothing was changed")
      throw EndWith(status: ExitStatus.failed)
    }
  }
}
