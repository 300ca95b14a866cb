import ArgumentParser
import Archive
import Dynamo
import JSON

struct ApplyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply",
    abstract: "Bring a table from one snapshot to another by an archive of changes.",
    discussion: """
      dynarc diff ./monday ./tuesday --output ./changes
      dynarc apply ./changes Orders --dry-run
      dynarc apply ./changes Orders
      dynarc apply ./changes Orders --reverse
      dynarc apply ./changes Orders --guard

      Items are put and deleted by their keys, whatever the table holds there now; with --guard only \
      where it holds what the changes were made from.
      """)

  @Argument(help: "Directory of the archive of changes.", completion: .directory)
  var changes: String

  @Argument(
    help: "Table, by name or as dynamodb://[profile@][region]/NAME.",
    transform: TableAddress.parse)
  var table: TableAddress

  @Flag(
    help: """
      Take the changes back: put what was there before, delete what was not; for changes that were \
      written with --with-old.
      """)
  var reverse = false

  @Flag(
    name: .customLong("guard"),
    help: """
      Write an item only if it is still as the changes have it before. What is not is left alone, \
      listed and written to a file as a conflict; the exit code is then 4.
      """)
  var isGuarded = false

  @Option(
    help: ArgumentHelp(
      "With --guard: read units a second to consume at most, or a percentage.", valueName: "n|n%"))
  var readUnits: CapacityArgument?

  @OptionGroup var write: WriteArguments

  @OptionGroup var prices: PriceOptions

  @OptionGroup(title: "AWS") var aws: AWSOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws {
    if readUnits != nil, !isGuarded {
      throw ValidationError("--read-units goes with --guard; nothing is read without it")
    }
  }

  func run() async throws {
    let prices = try prices.list()
    let opened = try Archive.open(LocalStorage(directory: changes))
    var options = try write.options(archive: changes, table: table.table, command: "apply")
    options.readUnits = readUnits?.limit
    let conflicts = ConflictList()
    var conflict: (@Sendable (ItemConflict) -> Void)?
    if isGuarded { conflict = { conflicts.add($0) } }
    let connection = try await Connection(aws, address: table)
    let job = ApplyJob(
      client: connection.client, archive: opened, target: table.table,
      direction: reverse ? .backward : .forward, options: options,
      rejects: RejectsFile(directory: "."),
      conflict: conflict)
    let plan = try await job.plan()
    if let reason = opened.manifest.changedBecause {
      Terminal.warn("the changes hold items that are not as their table had them: \(reason)")
    }
    if write.dryRun {
      if isGuarded { return try await rehearse(job, plan, conflicts) }
      try opened.checkStored()
      return try report(plan)
    }
    if plan.puts + plan.deletes > 0, !plan.hasBegun {
      try write.confirm(
        "\(words(plan))?", danger: "this would replace and delete items of \(plan.target)")
    }

    let meter = ProgressMeter(output)
    defer { meter.finish() }
    let summary: ApplySummary
    do {
      summary = try await job.run(plan) { meter.show(WriteArguments.reading($0)) }
    } catch {
      meter.finish()
      throw write.stopped(
        by: error, table: plan.target, statePath: plan.statePath,
        again: ShellCommand.line(
          ["dynarc", "apply", changes, plan.target] + (reverse ? ["--reverse"] : [])
            + (isGuarded ? ["--guard"] : [])))
    }
    meter.finish()
    try report(summary, seconds: meter.elapsed, prices)
    conflicts.tellRest()
    if isGuarded, let rejects = summary.rejects {
      Terminal.error(
        "\(Format.count(summary.progress.rejected)) changes were not made, since items were not as "
          + "expected or the table refused them; they are in \(rejects.path)",
        hint: "each line there gives the reason; all other changes were made")
      throw EndWith(status: ExitStatus.partial)
    }
    try WriteArguments.report(summary.rejects, noun: "change")
  }

  /// The dry run of guarded changes: what would be written, and the conflicts.
  private func rehearse(
    _ job: ApplyJob, _ plan: ApplyPlan, _ conflicts: ConflictList
  ) async throws {
    let meter = ProgressMeter(output)
    defer { meter.finish() }
    let found = try await job.rehearse(plan) { meter.show(WriteArguments.reading($0)) }
    meter.finish()
    conflicts.tellRest()
    let open = found.written - found.unchanged
    if output.json {
      var json = json(plan)
      json["dryRun"] = true
      json["open"] = JSONValue(open)
      json["unchanged"] = JSONValue(found.unchanged)
      json["conflicts"] = JSONValue(found.conflicts)
      json["consumedReadUnits"] = .number(Format.plain(found.consumedReadUnits))
      try Terminal.output(.object(json))
    } else {
      Terminal.say(
        "would make \(Format.count(open)) changes to \(plan.target); \(Format.count(found.unchanged)) "
          + "are made already, \(Format.count(found.conflicts)) conflict with what is there")
    }
    if found.conflicts > 0 { throw EndWith(status: ExitStatus.partial) }
  }

  /// What it is about, as an order.
  private func words(_ plan: ApplyPlan) -> String {
    "Put \(Format.count(plan.puts)) items into \(plan.target) and delete "
      + "\(Format.count(plan.deletes)), as \(reverse ? "before" : "of") "
      + "\((reverse ? plan.changes.from : plan.changes.to).endTime)"
  }

  private func report(_ plan: ApplyPlan) throws {
    if output.json {
      var json = json(plan)
      json["dryRun"] = true
      json["contentBytes"] = JSONValue(plan.contentBytes)
      json["done"] = JSONValue(plan.resumedLines ?? 0)
      try Terminal.output(.object(json))
      return
    }
    if let done = plan.resumedLines {
      Terminal.say("would go on behind \(Format.count(done)) changes that are made already")
    }
    Terminal.say(
      "would put \(Format.count(plan.puts)) items into \(plan.target), over what is there, and "
        + "delete \(Format.count(plan.deletes))")
  }

  private func json(_ plan: ApplyPlan) -> JSONObject {
    [
      "changes": .string(changes), "table": .string(plan.target), "reverse": .bool(reverse),
      "puts": JSONValue(plan.puts), "deletes": JSONValue(plan.deletes),
    ]
  }

  private func report(_ summary: ApplySummary, seconds: Double, _ prices: Prices) throws {
    let (plan, progress) = (summary.plan, summary.progress)
    let cost = CostReport(
      prices,
      .init(
        billingMode: plan.schema.billingMode, tableClass: plan.tableClass,
        readUnits: progress.consumedReadUnits, writeUnits: progress.consumedUnits))
    if output.json {
      var json = json(plan)
      json["written"] = JSONValue(progress.written)
      json["rejected"] = JSONValue(progress.rejected)
      if isGuarded {
        json["unchanged"] = JSONValue(progress.unchanged)
        json["conflicts"] = JSONValue(progress.conflicts)
        json["consumedReadUnits"] = .number(Format.plain(progress.consumedReadUnits))
      }
      json["consumedWriteUnits"] = .number(Format.plain(progress.consumedUnits))
      json["seconds"] = .number(Format.plain(seconds))
      json["cost"] = cost.json
      json["rejects"] = summary.rejects.map { .string($0.path) }
      TrafficReport.add(progress.retries, progress.throttledBy, to: &json)
      try Terminal.output(.object(json))
    }
    guard !output.quiet, !output.json else { return }
    Terminal.say(
      "made \(Format.count(progress.written)) of \(Format.count(progress.items)) changes to "
        + "\(plan.target) (\(Format.count(plan.puts)) puts, \(Format.count(plan.deletes)) deletes) "
        + "in \(Format.duration(seconds)), \(Format.decimal(progress.consumedUnits, 1)) write units"
    )
    cost.say()
    TrafficReport.lines(progress.retries, progress.throttledBy).forEach(Terminal.say)
  }
}
