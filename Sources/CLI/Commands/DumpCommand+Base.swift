import Archive
import ArgumentParser
import Dynamo
import JSON

/// `dump --base`: what changed in a table since a snapshot, as an archive of changes.
extension DumpCommand {
  func validateBase() throws {
    guard !base.isEmpty else {
      if withOld { throw ValidationError("--with-old goes with --base") }
      return
    }
    if resume {
      throw ValidationError(
        "--base and --resume exclude each other: a dump of changes that was stopped begins anew")
    }
    var others = try readOptions()
    (others.partition, others.sort, others.consistent) = ([], nil, false)
    if changing.isGiven || changing.rekey {
      throw ValidationError(
        "--base compares items with those of the table, and rules would make others of them; leave --set, "
          + "--remove, --hash and --rekey out")
    }
    guard others == ReadOptions() else {
      throw ValidationError(
        "--base compares whole items by the table's key; leave --index, --filter, --projection, "
          + "--names, --values and --allow-keyless out")
    }
  }

  /// Reads the table, and writes what differs from the base.
  func dumpChanges(_ prices: Prices) async throws {
    let chain = try ArchiveChain(directories: base)
    let meter = ProgressMeter(output)
    defer { meter.finish() }
    let table = try table
    let connection = try await Connection(aws, address: table)
    let live = try await TableItems(
      client: connection.client, tableName: table.table, options: try tableOptions())
    try check(live.origin.source, against: chain)
    let old: any ItemSource =
      chain.changes.isEmpty ? try ArchiveItems(chain.base) : try ChainItems(chain)
    let diff = try Diff(
      old: old, new: live,
      options: DiffOptions(
        temporaryDirectory: FileSystem.temporaryDirectory, concurrency: Machine.cores))
    var limits = ChunkLimits.standard
    if let chunkSize { limits.contentBytes = chunkSize.bytes }
    let writer = try ChangesWriter(
      storage: LocalStorage(directory: archive), oldImages: withOld ? .images : .digests,
      compression: Compression(level: level), limits: limits)
    let result: (summary: DiffSummary, id: String)
    do {
      result = try await diff.write(writer, tool: ArchiveTool(version: Version.number)) {
        progress in
        let traffic = live.traffic
        meter.show(
          .init(
            done: progress.items, expected: progress.expectedItems, bytes: progress.contentBytes,
            unitName: "RU", units: traffic.consumedUnits, retries: traffic.retries,
            throttledBy: traffic.throttledBy, fault: traffic.lastFault))
      }
    } catch {
      meter.finish()
      Terminal.warnUnfinished(archive)
      throw error
    }
    meter.finish()
    let made = try Archive.open(LocalStorage(directory: archive))
    warnOfUnread(made.manifest.settings)
    try report(made, result.summary, live.traffic, seconds: meter.elapsed, prices)
  }

  private func tableOptions() throws -> TableItemsOptions {
    var options = TableItemsOptions(cores: Machine.cores)
    options.partition = slice.key.pk
    options.sort = try slice.key.sort()
    options.consistent = slice.consistent
    options.segments = segments
    options.concurrency = concurrency
    options.readUnits = readUnits?.limit
    if let time = giveUp.giveUpAfter { options.giveUpAfter = time.duration }
    options.stop = Interruption.stop
    options.capturesSettings = true
    return options
  }

  /// Whether the table can be what the base was read from.
  private func check(_ source: ArchiveSource, against chain: ArchiveChain) throws {
    let (name, before) = (base[base.count - 1], chain.last.source)
    if let rules = before.changedBecause {
      throw DynamoError(
        .usage, "the items in \(name) are not as they were in its table: \(rules)",
        hint:
          "they would all differ; give a base that was dumped without --set, --remove and --hash")
    }
    guard before.read.selectsSame(as: source.read) else {
      throw DynamoError(
        .usage,
        "\(name) holds \(before.sliceBecause == nil ? "the whole table" : "a part of its table"), and "
          + "this dump reads \(source.sliceBecause == nil ? "the whole table" : "another part")",
        hint:
          "give the --pk and --sk options that the base was dumped with, or another base; dynarc "
          + "info tells what it holds")
    }
    if let known = before.tableID, let found = source.tableID, known != found {
      Terminal.warn(
        "table \(source.tableName) is not the one that \(name) was read from: it has another table id"
      )
    }
  }

  private func report(
    _ made: Archive, _ summary: DiffSummary, _ traffic: ReadTraffic, seconds: Double,
    _ prices: Prices
  ) throws {
    let (manifest, counts) = (made.manifest, made.manifest.counts)
    let cost = cost(manifest, readUnits: traffic.consumedUnits, prices)
    if output.json {
      var json: JSONObject = [
        "archive": .string(archive), "id": .string(made.id),
        "table": .string(manifest.source.tableName),
        "base": .string(manifest.changes?.from.archiveID ?? ""),
        "items": JSONValue(summary.new.items), "baseItems": JSONValue(summary.old.items),
        "added": JSONValue(summary.added), "removed": JSONValue(summary.removed),
        "changed": JSONValue(summary.changed), "contentBytes": JSONValue(counts.contentBytes),
        "storedBytes": JSONValue(counts.storedBytes), "chunks": JSONValue(manifest.chunks.count),
        "segments": JSONValue(manifest.source.read.totalSegments),
        "seconds": .number(Format.plain(seconds)),
        "consumedReadUnits": .number(Format.plain(traffic.consumedUnits)),
      ]
      json["cost"] = cost?.json
      TrafficReport.add(traffic.retries, traffic.throttledBy, to: &json)
      try Terminal.output(.object(json))
    }
    guard !output.quiet, !output.json else { return }
    Terminal.say(
      "dumped the changes of \(manifest.source.tableName) since \(base[base.count - 1]) to \(archive): "
        + "\(Format.count(summary.added)) added, \(Format.count(summary.removed)) removed, "
        + "\(Format.count(summary.changed)) changed of \(Format.count(summary.new.items)) items "
        + "(stored in \(Format.bytes(counts.storedBytes))) in \(Format.duration(seconds)), "
        + "\(Format.decimal(traffic.consumedUnits, 1)) read units")
    cost?.say()
    TrafficReport.lines(traffic.retries, traffic.throttledBy).forEach(Terminal.say)
  }
}
