import AWS
import Archive
import ArgumentParser
import Dynamo
import JSON

struct DumpCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dump",
    abstract: "Read a table, an index or a slice into an archive, or several tables into a folder.",
    discussion: """
      dynarc dump Orders ./orders-2026-11-22
      dynarc dump Orders ./one-customer --pk 4711 --sk-begins-with 2026-11
      dynarc dump Orders ./open --index by-status --pk open
      dynarc dump Orders ./orders-2026-11-22 --resume
      dynarc dump Orders ./changes-2026-11-23 --base ./orders-2026-11-22
      dynarc dump Customers ./for-tests --hash email --remove address.street --set 'name="Jane Doe"'
      dynarc dump 'prod-*' ./prod-2026-11-22
      dynarc dump --tag team=pay ./pay-2026-11-22
      """)

  @Argument(
    help: ArgumentHelp(
      "Table, by name or as dynamodb://[profile@][region]/NAME; with * and ? in it, every table whose name "
        + "fits. Left out with --all, and where --tag alone chooses.", valueName: "table"))
  var first: String

  @Argument(
    help: ArgumentHelp(
      "Directory to create for the archive, or for a folder of archives; it must not exist, but for "
        + "--resume.", valueName: "archive"), completion: .directory)
  var second: String?

  @Flag(help: "Dump all tables, into a folder.")
  var all = false

  @Option(
    help: ArgumentHelp(
      "Dump the tables with this tag, or with a tag of this key, into a folder; again for each further tag "
        + "that they must have.", valueName: "key=value"), transform: DumpCommand.tag)
  var tag: [TagCondition] = []

  @OptionGroup(title: "What to read") var slice: SliceOptions

  @Flag(help: "Accept a projection without the key attributes; such an archive cannot be loaded.")
  var allowKeyless = false

  @Option(
    help: ArgumentHelp(
      "Write only what changed since this archive, as an archive of changes; again for each archive of "
        + "changes that was made since, in their order.", valueName: "archive"),
    completion: .directory)
  var base: [String] = []

  @Flag(
    help: """
      With --base: keep whole items as they were, so that the changes can be taken back; otherwise a \
      digest of each.
      """)
  var withOld = false

  @Option(
    help: ArgumentHelp(
      "Segments of the parallel scan, 1 to 1,000,000; otherwise by the table's size.",
      valueName: "n"))
  var segments: Int?

  @Option(
    help: ArgumentHelp(
      "Requests in flight at most; how many there are adapts to the table.", valueName: "n"))
  var concurrency: Int?

  @Option(
    help: ArgumentHelp(
      "Read units a second to consume at most, or a percentage of the provisioned or maximum "
        + "on-demand throughput.", valueName: "n|n%"))
  var readUnits: CapacityArgument?

  @OptionGroup var giveUp: GiveUpOptions

  @OptionGroup var prices: PriceOptions

  @Option(help: ArgumentHelp("zstd level, 1 to 19.", valueName: "1-19"))
  var level = 3

  @Option(
    help: ArgumentHelp(
      "Content at which a chunk ends, for example 32MiB or 8MB.", valueName: "size"))
  var chunkSize: ByteSize?

  @Flag(help: "Go on with a dump that was stopped, as it was begun.")
  var resume = false

  @OptionGroup(title: "Changing items") var changing: TransformOptions

  @OptionGroup(title: "AWS") var aws: AWSOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws {
    try validateTables()
    guard (1...19).contains(level) else { throw ValidationError("--level takes 1 to 19") }
    if let concurrency, !(1...1024).contains(concurrency) {
      throw ValidationError("--concurrency takes 1 to 1024")
    }
    if let size = chunkSize?.bytes, !(1 << 16...1 << 30).contains(size) {
      throw ValidationError("--chunk-size takes 64KiB to 1GiB")
    }
    if segments != nil, !slice.key.pk.isEmpty {
      throw ValidationError("--segments is for scans; with --pk the table is queried")
    }
    if allowKeyless, slice.projection == nil {
      throw ValidationError("--allow-keyless goes with --projection")
    }
    try validateBase()
  }

  /// What to read, but for the segments.
  func readOptions() throws -> ReadOptions {
    var options = try slice.readOptions()
    options.allowKeyless = allowKeyless
    return options
  }

  /// How to dump, for one table or each of several.
  func dumpOptions() throws -> DumpOptions {
    var options = DumpOptions(toolVersion: Version.number, cores: Machine.cores)
    options.read = try readOptions()
    options.read.segments = segments
    options.concurrency = concurrency
    options.readUnits = readUnits?.limit
    if let time = giveUp.giveUpAfter { options.giveUpAfter = time.duration }
    options.level = level
    options.resume = resume
    try addTransforms(to: &options)
    options.stop = Interruption.stop
    options.warn = { Terminal.warn($0) }
    if let chunkSize { options.limits.contentBytes = chunkSize.bytes }
    return options
  }

  func run() async throws {
    let prices = try prices.list()
    guard base.isEmpty else { return try await dumpChanges(prices) }
    if let selection { return try await dumpTables(selection, prices) }
    if resume, ArchiveFolder.isAt(archive) {
      throw ArchiveError.folder(archive, table: try table.table)
    }
    let options = try dumpOptions()
    let read = options.read
    let meter = ProgressMeter(output)
    defer { meter.finish() }

    let table = try table
    let connection = try await Connection(aws, address: table)
    let job = try await DumpJob(
      client: connection.client, tableName: table.table, storage: LocalStorage(directory: archive),
      options: options)
    if let reason = job.plan.partialBecause {
      Terminal.warn("the archive will hold only a part of each item: \(reason)")
    }
    if !job.transforms.isEmpty, job.plan.description.expressionAttributeValues != nil {
      Terminal.warn(
        "the manifest keeps what is asked for, the values of --pk, --sk and --filter, as they are given: no rule "
          + "changes them")
    }
    let summary: DumpSummary
    do {
      summary = try await job.run { progress in
        var reading = progress.reading
        if read.filter != nil { reading.expected = nil }
        meter.show(reading)
      }
    } catch {
      meter.finish()
      throw stopped(by: error)
    }
    meter.finish()
    warnOfUnread(summary.archive.manifest.settings)
    try report(summary, seconds: meter.elapsed, prices)
  }

  func warnOfUnread(_ settings: TableSettings, of table: String = "") {
    let unread = settings.notRead.map { "\($0.setting) (\($0.code))" }
    guard !unread.isEmpty else { return }
    Terminal.warn("\(table)settings that could not be read: \(unread.joined(separator: ", "))")
  }

  /// Says how to go on with a dump that has begun and not ended.
  private func stopped(by error: any Error) -> any Error {
    // An error about what was found there says itself what to do.
    let found: [ArchiveError.Code] = [
      .exists, .missing, .complete, .locked, .otherDump, .foreign, .damaged, .unsupported,
    ]
    if let error = error as? ArchiveError, found.contains(error.code) { return error }
    guard FileSystem.exists("\(archive)/\(ArchiveNames.journal)") else { return error }
    if let error = error as? TransformError { return unfit(error) }
    let interrupted = error is CancellationError
    if !interrupted { Program.describe(error) }
    var words = ["dynarc"] + CommandLine.arguments.dropFirst()
    if !resume { words.append("--resume") }
    Terminal.error(
      "\(interrupted ? "interrupted" : "stopped"); \(archive) holds an unfinished dump",
      hint: "go on with: \(ShellCommand.line(words)); or remove \(archive) to start over")
    return EndWith(status: interrupted ? ExitStatus.interrupted : ExitStatus.partial)
  }

  /// What reading cost; nil where the service does not tell what was consumed.
  func cost(_ manifest: Manifest, readUnits: Double?, _ prices: Prices) -> CostReport? {
    guard let readUnits else { return nil }
    let tableClass = TableClass(described: manifest.settings.described)
    return CostReport(
      prices,
      .init(
        billingMode: manifest.table.billingMode, tableClass: tableClass, readUnits: readUnits))
  }

  private func report(_ summary: DumpSummary, seconds: Double, _ prices: Prices) throws {
    let manifest = summary.archive.manifest
    let counts = manifest.counts
    let cost = cost(manifest, readUnits: counts.consumedReadUnits, prices)
    if output.json {
      var json: JSONObject = [
        "archive": .string(archive), "id": .string(summary.archive.id),
        "table": .string(manifest.source.tableName), "items": JSONValue(counts.items),
        "scannedItems": JSONValue(counts.scannedItems),
        "contentBytes": JSONValue(counts.contentBytes),
        "storedBytes": JSONValue(counts.storedBytes),
        "chunks": JSONValue(manifest.chunks.count),
        "segments": JSONValue(manifest.source.read.totalSegments),
        "resumedItems": JSONValue(summary.resumed?.items ?? 0),
        "seconds": .number(Format.plain(seconds)),
      ]
      json["consumedReadUnits"] = counts.consumedReadUnits.map { .number(Format.plain($0)) }
      json["cost"] = cost?.json
      json["transforms"] = ItemTransforms.json(manifest.source.transforms)
      json["hashKeyCheck"] = manifest.source.hashKeyCheck.map(JSONValue.string)
      TrafficReport.add(summary.retries, summary.throttledBy, to: &json)
      try Terminal.output(.object(json))
    }
    guard !output.quiet, !output.json else { return }
    if let resumed = summary.resumed {
      Terminal.say("went on behind \(Format.count(resumed.items)) items of earlier runs")
    }
    Terminal.say(
      "dumped \(Format.count(counts.items)) items (\(Format.bytes(counts.contentBytes)), stored in "
        + "\(Format.bytes(counts.storedBytes))) of \(manifest.source.tableName) to "
        + "\(archive) in \(Format.duration(seconds))"
        + (counts.consumedReadUnits.map { ", \(Format.decimal($0, 1)) read units" } ?? ""))
    if !manifest.source.transforms.isEmpty {
      Terminal.say("changed on the way: \(ItemTransforms.words(manifest.source.transforms))")
    }
    cost?.say()
    TrafficReport.lines(summary.retries, summary.throttledBy).forEach(Terminal.say)
  }
}

extension DumpProgress {
  /// What the progress line shows.
  var reading: ProgressMeter.Reading {
    .init(
      done: items, expected: expectedItems, bytes: contentBytes, unitName: "RU",
      units: consumedUnits, prefix: segments > 1 ? "\(segmentsDone)/\(segments) segments" : "",
      retries: retries, throttledBy: throttledBy, fault: lastFault)
  }
}
