public import Archive
import JSON

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
  /// Read capacity units a second at most, of guarded writes.
  public var readUnits: Double?
  /// Key, indexes and billing of the table.
  public let schema: TableSchema
  public let tableClass: TableClass
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
  private let conflict: (@Sendable (ItemConflict) -> Void)?
  private let run: WriteRun
  private var work: WriteWork { .apply(direction, guarded: conflict != nil) }

  /// - Parameters:
  ///   - target: the table's name.
  ///   - conflict: where it is given, an item is written only if it is still as the changes have it
  ///     before, or else left alone and told here, from any task.
  public init(
    client: DynamoClient, archive: Archive, target: String, direction: ChangesDirection,
    options: WriteOptions, rejects: RejectsFile,
    conflict: (@Sendable (ItemConflict) -> Void)? = nil
  ) {
    self.archive = archive
    self.target = target
    self.conflict = conflict
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
      toGoOnWith: .init(archive: archive.id, table: target, work: work))
    var table = try await run.client.describeTable(target)
    if let known = checkpoint?.tableID, known != table.identity {
      throw DynamoError(
        .stateMismatch, "table \(target) is not the one that the work began with",
        hint: "remove \(run.options.statePath), and apply again")
    }
    table = try await run.client.usable(table, limit: run.options.giveUpAfter)
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
        .write, schema: table.schema, raw: table.raw),
      readUnits: try run.options.readUnits?.unitsPerSecond(
        .read, schema: table.schema, raw: table.raw), schema: table.schema,
      tableClass: TableClass(described: .object(table.raw)), tableID: table.identity,
      checkpoint: checkpoint)
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
    guard conflict == nil || changes.oldImages != nil else {
      throw DynamoError(
        .noOldImages,
        "the changes tell nothing of the items as they were, so nothing can be guarded by it",
        hint: "make them anew by dynarc diff A B --output CHANGES")
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
        plan.statePath, .init(archive: archive.id, table: target, work: work))
    try checkpoint.note(tableID: plan.tableID)
    let writer = run.writer(target, plan.schema, writeUnits: plan.writeUnits, state)
    try run.options.stop.takeOver()
    let end = try await run.write(
      writer, direction, checkpoint, state, guarding: guarding(plan, writer))
    try checkpoint.remove()
    return ApplySummary(plan: plan, progress: end, rejects: run.rejects.written)
  }

  private func guarding(_ plan: ApplyPlan, _ writer: TableWriter) -> Guarding? {
    conflict.map {
      Guarding(reads: writer.gate.reading(unitsPerSecond: plan.readUnits), report: $0)
    }
  }

  /// Reads every item that would be written with a guard and tells the conflicts; writes nothing.
  ///
  /// - Returns: how many would be `written`, are as they should be (`unchanged`), and are `conflicts`.
  public func rehearse(
    _ plan: ApplyPlan, progress: @escaping @Sendable (WriteProgress) -> Void
  ) async throws -> WriteProgress {
    let state = WriteState(items: plan.puts + plan.deletes, progress: progress)
    try await offPool { [archive] in try archive.checkStored() }
    let writer = run.writer(target, plan.schema, writeUnits: nil, state)
    try run.options.stop.takeOver()
    try await run.writeLines(writer, direction, nil, nil, state, guarding(plan, writer))
    return state.snapshot
  }
}
