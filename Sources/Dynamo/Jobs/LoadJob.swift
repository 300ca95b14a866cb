public import Archive
import Synchronization

/// What to do with a target that holds items.
public enum ExistingItems: String, Sendable {
  /// Refuse to load.
  case refuse
  /// Put the archive's items over what is there.
  case merge
  /// Delete what is there first.
  case truncate
}

/// How to load.
public struct LoadOptions: Sendable {
  /// The table to load into; nil takes the name that the archive's table had.
  public var target: String?
  public var existing = ExistingItems.refuse
  /// Requests in flight at most; nil chooses by the machine's cores.
  public var concurrency: Int?
  /// Go on with a load that was stopped.
  public var resume = false
  /// Where the load notes how far it is.
  public var statePath: String
  /// What writing may consume, indexes included; nil takes what the table gives.
  public var writeUnits: CapacityLimit?
  /// How long nothing may move before the job gives up.
  public var giveUpAfter = Duration.seconds(900)
  /// Ends the job soon and well.
  public var stop = StopSignal()
  /// Processors to keep busy.
  public var cores: Int

  public init(statePath: String, cores: Int) {
    self.statePath = statePath
    self.cores = cores
  }
}

/// What a load is about to do, checked against the target; nothing has been written.
public struct LoadPlan: Sendable {
  /// The table to load into.
  public var target: String
  /// Whether it must be created.
  public var createsTable: Bool
  /// Whether it holds items now.
  public var holdsItems: Bool
  /// What happens to these.
  public var existing: ExistingItems
  /// Items to write.
  public var items: Int
  /// Bytes of their content.
  public var contentBytes: Int
  /// Why the items are only parts of those the source had; nil when they are whole.
  public var partialBecause: String?
  /// Why the archive lacks items that the source had; nil for a whole table.
  public var sliceBecause: String?
  /// Settings of the source that will not be brought back.
  public var notRecreated: [String]
  /// Key, indexes and billing of the table, be it there or to be created.
  public var schema: TableSchema
  /// Items that the target holds by the service's count, up to six hours old.
  public var targetItemCount: Int
  /// Items that earlier runs of the same load have dealt with; nil for a first run.
  public var resumedItems: Int?
  /// Where the load notes how far it is.
  public var statePath: String
  /// The table's identity, where it exists.
  var tableID: String?
  /// The state of the earlier runs.
  var checkpoint: LoadCheckpoint?

  /// Whether what the target holds must be deleted first.
  public var truncates: Bool {
    holdsItems && existing == .truncate && checkpoint?.isWriting != true
  }
  /// Write capacity units a second at most; nil without a bound.
  public var writeUnits: Double?
}

/// How far a load is.
public struct LoadProgress: Sendable, Equatable {
  /// What the job is at.
  public enum Phase: String, Sendable {
    case checking, creating, truncating, writing
  }

  public var phase = Phase.checking
  /// Items acknowledged by the service.
  public var written = 0
  public var rejected = 0
  /// Items deleted beforehand.
  public var deleted = 0
  /// Items to write.
  public var items = 0
  /// Bytes sent in requests.
  public var wireBytes = 0
  /// Write capacity units, as the service told.
  public var consumedUnits = 0.0
  /// Requests and items that had to be sent again.
  public var retries = RetrySums()
  /// Why a request was last taken up again.
  public var lastFault: String?
  /// What was at its limit.
  public var throttledBy = ThrottleSums()
}

/// What a load did.
public struct LoadSummary: Sendable {
  public var plan: LoadPlan
  public var progress: LoadProgress
  /// Where the rejected items are, if any were.
  public var rejects: (path: String, count: Int)?
}

/// Writes an archive into a table.
public struct LoadJob: Sendable {
  let client: DynamoClient
  let archive: Archive
  let options: LoadOptions
  let rejects: RejectsFile

  public init(
    client: DynamoClient, archive: Archive, options: LoadOptions, rejects: RejectsFile
  ) {
    self.client = client
    self.archive = archive
    self.options = options
    self.rejects = rejects
  }

  private var manifest: Manifest { archive.manifest }

  /// Checks the archive's claims against the target; writes nothing.
  ///
  /// - Throws: `DynamoError` of code `notASnapshot`, `keyless`, `keyMismatch`, `notEmpty` or `notActive`.
  public func plan() async throws -> LoadPlan {
    guard manifest.changes == nil else {
      throw DynamoError(
        .notASnapshot, "the archive holds changes between two archives, and no whole table",
        hint: "bring them to a table by dynarc apply")
    }
    guard !manifest.source.keyless else {
      throw DynamoError(
        .keyless, "the archive was made with --allow-keyless: its items have no keys",
        hint: "dump again with a projection that takes in \(manifest.table.key.words)")
    }
    let name = options.target ?? manifest.source.tableName
    let checkpoint =
      options.resume
      ? try LoadCheckpoint.resume(options.statePath, archive: archive.id, table: name) : nil
    if checkpoint == nil { try LoadCheckpoint.refuseLeftover(at: options.statePath) }
    var plan = LoadPlan(
      target: name, createsTable: true, holdsItems: false,
      existing: checkpoint?.identity.existing ?? options.existing, items: manifest.counts.items,
      contentBytes: manifest.counts.contentBytes, partialBecause: manifest.partialBecause,
      sliceBecause: manifest.sliceBecause,
      notRecreated: manifest.settings.notRecreated, schema: manifest.table, targetItemCount: 0,
      resumedItems: try checkpoint.map(check), statePath: options.statePath,
      checkpoint: checkpoint)
    let found = try await client.describeTableIfPresent(name)
    if let known = checkpoint?.tableID, known != found?.identity {
      throw DynamoError(
        .stateMismatch, "table \(name) is not the one that the load began with",
        hint: "remove \(options.statePath), and load again")
    }
    guard var table = found else {
      plan.writeUnits = try options.writeUnits?.unitsPerSecond(
        .write, schema: plan.schema, raw: nil)
      return plan
    }
    plan.createsTable = false
    plan.notRecreated = []
    plan.tableID = table.identity
    if table.status != "ACTIVE" {
      table = try await client.waitUntilActive(name, limit: .seconds(1800))
    }
    guard table.schema.key == manifest.table.key else {
      throw DynamoError(
        .keyMismatch,
        "the key of table \(name) is \(table.schema.key.words), and the archive's is "
          + manifest.table.key.words,
        hint: "name another table; one that does not exist is created with the archive's key")
    }
    plan.schema = table.schema
    plan.writeUnits = try options.writeUnits?.unitsPerSecond(
      .write, schema: table.schema, raw: table.raw)
    plan.targetItemCount = table.itemCount
    plan.holdsItems = try await client.holdsItems(name)
    if plan.holdsItems, plan.existing == .refuse, checkpoint?.isWriting != true {
      throw DynamoError(
        .notEmpty, "table \(name) holds items already",
        hint: "--merge puts the archive's items over them, --truncate deletes them first; or name "
          + "another table")
    }
    return plan
  }

  /// Checks that the state speaks of this archive's chunks.
  ///
  /// - Returns: items that are dealt with.
  private func check(_ checkpoint: LoadCheckpoint) throws -> Int {
    for row in manifest.chunks where checkpoint.position(of: row.name).lines > row.items {
      throw DynamoError(
        .stateMismatch, "\(options.statePath) says more of \(row.name) than there is",
        hint: "remove it, and load again with --merge")
    }
    return manifest.chunks.reduce(0) { $0 + checkpoint.position(of: $1.name).lines }
  }

  /// Loads.
  ///
  /// - Parameter progress: called after each request, from any task.
  /// - Throws: `ArchiveError` before the first write where a stored digest does not hold;
  ///   `DynamoError`, `ServiceError`, `CancellationError`. The state file stays for `resume`.
  public func run(
    _ plan: LoadPlan, progress: @escaping @Sendable (LoadProgress) -> Void
  ) async throws -> LoadSummary {
    let state = LoadState(items: plan.items, progress: progress)
    // Damage is found before anything is created, deleted or written.
    try await offPool { [archive] in try archive.checkStored() }
    let checkpoint =
      try plan.checkpoint
      ?? LoadCheckpoint.create(
        options.statePath,
        .init(archive: archive.id, table: plan.target, existing: plan.existing))
    var tableID = plan.tableID
    if plan.createsTable {
      state.change { $0.phase = .creating }
      tableID = try await client.createTable(plan.schema, name: plan.target).identity
    }
    if let tableID { try checkpoint.note(tableID: tableID) }

    let concurrency = options.concurrency ?? min(max(8 * options.cores, 8), 64)
    let clock = JobClock.system(until: options.stop)
    let gate = RequestGate(
      client: client, pace: JobPace(giveUpAfter: options.giveUpAfter, clock: clock),
      limiter: AdaptiveLimiter(AIMD(maximum: concurrency), clock: clock),
      budget: plan.writeUnits.map { CapacityBudget(rate: $0, clock: clock) }
    ) { notes in
      guard notes != RequestNotes() else { return }
      state.change { progress in
        progress.retries += notes.retries
        progress.throttledBy.add(notes.causes, times: notes.throttled)
        progress.lastFault = notes.fault ?? progress.lastFault
      }
    }
    let globalIndexes = plan.schema.indexes.count { $0.kind == .global }
    let writer = TableWriter(
      gate: gate, meter: WriteMeter(globalIndexes: globalIndexes, rate: plan.writeUnits),
      table: plan.target, key: manifest.table.key, stop: options.stop, concurrency: concurrency)
    try options.stop.takeOver()
    if plan.truncates {
      state.change { $0.phase = .truncating }
      try await writer.truncate(segments: 4 * options.cores) { tally in
        state.change { progress in
          progress.deleted += tally.written
          progress.add(tally)
        }
      }
    }
    try checkpoint.noteWriting()
    if let path = checkpoint.rejects { try rejects.goOn(with: path) }
    let done = checkpoint.total
    state.change { progress in
      progress.phase = .writing
      progress.written = done.lines - done.rejected
      progress.rejected = done.rejected
    }
    do {
      try await write(writer, checkpoint, state)
    } catch {
      do { try await offPool { try checkpoint.flush() } } catch let failure {
        // What stopped the load says more than what came of it; a wish to stop says nothing.
        if error is CancellationError { throw failure }
      }
      throw error
    }
    let end = state.snapshot
    guard end.written + end.rejected == plan.items else {
      throw DynamoError(
        .countMismatch,
        "the archive's manifest counts \(plan.items) items; \(end.written) were written and "
          + "\(end.rejected) rejected",
        hint: "check the archive with: dynarc verify")
    }
    try checkpoint.remove()
    return LoadSummary(plan: plan, progress: end, rejects: rejects.written)
  }

  private func write(
    _ writer: TableWriter, _ checkpoint: LoadCheckpoint, _ state: LoadState
  ) async throws {
    try await writer.load(archive, readers: 2 * options.cores, checkpoint: checkpoint) {
      [rejects] item, error in
      try rejects.append(item, reason: error)
      if let path = rejects.written?.path { try checkpoint.note(rejects: path) }
    } progress: { tally in
      let now = state.change { progress in
        progress.written += tally.written
        progress.rejected += tally.rejected
        progress.add(tally)
      }
      // A refusal of everything is no matter of single items; a thousand requests prove it.
      if now.written == 0, now.rejected >= 1000 {
        throw DynamoError(
          .allRejected, "the table refused the first \(now.rejected) items, and took none",
          hint: "see the reasons in the file of rejected items")
      }
    }
  }
}

extension TableDescription {
  /// What tells this table from one that was deleted and made anew: its id, where the server gives
  /// one, and its ARN.
  var identity: String { [arn, id].compactMap(\.self).joined(separator: " ") }
}

extension LoadProgress {
  fileprivate mutating func add(_ tally: BatchSender.Tally) {
    wireBytes += tally.wireBytes
    consumedUnits += tally.consumedUnits
  }
}

/// What the tasks of one load share.
private final class LoadState: Sendable {
  private let state: Mutex<LoadProgress>
  private let report: @Sendable (LoadProgress) -> Void

  init(items: Int, progress: @escaping @Sendable (LoadProgress) -> Void) {
    state = Mutex(LoadProgress(items: items))
    report = progress
  }

  var snapshot: LoadProgress { state.withLock { $0 } }

  @discardableResult
  func change(_ body: (inout LoadProgress) -> Void) -> LoadProgress {
    let now = state.withLock { state in
      body(&state)
      return state
    }
    report(now)
    return now
  }
}
