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
  /// What writing may consume, indexes included; nil takes what the table gives.
  public var writeUnits: CapacityLimit?
  /// How long nothing may move before the job gives up.
  public var giveUpAfter = Duration.seconds(900)
  /// Processors to keep busy.
  public var cores: Int

  public init(cores: Int) { self.cores = cores }
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
  /// Settings of the source that will not be brought back.
  public var notRecreated: [String]
  /// Key, indexes and billing of the table, be it there or to be created.
  public var schema: TableSchema
  /// Items that the target holds by the service's count, up to six hours old.
  public var targetItemCount: Int
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
  /// - Throws: `DynamoError` of code `keyless`, `keyMismatch`, `notEmpty` or `notActive`.
  public func plan() async throws -> LoadPlan {
    guard !manifest.source.keyless else {
      throw DynamoError(
        .keyless, "the archive was made with --allow-keyless: its items have no keys",
        hint: "dump again with a projection that takes in \(manifest.table.key.words)")
    }
    let name = options.target ?? manifest.source.tableName
    var plan = LoadPlan(
      target: name, createsTable: true, holdsItems: false, existing: options.existing,
      items: manifest.counts.items, contentBytes: manifest.counts.contentBytes,
      partialBecause: manifest.partialBecause,
      notRecreated: manifest.settings.notRecreated, schema: manifest.table,
      targetItemCount: 0)
    guard var table = try await client.describeTableIfPresent(name) else {
      plan.writeUnits = try options.writeUnits?.unitsPerSecond(
        .write, schema: plan.schema, raw: nil)
      return plan
    }
    plan.createsTable = false
    plan.notRecreated = []
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
    if plan.holdsItems, options.existing == .refuse {
      throw DynamoError(
        .notEmpty, "table \(name) holds items already",
        hint: "--merge puts the archive's items over them, --truncate deletes them first; or name "
          + "another table")
    }
    return plan
  }

  /// Loads.
  ///
  /// - Parameter progress: called after each request, from any task.
  /// - Throws: `ArchiveError` before the first write where a stored digest does not hold;
  ///   `DynamoError`, `ServiceError`, `CancellationError`.
  public func run(
    _ plan: LoadPlan, progress: @escaping @Sendable (LoadProgress) -> Void
  ) async throws -> LoadSummary {
    let state = LoadState(items: plan.items, progress: progress)
    // Damage is found before anything is created, deleted or written.
    try await offPool { [archive] in try archive.checkStored() }
    if plan.createsTable {
      state.change { $0.phase = .creating }
      try await client.createTable(plan.schema, name: plan.target)
    }
    let concurrency = options.concurrency ?? min(max(8 * options.cores, 8), 64)
    let gate = RequestGate(
      client: client, pace: JobPace(giveUpAfter: options.giveUpAfter),
      limiter: AdaptiveLimiter(AIMD(maximum: concurrency)),
      budget: plan.writeUnits.map { CapacityBudget(rate: $0) }
    ) { notes in
      guard notes != RequestNotes() else { return }
      state.change { progress in
        progress.retries += notes.retries
        progress.throttledBy.add(notes.causes, times: notes.throttled)
      }
    }
    let globalIndexes = plan.schema.indexes.count { $0.kind == .global }
    let writer = TableWriter(
      gate: gate, meter: WriteMeter(globalIndexes: globalIndexes), table: plan.target,
      key: manifest.table.key, concurrency: concurrency)
    if plan.holdsItems, plan.existing == .truncate {
      state.change { $0.phase = .truncating }
      try await writer.truncate(segments: 4 * options.cores) { tally in
        state.change { progress in
          progress.deleted += tally.written
          progress.add(tally)
        }
      }
    }
    state.change { $0.phase = .writing }
    try await writer.load(archive, readers: 2 * options.cores) { [rejects] item, error in
      try rejects.append(item, reason: error)
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
    try rejects.sync()
    let end = state.snapshot
    guard end.written + end.rejected == plan.items else {
      throw DynamoError(
        .countMismatch,
        "the archive's manifest counts \(plan.items) items; \(end.written) were written and "
          + "\(end.rejected) rejected",
        hint: "check the archive with: dynarc verify")
    }
    return LoadSummary(plan: plan, progress: end, rejects: rejects.written)
  }
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

extension Manifest {
  /// Why the archive's items are only parts of those the source had; nil when they are whole.
  public var partialBecause: String? {
    if let projection = source.read.projectionExpression {
      return "the projection is \(projection)"
    }
    guard let name = source.read.indexName, let index = table.index(named: name),
      index.projection.type != "ALL"
    else { return nil }
    return "index \(name) projects \(index.projection.words)"
  }
}
