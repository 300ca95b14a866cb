import Archive
import ArgumentParser
import Dynamo

struct QueryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "query",
    abstract: "Show the items of a partition key, of a table or an index.",
    discussion: """
      dynarc query Orders --pk 4711
      dynarc query Orders --pk 4711 --sk-begins-with 2026-11 --table
      dynarc query Orders --index by-status --pk open --reverse --head 5
      dynarc query Orders --pk 4711 --unique address.city

      Items come one a line, in the order of their sort keys, as the pages arrive: typed JSON as \
      DynamoDB has it, or as --plain and --table have it.
      """)

  @Argument(
    help: "Table, by name or as dynamodb://[profile@][region]/NAME.",
    transform: TableAddress.parse)
  var table: TableAddress

  @OptionGroup(title: "What to read") var slice: SliceOptions

  @Flag(help: "From the highest sort key down.")
  var reverse = false

  @Option(
    help: ArgumentHelp("Stop after so many items, counted behind the filter.", valueName: "n"))
  var limit: Int?

  @Option(
    defaultAsFlag: 1,
    help: ArgumentHelp("The first item, or the first N: --limit in short.", valueName: "n"))
  var head: Int?

  @Flag(help: "Plain JSON: no types; binaries in base64, sets as lists.")
  var plain = false

  @Flag(
    name: .customLong("table"),
    help: """
      A table for people: the keys, then what else the first items have. On a terminal its rows are \
      cut to the width.
      """)
  var isTable = false

  @Flag(help: "Only how many items there are.")
  var count = false

  @Option(
    help: ArgumentHelp(
      "The distinct values of this attribute with how many items have each, the most frequent first; "
        + "nested ones as address.lines[2], names with other signs in quotation marks: '\"a.b\".c'.",
      valueName: "attr"))
  var unique: PathArgument?

  @OptionGroup var giveUp: GiveUpOptions

  @OptionGroup(title: "AWS") var aws: AWSOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws {
    if limit != nil, head != nil {
      throw ValidationError("--head and --limit are the same; give one of them")
    }
    if let most = limit ?? head, most < 1 {
      throw ValidationError("\(limit == nil ? "--head" : "--limit") takes 1 or more")
    }
    let forms = [
      (plain, "--plain"), (isTable, "--table"), (count, "--count"), (unique != nil, "--unique"),
    ]
    .filter(\.0).map(\.1)
    if forms.count > 1 {
      throw ValidationError("\(forms[0]) and \(forms[1]) exclude each other")
    }
    if output.json, !count, unique == nil {
      throw ValidationError("--json goes with --count and --unique; items are JSON without it")
    }
    if slice.projection != nil, count || unique != nil {
      throw ValidationError("\(forms[0]) looks at whole items; leave --projection out")
    }
  }

  func run() async throws {
    var options = QueryOptions()
    options.read = try slice.readOptions()
    options.isReversed = reverse
    options.limit = limit ?? head
    options.stop = Interruption.stop
    if let time = giveUp.giveUpAfter { options.giveUpAfter = time.duration }
    try options.check()
    let connection = try await Connection(aws, address: table)
    let job = try await QueryJob(
      client: connection.client, tableName: table.table, options: options)
    if slice.projection == nil, let reason = job.plan.partialBecause, !output.quiet {
      Terminal.say("items come only in part: \(reason)")
    }
    let meter = ProgressMeter(output)
    defer { meter.finish() }
    // Items that scroll by are progress enough.
    let isShown = count || unique != nil || !Terminal.standardOutputIsTTY
    let progress: @Sendable (QueryProgress) -> Void = { progress in
      guard isShown else { return }
      let traffic = progress.traffic
      meter.show(
        .init(
          done: progress.items, bytes: progress.bytes, unitName: "RU",
          units: traffic.consumedUnits, retries: traffic.retries, throttledBy: traffic.throttledBy,
          fault: traffic.lastFault))
    }
    let end: QueryProgress
    if count {
      end = try await job.count(progress: progress)
      meter.finish()
      try QueryReport.show(count: end, asJSON: output.json)
    } else if let unique {
      var values = ValueCounts(unique.path)
      end = try await job.run(progress: progress) { block in
        for line in block.lines { try values.add(block.bytes.span, line.item) }
        return true
      }
      meter.finish()
      try QueryReport.show(values, end, asJSON: output.json)
    } else if isTable {
      var items = ItemTable(keys: keyNames(job), width: Terminal.outputColumns)
      end = try await job.run(progress: progress) { block in
        for line in block.lines { try items.add(block.bytes.span, line.item) }
        meter.finish()
        try items.print()
        return true
      }
      try items.finish()
      if let note = items.note, !output.quiet { Terminal.say(note) }
    } else {
      var items = ItemPrinter(plain: plain)
      end = try await job.run(progress: progress) { block in
        for line in block.lines { try items.add(block.bytes.span, line.item) }
        meter.finish()
        try items.print()
        return true
      }
    }
    meter.finish()
    guard !output.quiet, !output.json else { return }
    Terminal.say(QueryReport.line(end))
    TrafficReport.lines(end.traffic.retries, end.traffic.throttledBy).forEach(Terminal.say)
  }

  /// Attributes of the index's key, then those of the table's.
  private func keyNames(_ job: QueryJob) -> [String] {
    let schema = job.table.schema
    let index = slice.index.flatMap { schema.index(named: $0) }?.key.attributes ?? []
    return (index + schema.key.attributes).map(\.name)
  }
}
