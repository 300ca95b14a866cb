public import Archive
import JSON

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
  public var write: WriteOptions
  /// What the table is to have beside items; with `resume` what the load was begun with counts.
  public var settings = SettingsChoice()
  /// How items are changed on their way. With `resume` they must be those that the load was begun with.
  public var transforms = ItemTransforms.none
  /// Whether these may change keys.
  public var rekey = false
  /// The account of the credentials, asked for where something depends on it before the table is there.
  public var account: @Sendable () async -> String? = { nil }

  /// Called when all is written and set, before the state file goes: whoever must know of the load's end for
  /// certain notes it here.
  public var completed: @Sendable (WriteProgress) throws -> Void = { _ in }

  public init(write: WriteOptions) { self.write = write }
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
  /// Bytes of the lines that are read for them: of all archives of a chain.
  public var contentBytes: Int
  /// Why the items are only parts of those the source had; nil when they are whole.
  public var partialBecause: String?
  /// Why the archive lacks items that the source had; nil for a whole table.
  public var sliceBecause: String?
  /// How the items are changed on their way.
  public var transforms: ItemTransforms
  /// The rules that made the items others than those the source had, in words: the archive's and the
  /// load's; nil where they are the same.
  public var changedBecause: String?
  /// Settings of the source that will not be brought back.
  public var notRecreated: [String]
  /// Key, indexes and billing of the table, be it there or to be created.
  public var schema: TableSchema
  /// What the table is to be and how it becomes that, as far as it is known now; nil where it is there and
  /// nobody wants to change it.
  public var blueprint: TableBlueprint?
  /// What was asked for, now or when the load began.
  public var settings: SettingsChoice
  /// Whether the table is one that this load creates, or an earlier run of it did.
  var isOwnTable: Bool
  /// Items that the target holds by the service's count, up to six hours old.
  public var targetItemCount: Int
  /// Items that earlier runs of the same load have dealt with; nil for a first run.
  public var resumedItems: Int?
  /// Where the load notes how far it is.
  public var statePath: String
  /// The table, where it exists.
  var table: TableDescription?
  /// The state of the earlier runs.
  var checkpoint: LoadCheckpoint?

  /// The class of the table while it is written.
  public var tableClass: TableClass {
    if let table { return TableClass(described: .object(table.raw)) }
    return blueprint?.creation["TableClass"]?.string.flatMap(TableClass.init) ?? .standard
  }

  /// Whether what the target holds must be deleted first.
  public var truncates: Bool {
    holdsItems && existing == .truncate && checkpoint?.isWriting != true
  }
  /// Write capacity units a second at most; nil without a bound.
  public var writeUnits: Double?
}

/// What a load did.
public struct LoadSummary: Sendable {
  public var plan: LoadPlan
  public var progress: WriteProgress
  /// Where the rejected items are, if any were.
  public var rejects: (path: String, count: Int)?
  /// What became of each setting.
  public var settings: [SettingResult]
}

/// Writes a snapshot, or the last state of a chain, into a table: each item once.
public struct LoadJob: Sendable {
  let client: DynamoClient
  let chain: ArchiveChain
  let options: LoadOptions
  let rejects: RejectsFile

  public init(
    client: DynamoClient, chain: ArchiveChain, options: LoadOptions, rejects: RejectsFile
  ) {
    self.client = client
    self.chain = chain
    self.options = options
    self.rejects = rejects
  }

  /// Of the last state, but for its counts and chunks.
  var manifest: Manifest { chain.last }
  private var run: WriteRun {
    WriteRun(
      client: client, parts: chain.parts, key: manifest.table.key, options: options.write,
      rejects: rejects, transforms: options.transforms)
  }

  /// Checks the archive's claims against the target; writes nothing.
  ///
  /// - Throws: `DynamoError` of code `keyless`, `keyMismatch`, `notEmpty` or `notActive`;
  ///   `TransformError` for rules that do not fit the archive's table or the target.
  public func plan() async throws -> LoadPlan {
    guard !manifest.source.keyless else {
      throw DynamoError(
        .keyless, "the archive was made with --allow-keyless: its items have no keys",
        hint: "dump again with a projection that takes in \(manifest.table.key.words)")
    }
    try options.transforms.check(manifest.table, rekey: options.rekey)
    let name = options.target ?? manifest.source.tableName
    let write = options.write
    let checkpoint = try run.checkpoint(toGoOnWith: identity(name, options.existing))
    var existing = options.existing
    if case .load(let begun) = checkpoint?.identity.work { existing = begun }
    var plan = LoadPlan(
      target: name, createsTable: true, holdsItems: false,
      existing: existing, items: chain.items,
      contentBytes: chain.contentBytes,
      partialBecause: manifest.partialBecause,
      sliceBecause: manifest.sliceBecause, transforms: options.transforms,
      changedBecause: changedBecause, notRecreated: manifest.settings.notRecreated,
      schema: manifest.table, settings: checkpoint?.settings?.choice ?? options.settings,
      isOwnTable: true, targetItemCount: 0,
      resumedItems: checkpoint?.total.lines, statePath: write.statePath, checkpoint: checkpoint)
    let found = try await client.describeTableIfPresent(name)
    if let known = checkpoint?.tableID, known != found?.identity {
      throw DynamoError(
        .stateMismatch, "table \(name) is not the one that the load began with",
        hint: "remove \(write.statePath), and load again")
    }
    guard var table = found else {
      plan.blueprint = try await blueprint(plan, nil)
      plan.schema = plan.blueprint?.schema ?? plan.schema
      plan.writeUnits = try write.writeUnits?.unitsPerSecond(
        .write, schema: plan.schema, raw: nil)
      return plan
    }
    plan.createsTable = false
    plan.isOwnTable = checkpoint?.settings?.created ?? false
    if !plan.isOwnTable { plan.notRecreated = [] }
    table = try await client.usable(table, limit: write.giveUpAfter)
    guard table.schema.key == manifest.table.key else {
      throw DynamoError(
        .keyMismatch,
        "the key of table \(name) is \(table.schema.key.words), and the archive's is "
          + manifest.table.key.words,
        hint: "name another table; one that does not exist is created with the archive's key")
    }
    try options.transforms.check(table.schema, rekey: options.rekey)
    plan.table = table
    plan.schema = table.schema
    plan.blueprint = try await blueprint(plan, table)
    if plan.settings.part == .schema { return plan }
    plan.writeUnits = try write.writeUnits?.unitsPerSecond(
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

  /// Loads.
  ///
  /// - Parameter progress: called after each request, from any task.
  /// - Throws: `ArchiveError` before the first write where a stored digest does not hold,
  ///   `TransformError` where an item cannot be changed or two get one key; `DynamoError`, `ServiceError`, `CancellationError`. The state file stays for `resume`.
  public func run(
    _ plan: LoadPlan, progress: @escaping @Sendable (WriteProgress) -> Void
  ) async throws -> LoadSummary {
    let withItems = plan.settings.part != .schema
    let state = WriteState(items: plan.items, progress: progress)
    let lasting = withItems ? try await check(state) : nil
    let checkpoint =
      try plan.checkpoint
      ?? LoadCheckpoint.create(plan.statePath, identity(plan.target, plan.existing))
    try checkpoint.note(settings: plan.settings, created: plan.isOwnTable)
    var tableID = plan.table?.identity
    var created: CreatedTable?
    if plan.createsTable {
      state.change { $0.phase = .creating }
      created = try await settingsJob.create(
        manifest.table, manifest.settings, name: plan.target, account: await account(plan),
        choice: plan.settings)
      tableID = created?.description.identity
    }
    if let tableID { try checkpoint.note(tableID: tableID) }
    try options.write.stop.takeOver()
    let end =
      withItems ? try await writeItems(plan, lasting, checkpoint, state) : state.snapshot
    let settings = try await finish(plan, created, state)
    try options.completed(end)
    try checkpoint.remove()
    return LoadSummary(plan: plan, progress: end, rejects: rejects.written, settings: settings)
  }

  private func writeItems(
    _ plan: LoadPlan, _ lasting: LastingLines?, _ checkpoint: LoadCheckpoint, _ state: WriteState
  ) async throws -> WriteProgress {
    let writer = run.writer(plan.target, plan.schema, writeUnits: plan.writeUnits, state)
    if plan.truncates, let table = plan.table {
      state.change { $0.phase = .truncating }
      let keys = PageReader(
        plan: try ReadPlan.keys(of: table, cores: options.write.cores), tableName: plan.target,
        gate: writer.gate.reading(unitsPerSecond: nil))
      try await writer.delete(keys, readers: options.write.readers(of: keys.plan)) { tally in
        state.change { progress in
          progress.deleted += tally.written
          progress.add(tally)
        }
      }
    }
    let end = try await run.write(writer, .forward, lasting: lasting, checkpoint, state)
    // Indexes and settings may take long, or fail: a run that goes on with them writes nothing again.
    try await offPool { try checkpoint.flush() }
    return end
  }
}
