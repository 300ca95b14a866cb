import ArgumentParser
import Archive
import Dynamo
import JSON

struct LoadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "load",
    abstract:
      "Write an archive into a table, or a folder of archives into tables, creating those that are not there.",
    discussion: """
      dynarc load ./orders-2026-11-22 Orders-restored
      dynarc load ./orders-2026-11-22 Orders --truncate --yes
      dynarc load ./orders-2026-11-22 Orders --resume
      dynarc load ./orders-2026-11-22 Orders-copy --schema-only --billing on-demand
      dynarc load ./sunday Orders --changes ./monday-changes --changes ./tuesday-changes
      dynarc load ./orders-2026-11-22 Orders-test --hash email --remove address.phone
      dynarc load ./prod-2026-11-22 --prefix-map prod-=staging-
      """)

  @Argument(help: "Directory of the archive, or folder of archives.", completion: .directory)
  var archive: String

  @Argument(
    help: "Table, by name or as dynamodb://[profile@][region]/NAME; otherwise the name it had.",
    transform: TableAddress.parse)
  var table: TableAddress?

  @Option(
    help: ArgumentHelp(
      "An archive of changes since the archive; again for each later one, in their order. The last state "
        + "is written, each item once.", valueName: "changes"),
    completion: .directory)
  var changes: [String] = []

  @Option(
    help: ArgumentHelp(
      "Of a folder: what stands in the place of the beginning of a table's name; may be given again, the first "
        + "that fits counts, and an empty left side fits every name.", valueName: "src=dst"),
    transform: LoadCommand.prefixMap)
  var prefixMap: [PrefixMap] = []

  @Flag(help: "Put the items over those that the table holds.")
  var merge = false

  @Flag(help: "Delete every item that the table holds first; asks.")
  var truncate = false

  @Flag(
    help: """
      Read the table back afterwards, consistently, and compare it with the archive item by item; exit \
      code 1 if it differs.
      """)
  var verify = false

  @Option(
    help: ArgumentHelp(
      "With --verify: read units a second to consume at most, or a percentage.",
      valueName: "n|n%"))
  var readUnits: CapacityArgument?

  @OptionGroup var write: WriteArguments

  @OptionGroup(title: "Table and settings") var wanted: SettingsArguments

  @OptionGroup(title: "Changing items") var changing: TransformOptions

  @OptionGroup var prices: PriceOptions

  @OptionGroup(title: "AWS") var aws: AWSOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws {
    guard !(merge && truncate) else {
      throw ValidationError("--merge and --truncate exclude each other")
    }
    if verify, wanted.schemaOnly {
      throw ValidationError("--schema-only writes no items, and --verify compares items")
    }
    if readUnits != nil, !verify { throw ValidationError("--read-units goes with --verify") }
    if write.resume, merge || truncate {
      throw ValidationError("--resume goes on as the load began; leave --merge and --truncate out")
    }
    if write.resume, wanted.isGiven {
      throw ValidationError(
        "--resume goes on as the load began; leave out what says how the table is to be")
    }
    if wanted.schemaOnly, merge || truncate {
      throw ValidationError("--schema-only leaves items alone; leave --merge and --truncate out")
    }
    if wanted.schemaOnly, changing.isGiven {
      throw ValidationError("--schema-only writes no items, so there is nothing to change")
    }
  }

  func run() async throws {
    let prices = try prices.list()
    let transforms = try changing.transforms()
    if ArchiveFolder.isAt(archive) { return try await loadTables(prices, transforms) }
    guard prefixMap.isEmpty else {
      throw ValidationError("--prefix-map goes with a folder of archives; name the table instead")
    }
    let chain = try ArchiveChain(directories: [archive] + changes)
    var options = LoadOptions(
      write: try write.options(
        archive: archive, others: changes, table: table?.table ?? chain.last.source.tableName,
        command: "load"))
    options.target = table?.table
    options.existing = merge ? .merge : truncate ? .truncate : .refuse
    options.settings = wanted.choice
    options.transforms = transforms
    options.rekey = changing.rekey
    let connection = try await Connection(aws, address: table)
    options.account = { [identity = connection.identity] in await identity.account() }
    let job = LoadJob(
      client: connection.client, chain: chain, options: options,
      rejects: RejectsFile(directory: "."))
    let plan = try await job.plan()
    if verify, let reason = plan.partialBecause {
      throw ValidationError(
        "--verify compares whole items, and the archive holds only a part of each: \(reason)")
    }
    warn(plan)
    if write.dryRun {
      try await job.rehearse(plan) { _ in }
      return try report(plan)
    }
    try ask(plan)

    let meter = ProgressMeter(output)
    defer { meter.finish() }
    let summary: LoadSummary
    do {
      summary = try await job.run(plan) { meter.show(WriteArguments.reading($0)) }
    } catch {
      meter.finish()
      throw write.stopped(
        by: error, table: plan.target, statePath: plan.statePath,
        again: ShellCommand.line(again(plan) + changing.again))
    }
    meter.finish()
    let seconds = meter.elapsed
    let settings = SettingsReport(results: summary.settings, table: plan.target)
    settings.warn()
    var found: LoadFindings?
    if verify {
      found = LoadFindings(
        items: try await check(chain, connection.client, plan),
        settingsMissing: try await job.settingsMissing(plan, summary.settings))
    }
    try report(summary, settings, found, seconds: seconds, prices)
    // Whoever has items rejected or different is told of the settings, too.
    do {
      try WriteArguments.report(summary.rejects, noun: "item")
      if let found { try report(found, of: plan) }
    } catch {
      try settings.end(again: again(plan))
      throw error
    }
    try settings.end(again: again(plan))
  }

  /// The command without its options.
  private func again(_ plan: LoadPlan) -> [String] {
    ["dynarc", "load", archive, plan.target] + changes.flatMap { ["--changes", $0] }
  }

  /// Says what a person must know beforehand.
  ///
  /// - Parameter table: stands before it, where there are several.
  func warn(_ plan: LoadPlan, of table: String = "") {
    if !plan.notRecreated.isEmpty {
      Terminal.warn(
        "\(table)load does not bring back: \(plan.notRecreated.joined(separator: ", ")); they are in the "
          + "manifest")
    }
    if let reason = plan.partialBecause {
      Terminal.warn("\(table)the archive holds only a part of each item: \(reason)")
    }
    if plan.holdsItems, let rules = plan.changedBecause {
      Terminal.warn("\(table)items are not as the source had them: \(rules)")
    }
    if plan.holdsItems, let reason = plan.sliceBecause {
      Terminal.warn("\(table)the archive holds only some of the source's items: \(reason)")
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
    case .merge:
      guard let rules = plan.changedBecause else { return }
      question = "Replace whole items of \(plan.target) by items that were changed: \(rules)?"
    default: return
    }
    try write.confirm(
      question,
      danger:
        "this would \(plan.existing == .truncate ? "delete" : "replace") items of \(plan.target)")
  }

  private func report(_ plan: LoadPlan) throws {
    if output.json {
      try Terminal.output(.object(json(plan, of: archive)))
    } else {
      for action in actions(plan) { Terminal.say("would \(action)") }
    }
  }

  /// What a dry run tells of an archive.
  func json(_ plan: LoadPlan, of archive: String) -> JSONObject {
    var json: JSONObject = [
      "dryRun": true, "archive": .string(archive), "table": .string(plan.target),
      "createsTable": .bool(plan.createsTable), "holdsItems": .bool(plan.holdsItems),
      "existing": .string(plan.existing.rawValue), "items": JSONValue(plan.items),
      "contentBytes": JSONValue(plan.contentBytes),
      "notRecreated": .array(plan.notRecreated.map(JSONValue.string)),
      "partialBecause": plan.partialBecause.map(JSONValue.string) ?? .null,
      "sliceBecause": plan.sliceBecause.map(JSONValue.string) ?? .null,
      "requests": .array(plan.blueprint.map { requests($0, plan) } ?? []),
      "settings": SettingsReport(results: plan.blueprint?.left ?? [], table: plan.target).json,
    ]
    json.add(plan.transforms)
    return json
  }

  /// The requests that make the table and its settings, in their order.
  private func requests(_ blueprint: TableBlueprint, _ plan: LoadPlan) -> [JSONValue] {
    var list: [JSONValue] = []
    if plan.createsTable {
      list.append(["operation": "CreateTable", "request": .object(blueprint.creation)])
    }
    for step in (plan.createsTable ? [] : blueprint.ofCreation) + blueprint.afterwards {
      list.append([
        "setting": .string(step.setting.rawValue), "what": .string(step.words),
        "service": .string(step.service.rawValue), "operation": .string(step.operation),
        "request": .object(step.body),
      ])
    }
    return list
  }

  /// What a dry run says that a load would do.
  func actions(_ plan: LoadPlan) -> [String] {
    var list: [String] = []
    if plan.createsTable {
      let indexes = plan.schema.indexes.map(\.name)
      list.append(
        "create table \(plan.target) with key \(plan.schema.key.words)"
          + (indexes.isEmpty ? "" : ", indexes \(indexes.joined(separator: ", "))")
          + ", \(plan.schema.billingMode == .onDemand ? "on demand" : "provisioned")"
          + (plan.blueprint?.ofCreation ?? []).map { ", \($0.words)" }.joined())
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
    if plan.settings.part != .schema {
      list.append(
        "put \(Format.count(plan.items - (plan.resumedItems ?? 0))) items (\(Format.bytes(plan.contentBytes))) into "
          + "\(plan.target)\(plan.holdsItems && plan.existing == .merge ? ", over what is there" : "")"
      )
    }
    if !plan.transforms.isEmpty { list.append("change each: \(plan.transforms.words)") }
    guard let blueprint = plan.blueprint else { return list }
    for later in blueprint.laterIndexes { list.append("then make index \(later.index.name)") }
    let steps = (plan.createsTable ? [] : blueprint.ofCreation) + blueprint.afterwards
    if !steps.isEmpty {
      list.append("then set \(steps.map(\.words).joined(separator: ", "))")
    }
    for result in blueprint.left {
      if case .skipped(let reason, _) = result.outcome {
        list.append("leave \(result.words): \(reason)")
      }
    }
    return list
  }

  private func report(
    _ summary: LoadSummary, _ settings: SettingsReport, _ found: LoadFindings?,
    seconds: Double, _ prices: Prices
  ) throws {
    let progress = summary.progress
    let cost = CostReport(
      prices,
      .init(
        billingMode: summary.plan.schema.billingMode, tableClass: summary.plan.tableClass,
        readUnits: progress.consumedReadUnits + (found?.items.traffic.consumedUnits ?? 0),
        writeUnits: progress.consumedUnits))
    if output.json {
      var json: JSONObject = [
        "archive": .string(archive), "table": .string(summary.plan.target),
        "created": .bool(summary.plan.createsTable), "items": JSONValue(summary.plan.items),
        "written": JSONValue(progress.written), "rejected": JSONValue(progress.rejected),
        "deleted": JSONValue(progress.deleted),
        "consumedWriteUnits": .number(Format.plain(progress.consumedUnits)),
        "seconds": .number(Format.plain(seconds)),
      ]
      json["cost"] = cost.json
      json.add(summary.plan.transforms)
      json["rejects"] = summary.rejects.map { .string($0.path) }
      json["verified"] = found?.json
      json["settings"] = settings.json
      TrafficReport.add(progress.retries, progress.throttledBy, to: &json)
      try Terminal.output(.object(json))
    }
    guard !output.quiet, !output.json else { return }
    if summary.plan.settings.part == .schema {
      Terminal.say(
        "\(summary.plan.createsTable ? "created" : "changed") table \(summary.plan.target)")
      return settings.line.map(Terminal.say) ?? ()
    }
    Terminal.say(
      "loaded \(Format.count(progress.written)) of \(Format.count(summary.plan.items)) items into "
        + "\(summary.plan.target)\(summary.plan.createsTable ? " (created)" : "") in "
        + "\(Format.duration(seconds)), \(Format.decimal(progress.consumedUnits, 1)) write units"
        + (progress.deleted > 0 ? ", \(Format.count(progress.deleted)) deleted before" : ""))
    summary.plan.transforms.say()
    settings.line.map(Terminal.say)
    cost.say()
    TrafficReport.lines(progress.retries, progress.throttledBy).forEach(Terminal.say)
  }
}
