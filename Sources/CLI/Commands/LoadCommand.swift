import ArgumentParser
import Archive
import Dynamo
import JSON

struct LoadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "load",
    abstract: "Write an archive into a table, creating the table if it is not there.",
    discussion: """
      dynarc load ./orders-2026-11-22 Orders-restored
      dynarc load ./orders-2026-11-22 Orders --truncate --yes
      dynarc load ./orders-2026-11-22 Orders --resume
      """)

  @Argument(help: "Directory of the archive.", completion: .directory)
  var archive: String

  @Argument(
    help: "Table, by name or as dynamodb://[profile@][region]/NAME; otherwise the name it had.",
    transform: TableAddress.parse)
  var table: TableAddress?

  @Flag(help: "Put the items over those that the table holds.")
  var merge = false

  @Flag(help: "Delete every item that the table holds first; asks.")
  var truncate = false

  @Flag(help: "Go on with a load that was stopped.")
  var resume = false

  @Option(
    help: ArgumentHelp(
      "Where to note how far the load is; otherwise ARCHIVE.TABLE.load-state.", valueName: "file"),
    completion: .file())
  var state: String?

  @Flag(help: "Say what would happen, and write nothing.")
  var dryRun = false

  @Flag(help: "Do not ask.")
  var yes = false

  @Option(
    help: ArgumentHelp(
      "Requests in flight at most; how many there are adapts to the table.", valueName: "n"))
  var concurrency: Int?

  @Option(
    help: ArgumentHelp(
      "Write units a second to consume at most, indexes included, or a percentage of the "
        + "provisioned or maximum on-demand throughput.", valueName: "n|n%"))
  var writeUnits: CapacityArgument?

  @OptionGroup var giveUp: GiveUpOptions

  @OptionGroup(title: "AWS") var aws: AWSOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws {
    guard !(merge && truncate) else {
      throw ValidationError("--merge and --truncate exclude each other")
    }
    if resume, merge || truncate {
      throw ValidationError("--resume goes on as the load began; leave --merge and --truncate out")
    }
    if let concurrency, !(1...1024).contains(concurrency) {
      throw ValidationError("--concurrency takes 1 to 1024")
    }
  }

  func run() async throws {
    let opened = try Archive.open(LocalStorage(directory: archive))
    guard !FileSystem.isInside(".", archive) else {
      throw ValidationError(
        "load writes files where it runs, and this is the archive itself: run it from elsewhere")
    }
    var options = LoadOptions(
      statePath: state ?? defaultState(table?.table ?? opened.manifest.source.tableName),
      cores: Machine.cores)
    options.target = table?.table
    options.resume = resume
    options.stop = Interruption.stop
    options.existing = merge ? .merge : truncate ? .truncate : .refuse
    options.concurrency = concurrency
    options.writeUnits = writeUnits?.limit
    if let time = giveUp.giveUpAfter { options.giveUpAfter = time.duration }
    let connection = try Connection(aws, address: table)
    let job = LoadJob(
      client: connection.client, archive: opened, options: options,
      rejects: RejectsFile(directory: "."))
    let plan = try await job.plan()
    warn(plan)
    if dryRun {
      try opened.checkStored()
      return try report(plan)
    }
    try ask(plan)

    let meter = ProgressMeter(output)
    defer { meter.finish() }
    let summary: LoadSummary
    do {
      summary = try await job.run(plan) { progress in
        meter.show(LoadCommand.reading(progress, contentBytes: plan.contentBytes))
      }
    } catch {
      meter.finish()
      throw stopped(by: error, plan)
    }
    meter.finish()
    try report(summary, seconds: meter.elapsed)
    if let rejects = summary.rejects {
      Terminal.error(
        "\(Format.count(rejects.count)) item(s) were rejected by the table; they are in "
          + rejects.path,
        hint: "each line there gives the reason; all other items were written")
      throw EndWith(status: ExitStatus.partial)
    }
  }

  /// Beside the archive, named for it and the table.
  private func defaultState(_ table: String) -> String {
    var path = archive
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return "\(path).\(table).load-state"
  }

  /// Says how to go on with a load that has begun and not ended.
  private func stopped(by error: any Error, _ plan: LoadPlan) -> any Error {
    let interrupted = error is CancellationError
    // Before the state file is made, nothing has been done that could be gone on with.
    guard FileSystem.exists(plan.statePath) else { return error }
    if let error = error as? DynamoError, error.code == .stateExists || error.code == .locked {
      return error
    }
    if !interrupted { Program.describe(error) }
    let again =
      "dynarc load \(archive) \(plan.target) --resume" + (state.map { " --state \($0)" } ?? "")
    let isDamaged = (error as? ArchiveError)?.code == .damaged
    Terminal.error(
      "\(interrupted ? "interrupted" : "stopped"); what is in table \(plan.target) is noted in "
        + plan.statePath,
      hint:
        "\(isDamaged ? "with a sound copy of the archive in its place, " : "")go on with: \(again)")
    if isDamaged { return EndWith(status: ExitStatus.failed) }
    return EndWith(status: interrupted ? ExitStatus.interrupted : ExitStatus.partial)
  }

  private static func reading(
    _ progress: LoadProgress, contentBytes: Int
  ) -> ProgressMeter.Reading {
    let deleting = progress.phase == .truncating
    return .init(
      done: deleting ? progress.deleted : progress.written,
      expected: deleting ? nil : progress.items, bytes: progress.wireBytes, unitName: "WU",
      units: progress.consumedUnits, prefix: progress.phase.rawValue, retries: progress.retries,
      throttledBy: progress.throttledBy, fault: progress.lastFault)
  }

  /// Says what a person must know beforehand.
  private func warn(_ plan: LoadPlan) {
    if !plan.notRecreated.isEmpty {
      Terminal.warn(
        "load does not bring back yet: \(plan.notRecreated.joined(separator: ", ")); they are in "
          + "the manifest")
    }
    if let reason = plan.partialBecause {
      Terminal.warn("the archive holds only a part of each item: \(reason)")
    }
    if plan.holdsItems, let reason = plan.sliceBecause {
      Terminal.warn("the archive holds only some of the source's items: \(reason)")
    }
  }

  /// Asks where something could be lost.
  private func ask(_ plan: LoadPlan) throws {
    guard plan.holdsItems else { return }
    let question: String
    switch plan.existing {
    case .truncate where plan.truncates:
      question =
        "Delete every item of \(plan.target) (about \(Format.count(plan.targetItemCount))) first?"
    case .merge where plan.partialBecause != nil:
      question = "Replace whole items of \(plan.target) by parts of items?"
    default: return
    }
    guard !yes else { return }
    guard Terminal.standardInputIsTTY else {
      Terminal.error(
        "this would \(plan.existing == .truncate ? "delete" : "replace") items of \(plan.target)",
        hint: "add --yes to go on without being asked")
      throw EndWith(status: ExitStatus.usage)
    }
    guard Terminal.confirm(question) else {
      Terminal.say("nothing was changed")
      throw EndWith(status: ExitStatus.failed)
    }
  }

  private func report(_ plan: LoadPlan) throws {
    let actions = actions(plan)
    if output.json {
      try Terminal.output(
        .object([
          "dryRun": true, "archive": .string(archive), "table": .string(plan.target),
          "createsTable": .bool(plan.createsTable), "holdsItems": .bool(plan.holdsItems),
          "existing": .string(plan.existing.rawValue), "items": JSONValue(plan.items),
          "contentBytes": JSONValue(plan.contentBytes),
          "notRecreated": .array(plan.notRecreated.map(JSONValue.string)),
          "partialBecause": plan.partialBecause.map(JSONValue.string) ?? .null,
          "sliceBecause": plan.sliceBecause.map(JSONValue.string) ?? .null,
        ]))
    } else {
      for action in actions { Terminal.say("would \(action)") }
    }
  }

  private func actions(_ plan: LoadPlan) -> [String] {
    var list: [String] = []
    if plan.createsTable {
      let indexes = plan.schema.indexes.map(\.name)
      list.append(
        "create table \(plan.target) with key \(plan.schema.key.words)"
          + (indexes.isEmpty ? "" : ", indexes \(indexes.joined(separator: ", "))")
          + ", \(plan.schema.billingMode == .onDemand ? "on demand" : "provisioned")")
      if !plan.notRecreated.isEmpty {
        list.append("not bring back: \(plan.notRecreated.joined(separator: ", "))")
      }
    }
    if plan.truncates {
      list.append(
        "delete every item of \(plan.target) (about \(Format.count(plan.targetItemCount)))")
    }
    if let done = plan.resumedItems {
      list.append("go on behind \(Format.count(done)) items that are there already")
    }
    list.append(
      "put \(Format.count(plan.items - (plan.resumedItems ?? 0))) items (\(Format.bytes(plan.contentBytes))) into "
        + "\(plan.target)\(plan.holdsItems && plan.existing == .merge ? ", over what is there" : "")"
    )
    return list
  }

  private func report(_ summary: LoadSummary, seconds: Double) throws {
    let progress = summary.progress
    if output.json {
      var json: JSONObject = [
        "archive": .string(archive), "table": .string(summary.plan.target),
        "created": .bool(summary.plan.createsTable), "items": JSONValue(summary.plan.items),
        "written": JSONValue(progress.written), "rejected": JSONValue(progress.rejected),
        "deleted": JSONValue(progress.deleted),
        "consumedWriteUnits": .number(Format.plain(progress.consumedUnits)),
        "seconds": .number(Format.plain(seconds)),
      ]
      json["rejects"] = summary.rejects.map { .string($0.path) }
      TrafficReport.add(progress.retries, progress.throttledBy, to: &json)
      try Terminal.output(.object(json))
    }
    guard !output.quiet, !output.json else { return }
    Terminal.say(
      "loaded \(Format.count(progress.written)) of \(Format.count(summary.plan.items)) items into "
        + "\(summary.plan.target)\(summary.plan.createsTable ? " (created)" : "") in "
        + "\(Format.duration(seconds)), \(Format.decimal(progress.consumedUnits, 1)) write units"
        + (progress.deleted > 0 ? ", \(Format.count(progress.deleted)) deleted before" : ""))
    TrafficReport.lines(progress.retries, progress.throttledBy).forEach(Terminal.say)
  }
}
