import Archive
import ArgumentParser
import Dynamo
import JSON

struct DiffCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Compare archives and tables; exits with 1 if they differ, with 2 on trouble.",
    discussion: """
      dynarc diff ./monday ./tuesday
      dynarc diff ./monday ./tuesday --stat
      dynarc diff ./monday Orders --pk 4711 --ignore updated_at,meta.version
      dynarc diff ./monday ./tuesday --json | jq -r 'select(.change == "removed").key'
      dynarc diff ./monday ./tuesday --html changes.html

      A directory, and whatever has a / or begins with a dot, is an archive; anything else is a \
      table. Items are compared by their keys. The order of attributes and of members of sets, the \
      spelling of numbers and escapes are no difference.
      """)

  @Argument(
    help: "The old side: an archive's directory, or a table by name or as dynamodb://….",
    completion: .directory)
  var old: TableOrArchive

  @Argument(help: "The new side, likewise.", completion: .directory)
  var new: TableOrArchive

  @OptionGroup(title: "What to compare") var key: KeyOptions

  @Option(
    help: ArgumentHelp(
      "Attributes whose differences do not count, with commas between them; nested ones as "
        + "address.lines[2], names with other signs in quotation marks: '\"a.b\".c'.",
      valueName: "attr,…"))
  var ignore: [PathsArgument] = []

  @Option(help: ArgumentHelp("Only differences in these attributes count.", valueName: "attr,…"))
  var only: [PathsArgument] = []

  @Flag(help: "Only how much differs: items, bytes, and how often each attribute.")
  var stat = false

  @Flag(help: "Only the keys of items that differ.")
  var keys = false

  @Option(help: ArgumentHelp("Show so many changes at most.", valueName: "n"))
  var limit: Int?

  @Option(
    name: .customLong("output"),
    help: ArgumentHelp(
      "Write an archive of the changes into this directory, for dynarc apply; nothing is listed then, "
        + "but for --stat, --keys and --json.", valueName: "changes"),
    completion: .directory)
  var changes: String?

  @Flag(
    help: """
      With --output: keep whole items as they were, so that the changes can be taken back; otherwise \
      a digest of each.
      """)
  var withOld = false

  @Option(
    help: ArgumentHelp(
      "Write a page for browsers into this file, which must not be there yet: numbers, charts and a "
        + "table of the changes to search in, with nothing fetched from elsewhere. It holds the first "
        + "100,000 changes, or so many as --limit says, and what --keys and --ignore leave; nothing is "
        + "listed then, but for --stat, --keys and --json.", valueName: "file"),
    completion: .file(extensions: ["html"]))
  var html: String?

  @Option(
    help: ArgumentHelp(
      "Memory for tables and buffers, for example 64MB (default: 256MB); what is more goes to "
        + "files without names in $TMPDIR, or /var/tmp.", valueName: "size"))
  var memory: ByteSize?

  @Option(
    help: ArgumentHelp(
      "Read units a second to consume at most of each table, or a percentage.", valueName: "n|n%"))
  var readUnits: CapacityArgument?

  @OptionGroup var giveUp: GiveUpOptions

  @OptionGroup(title: "AWS") var aws: AWSOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws {
    if stat, keys { throw ValidationError("--stat and --keys exclude each other") }
    if stat, html == nil, limit != nil {
      throw ValidationError("--stat counts all changes; leave --limit out")
    }
    if changes != nil, html == nil, !keys, limit != nil {
      throw ValidationError("--output takes all changes and lists none; leave --limit out")
    }
    if let limit, limit < 0 { throw ValidationError("--limit takes 0 or more") }
    if withOld, changes == nil { throw ValidationError("--with-old goes with --output") }
    if changes != nil, !ignore.isEmpty || !only.isEmpty {
      throw ValidationError(
        "--output writes whole items; it does not go with --ignore and --only")
    }
    if let bytes = memory?.bytes, bytes < DiffOptions.leastMemory {
      throw ValidationError("--memory takes \(DiffOptions.leastMemory / 1_000_000)MB or more")
    }
  }

  func run() async throws {
    let summary: DiffSummary
    do { summary = try await compare() } catch let error where !(error is CancellationError) {
      // As diff(1) has it: 1 are differences, 2 is trouble of any kind.
      let status = Program.describe(error)
      throw EndWith(status: status == ExitStatus.interrupted ? status : ExitStatus.trouble)
    }
    if !summary.isEmpty { throw EndWith(status: ExitStatus.found) }
  }

  /// Two archives of one slice are comparable; an archive of a slice and anything else hardly.
  private func warnOfSlices(_ sides: [any ItemSource]) {
    guard sides[0].origin.source.read != sides[1].origin.source.read else { return }
    for side in sides where side.origin.side.archiveID != nil {
      guard let reason = side.origin.source.sliceBecause else { continue }
      Terminal.warn(
        "\(side.name) holds only some of its table's items: \(reason); what it does not cover counts "
          + "as not there")
    }
  }

  /// Items that were changed by the same rules and with the same key are comparable.
  private func warnOfTransforms(_ sides: [any ItemSource]) {
    let (one, other) = (sides[0].origin.source, sides[1].origin.source)
    guard one.transforms != other.transforms || one.hashKeyCheck != other.hashKeyCheck else {
      return
    }
    for side in sides {
      guard let reason = side.origin.source.changedBecause else { continue }
      Terminal.warn("the items in \(side.name) are not as they were in its table: \(reason)")
    }
  }

  private func compare() async throws -> DiffSummary {
    let sides = [try await source(old), try await source(new)]
    let parts = sides.compactMap { side in
      side.origin.source.partialBecause(side.origin.table).map { (side.name, $0) }
    }
    for (name, reason) in parts {
      guard changes == nil else {
        throw ArchiveError(
          .unsupported, "\(name) holds only a part of each item: \(reason)",
          hint: "an archive of changes would put these parts in the place of whole items")
      }
      Terminal.warn("\(name) holds only a part of each item: \(reason)")
    }
    warnOfSlices(sides)
    warnOfTransforms(sides)
    var options = DiffOptions(
      temporaryDirectory: FileSystem.temporaryDirectory, concurrency: Machine.cores)
    if let memory { options.memory = memory.bytes }
    options.attributes = AttributeFilter(
      ignored: ignore.flatMap(\.paths), only: only.flatMap(\.paths))
    let diff = try Diff(old: sides[0], new: sides[1], options: options)

    var page = try html.map {
      try DiffPage(path: $0, keysOnly: keys, limit: limit, filter: options.attributes)
    }
    let meter = ProgressMeter(output)
    defer { meter.finish() }
    let isListed = changes == nil && html == nil || keys
    var report = DiffReport(
      style: stat ? .none : output.json ? .json : isListed ? .listing : .none, keysOnly: keys,
      limit: limit, filter: options.attributes)
    var statistics = DiffStatistics(filter: options.attributes)
    let progress: @Sendable (DiffProgress) -> Void = { progress in
      meter.show(
        .init(done: progress.items, expected: progress.expectedItems, bytes: progress.contentBytes))
    }
    let each = { (batch: borrowing ChangeBatch) in
      if stat || html != nil { try statistics.add(batch) }
      try page?.add(batch)
      try report.show(batch) { bytes in
        meter.finish()
        try Terminal.output(bytes.span)
      }
    }
    let summary: DiffSummary
    if let changes {
      let writer = try ChangesWriter(
        storage: LocalStorage(directory: changes), oldImages: withOld ? .images : .digests,
        compression: Compression(level: 3))
      do {
        let tool = ArchiveTool(version: Version.number)
        summary = try await diff.write(writer, tool: tool, progress: progress, each).summary
      } catch {
        meter.finish()
        Terminal.warnUnfinished(changes)
        throw error
      }
    } else {
      summary = try await diff.run(progress: progress, each)
    }
    let notOnPage = try page?.finish(
      summary, statistics, sides: sides.map(\.origin), filter: options.attributes, keysOnly: keys)
    meter.finish()
    if let html, let notOnPage, notOnPage > 0 {
      Terminal.warn("\(html) lacks \(Format.count(notOnPage)) more changes; it counts them")
    }
    if stat {
      let text = DiffStatReport(summary, statistics)
      if output.json { try Terminal.output(text.json) } else { try Terminal.output(text.text) }
    } else if !output.quiet {
      if report.notShown > 0 {
        Terminal.say("\(Format.count(report.notShown)) more changes are not shown (--limit)")
      }
      Terminal.say(DiffStatReport.line(summary))
    }
    return summary
  }
}

extension DiffCommand {
  /// Opens a side.
  private func source(_ side: TableOrArchive) async throws -> any ItemSource {
    switch side {
    case .archive(let path):
      let archive = try Archive.open(LocalStorage(directory: path))
      let slice =
        key.pk.isEmpty
        ? nil
        : try KeySlice(
          key: archive.manifest.table.key, partition: key.pk, sort: try key.sort())
      return try ArchiveItems(archive, slice: slice)
    case .table(let address):
      var options = TableItemsOptions(cores: Machine.cores)
      options.partition = key.pk
      options.sort = try key.sort()
      options.readUnits = readUnits?.limit
      if let time = giveUp.giveUpAfter { options.giveUpAfter = time.duration }
      options.stop = Interruption.stop
      options.capturesSettings = changes != nil
      let connection = try await Connection(aws, address: address)
      return try await TableItems(
        client: connection.client, tableName: address.table, options: options)
    }
  }
}
