import Archive

/// Copies a table, or a slice of one, into another table. Items go from the answers of the one service
/// into the requests to the other, as bytes and without the disk.
///
/// ```swift
/// var options = CopyOptions(cores: 4)
/// options.mode = .replace
/// let job = CopyJob(
///   source: production, table: "Orders", target: development, options: options,
///   rejects: RejectsFile(directory: "."))
/// let plan = try await job.plan()
/// // What the target holds can be kept here: SafeguardJob.
/// let summary = try await job.run(plan) { print($0.written) }
/// ```
public struct CopyJob: Sendable {
  private let source: DynamoClient
  private let sourceName: String
  private let target: DynamoClient
  private let options: CopyOptions
  private let rejects: RejectsFile

  /// - Parameters:
  ///   - source: asks for the table `sourceName`.
  ///   - target: asks for the table to copy into (`CopyOptions.target`); may be the same.
  ///   - rejects: where items go that the target's service refuses.
  public init(
    source: DynamoClient, table sourceName: String, target: DynamoClient, options: CopyOptions,
    rejects: RejectsFile
  ) {
    self.source = source
    self.sourceName = sourceName
    self.target = target
    self.options = options
    self.rejects = rejects
  }

  /// Looks at both tables; writes nothing.
  ///
  /// - Throws: `DynamoError` of code `noSuchTable`, `usage`, `sameTable`, `keyMismatch`, `notEmpty` or
  ///   `notActive`; `TransformError` for rules that do not fit one of the tables; `ServiceError`,
  ///   `CancellationError`.
  public func plan() async throws -> CopyPlan {
    try options.checkRekey()
    let table = try await source.describeTable(sourceName)
    try options.checkRules(table.schema)
    var read = options.read
    guard read.projection == nil else {
      throw DynamoError(.usage, "items are copied whole", hint: "leave the projection out")
    }
    let whole = try ReadPlan(table: table, options: read, cores: options.cores)
    // What the index does not hold must be read from the table, and nothing but its key is needed.
    let partial = whole.partialBecause == nil ? nil : read.index
    if partial != nil { read = read.keysOnly(table.schema.key) }
    let name = options.target ?? sourceName
    let found = try await targetTable(name, table)
    if let found { try options.checkRules(found.schema) }
    let holdsItems = found == nil ? false : try await target.holdsItems(name)
    let mode = try mode(holdsItems, name)
    if holdsItems { try options.checkFilter(mode) }
    // Somebody who has the wrong source would lose all of the target.
    let losesItems = holdsItems && mode != .merge
    return CopyPlan(
      source: table, target: name, targetTable: found, holdsItems: holdsItems,
      sourceIsEmpty: losesItems ? try await !source.holdsItems(sourceName) : false, mode: mode,
      read: try ReadPlan(table: table, options: read, cores: options.cores),
      sliceBecause: ArchiveSource(tableName: sourceName, read: whole.description).sliceBecause,
      partialIndex: partial, transforms: options.transforms,
      settings: found == nil ? await TableSettings.capture(table, client: source) : nil,
      readUnits: try options.readUnits?.unitsPerSecond(
        .read, schema: table.schema, raw: table.raw, index: read.index),
      targetReadUnits: try found.flatMap { found in
        try options.readUnits?.unitsPerSecond(
          .read, schema: found.schema, raw: found.raw, index: read.index)
      },
      writeUnits: try options.writeUnits?.unitsPerSecond(
        .write, schema: (found ?? table).schema, raw: found?.raw),
      targetKeys: try found.flatMap { found in
        losesItems ? try targetKeys(found, table.schema) : nil
      })
  }

  /// The target, where it exists: another table than the source, with its key.
  private func targetTable(
    _ name: String, _ source: TableDescription
  ) async throws -> TableDescription? {
    guard let described = try await target.describeTableIfPresent(name) else { return nil }
    let found = try await target.usable(described, limit: options.giveUpAfter)
    let isOneEndpoint = self.source.endpoint == target.endpoint
    guard !source.isSameTable(as: found, isOneEndpoint: isOneEndpoint) else {
      throw DynamoError(
        .sameTable, "source and target are one table: \(found.arn ?? name)",
        hint: "name the other side with --source or --target, or another table with --target-table")
    }
    guard found.schema.key == source.schema.key else {
      throw DynamoError(
        .keyMismatch,
        "the key of table \(name) is \(found.schema.key.words), and the source's is "
          + source.schema.key.words,
        hint: "name another table; one that does not exist is created with the source's key")
    }
    return found
  }

  private func mode(_ holdsItems: Bool, _ name: String) throws(DynamoError) -> CopyMode {
    guard holdsItems else { return options.mode ?? .merge }
    guard let mode = options.mode else {
      throw DynamoError(
        .notEmpty, "table \(name) holds items already",
        hint: "--replace makes it equal to the source, --merge puts the source's items over them, "
          + "--truncate-first deletes them first; or name another table")
    }
    return mode
  }

  /// How the keys of the target's items are read that may be deleted: those of the same slice.
  private func targetKeys(
    _ target: TableDescription, _ source: TableSchema
  ) throws(DynamoError) -> ReadPlan {
    if let name = options.read.index, let here = source.index(named: name) {
      guard let there = target.schema.index(named: name) else {
        throw DynamoError(
          .usage,
          "table \(target.schema.name) has no index \"\(name)\", so what it holds of the slice cannot "
            + "be found",
          hint: "create the index there, or copy with --merge, which deletes nothing")
      }
      guard there.key == here.key,
        options.read.filter == nil || there.projection == here.projection
      else {
        throw DynamoError(
          .usage,
          "index \(name) of table \(target.schema.name) is not like the source's, so the slice is "
            + "another one there",
          hint: "its key is \(there.key.words), the source's \(here.key.words); copy with --merge, "
            + "which deletes nothing")
      }
    }
    return try ReadPlan.keys(of: target, options.read, cores: options.cores)
  }

  /// Copies.
  ///
  /// - Parameter progress: called after each request, from any task.
  /// - Throws: `DynamoError`, `ServiceError`, `ArchiveError`, `CancellationError`, `TransformError` for an item that
  ///   the rules cannot change. What has been written until then stays; the same copy may be made again from the start.
  public func run(
    _ plan: CopyPlan, progress: @escaping @Sendable (CopyProgress) -> Void
  ) async throws -> CopySummary {
    var start = CopyProgress()
    start.expectedItems = plan.expectedItems
    let state = JobState(start, progress: progress)
    if plan.targetTable == nil {
      state.change { $0.phase = .creating }
      _ = try await target.createTable(plan.source.schema, name: plan.target)
    }
    try options.stop.takeOver()
    let run = run(plan, state)
    if plan.holdsItems, plan.mode == .truncateFirst { try await run.truncate() }
    let keys = plan.holdsItems && plan.mode == .replace ? KeyHashCollector() : nil
    try await run.copy(keys)
    if let keys { try await run.removeRest(but: try await offPool { keys.sorted() }) }
    return CopySummary(plan: plan, progress: state.snapshot, rejects: rejects.written)
  }

  private func run(_ plan: CopyPlan, _ state: JobState<CopyProgress>) -> CopyRun {
    let key = plan.source.schema.key
    let readers = options.readers(of: plan.read)
    // One for both sides: while the one is busy the other may be idle for longer than the job's patience.
    let pace = options.pace
    let reads = options.gate(
      source, pace: pace, maximum: options.writers, rate: plan.readUnits, note: state.note)
    let writer = TableWriter(
      client: target, table: plan.target, schema: plan.targetSchema, options: options, pace: pace,
      writeUnits: plan.writeUnits, note: state.note)
    let bytesPerItem = plan.source.sizeBytes / max(plan.source.itemCount, 1)
    return CopyRun(
      pages: PageReader(plan: plan.read, tableName: sourceName, gate: reads), readers: readers,
      fetcher: ItemFetcher(
        gate: reads, table: sourceName, key: key,
        meter: KeyReadMeter(rate: plan.readUnits, bytesPerItem: bytesPerItem),
        consumed: { units in state.change { $0.sourceReadUnits += units } }),
      fetchesWhole: plan.partialIndex != nil, transforms: plan.transforms, writer: writer,
      targetKeys: plan.targetKeys.map {
        PageReader(
          plan: $0, tableName: plan.target,
          gate: writer.gate.reading(unitsPerSecond: plan.targetReadUnits))
      },
      targetReaders: plan.targetKeys.map(options.readers(of:)) ?? 0, rejects: rejects, state: state)
  }
}

extension TableDescription {
  /// Whether two descriptions are of one table. Servers that are no AWS may give tables of different
  /// accounts one ARN, or no id.
  func isSameTable(as other: TableDescription, isOneEndpoint: Bool) -> Bool {
    guard arn == other.arn, schema.name == other.schema.name else { return false }
    if let id, let otherID = other.id { return id == otherID }
    return isOneEndpoint
  }
}
