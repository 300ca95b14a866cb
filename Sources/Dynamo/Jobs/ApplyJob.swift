public import Archive

/// What applying changes is about to do, checked against the table; nothing has been written.
public struct ApplyPlan: Sendable {
  /// The table to change.
  public var target: String
  public var direction: ChangesDirection
  /// What the changes lead from and to.
  public var changes: ChangesDescription
  /// Items to put, those that are there and will be replaced included.
  public var puts: Int
  /// Items to delete.
  public var deletes: Int
  /// Bytes of the archive's lines.
  public var contentBytes: Int
  /// Lines that earlier runs have dealt with; nil for a first run.
  public var resumedLines: Int?
  /// Where it is noted how far the work is.
  public var statePath: String
  /// Write capacity units a second at most; nil without a bound.
  public var writeUnits: Double?
  let schema: TableSchema
  let tableID: String
  /// The state of the earlier runs.
  let checkpoint: LoadCheckpoint?

  /// Whether an earlier run has begun to write.
  public var hasBegun: Bool { checkpoint?.isWriting == true }
}

/// What came of applying changes.
public struct ApplySummary: Sendable {
  public var plan: ApplyPlan
  public var progress: WriteProgress
  /// Where the rejected items and keys are, if any were.
  public var rejects: (path: String, count: Int)?
}

/// Brings a table from one side of an archive of changes to the other.
public struct ApplyJob: Sendable {
  private let archive: Archive
  private let target: String
  private let direction: ChangesDirection
  private let run: WriteRun

  /// - Parameter target: the table's name.
  public init(
    client: DynamoClient, archive: Archive, target: String, direction: ChangesDirection,
    options: WriteOptions, rejects: RejectsFile
  ) {
    self.archive = archive
    self.target = target
    self.direction = direction
    run = WriteRun(
      client: client, parts: archive.parts(), key: archive.manifest.table.key, options: options,
      rejects: rejects)
  }

  /// Checks the archive's claims against the table; writes nothing.
  ///
  /// - Throws: `DynamoError` of code `notChanges`, `noOldImages`, `keyless`, `keyMismatch`,
  ///   `noSuchTable`, `notActive`, or what the state file throws.
  public func plan() async throws -> ApplyPlan {
    let manifest = archive.manifest
    let changes = try checkedChanges(manifest)
    let checkpoint = try run.checkpoint(
      toGoOnWith: .init(archive: archive.id, table: target, work: .apply(direction)))
    var table = try await run.client.describeTable(target)
    if let known = checkpoint?.tableID, known != table.identity {
      throw DynamoError(
        .stateMismatch, "table \(target) is not the one that the work began with",
        hint: "remove \(run.options.statePath), and apply again")
    }
    if table.status != "ACTIVE" {
      table = try await run.client.waitUntilActive(target, limit: .seconds(1800))
    }
    guard table.schema.key == manifest.table.key else {
      throw DynamoError(
        .keyMismatch,
        "the key of table \(target) is \(table.schema.key.words), and the changes' is "
          + manifest.table.key.words,
        hint: "name the table that the changes were made for, or one with its key")
    }
    let isForward = direction == .forward
    return ApplyPlan(
      target: target, direction: direction, changes: changes,
      puts: changes.changed + (isForward ? changes.added : changes.removed),
      deletes: isForward ? changes.removed : changes.added,
      contentBytes: manifest.counts.contentBytes, resumedLines: checkpoint?.total.lines,
      statePath: run.options.statePath,
      writeUnits: try run.options.writeUnits?.unitsPerSecond(
        .write, schema: table.schema, raw: table.raw), schema: table.schema,
      tableID: table.identity, checkpoint: checkpoint)
  }

  private func checkedChanges(_ manifest: Manifest) throws(DynamoError) -> ChangesDescription {
    guard let changes = manifest.changes else {
      throw DynamoError(
        .notChanges, "the archive is a snapshot, and holds no changes",
        hint: "bring it to a table by dynarc load, or make changes by dynarc diff A B --output")
    }
    guard direction == .forward || changes.oldImages == .images else {
      throw DynamoError(
        .noOldImages,
        "the changes do not hold the items as they were, so they cannot be taken back",
        hint: "make them anew by dynarc diff A B --output CHANGES --with-old")
    }
    guard !manifest.source.keyless, manifest.partialBecause == nil else {
      throw DynamoError(
        .keyless, "the changes hold parts of items, and would put them in the place of whole ones",
        hint: "make them of snapshots with whole items")
    }
    return changes
  }

  /// Applies the changes.
  ///
  /// - Parameter progress: called after each request, from any task.
  /// - Throws: `ArchiveError` before the first write where a stored digest does not hold;
  ///   `DynamoError`, `ServiceError`, `CancellationError`. The state file stays for `resume`.
  public func run(
    _ plan: ApplyPlan, progress: @escaping @Sendable (WriteProgress) -> Void
  ) async throws -> ApplySummary {
    let state = WriteState(items: plan.puts + plan.deletes, progress: progress)
    try await offPool { [archive] in try archive.checkStored() }
    let checkpoint =
      try plan.checkpoint
      ?? LoadCheckpoint.create(
        plan.statePath, .init(archive: archive.id, table: target, work: .apply(direction)))
    try checkpoint.note(tableID: plan.tableID)
    let writer = run.writer(target, plan.schema, writeUnits: plan.writeUnits, state)
    try run.options.stop.takeOver()
    let end = try await run.write(writer, direction, checkpoint, state)
    return ApplySummary(plan: plan, progress: end, rejects: run.rejects.written)
  }
}
