import AWS
public import Archive
import Glibc

/// Loads every complete archive of a folder into the table of its name, or of the name that a map gives it, some at
/// a time. A table that fails stops no other.
public struct LoadTablesJob: Sendable {
  private let client: DynamoClient
  private let folder: ArchiveFolder
  private let options: LoadTablesOptions

  public init(client: DynamoClient, folder: ArchiveFolder, options: LoadTablesOptions) {
    self.client = client
    self.folder = folder
    self.options = options
  }

  private var statePath: String { "\(options.stateStem).load-tables-state" }
  private func statePath(ofTarget target: String) -> String {
    "\(options.stateStem).\(target).load-state"
  }

  // MARK: Planning

  /// Makes the plans of all tables; writes nothing.
  ///
  /// - Throws: `DynamoError` of code `usage` for names that cannot be, `stateExists` and its kin; `ArchiveError` of
  ///   code `unfinished` where no archive is complete; what is wrong with one table stands in its plan.
  public func plan() async throws -> LoadTablesPlan {
    let complete = folder.index.tables.compactMap { table in
      table.state.archive.map { (table.name, $0) }
    }
    guard !complete.isEmpty else {
      throw ArchiveError(
        .unfinished, "no archive in \(folder.directory) is complete",
        hint: "go on with the dump of it: dynarc dump … --resume; dynarc info \(folder.directory) "
          + "tells how far it is")
    }
    let state: LoadTablesState?
    if options.load.write.resume {
      state = try LoadTablesState.resume(statePath)
    } else {
      try StateFile.refuseLeftover(at: statePath, LoadTablesState.words)
      state = nil
    }
    let begun = try state?.begun ?? begin(complete)
    try checkRules(begun)
    let rows = Dictionary(uniqueKeysWithValues: complete)
    let atOnce = options.tablesAtOnce
    let plans = try await severalAtOnce(begun.tables, limit: atOnce) { table in
      try await plan(table, rows[table.source], begun, state)
    }
    let known = Set(begun.tables.map(\.source))
    return LoadTablesPlan(
      tables: plans.compactMap(\.self),
      incomplete: folder.index.tables.filter {
        $0.state.archive == nil && !known.contains($0.name)
      },
      later: complete.map(\.0).filter { !known.contains($0) },
      strangers: try folder.strangeArchives(), statePath: statePath, state: state,
      begun: begun)
  }

  /// What a load begins with.
  private func begin(
    _ complete: [(String, FolderArchive)]
  ) throws(DynamoError) -> LoadTablesState.Begun {
    let targets = try PrefixMap.targets(of: complete.map(\.0), by: options.maps)
    return .init(
      existing: options.load.existing, settings: options.load.settings,
      rules: options.load.transforms.rules, hashKeyCheck: options.load.transforms.hashKeyCheck,
      tables: zip(complete, targets).map { row, target in
        .init(source: row.0, target: target, archive: row.1.id)
      })
  }

  /// Whether items are changed as those were that have been written.
  private func checkRules(_ begun: LoadTablesState.Begun) throws(DynamoError) {
    let transforms = options.load.transforms
    guard begun.rules == transforms.rules, begun.hashKeyCheck == transforms.hashKeyCheck else {
      throw DynamoError(
        .stateMismatch, "the load was begun with other rules for items, or another hash key",
        hint: "give the --set, --remove, --hash and the hash key that it was begun with"
          + (begun.rules.isEmpty ? ": none" : ": \(ItemTransforms.words(begun.rules))"))
    }
  }

  /// The plan of a table.
  ///
  /// - Throws: what concerns all tables.
  private func plan(
    _ table: LoadTablesState.Table, _ found: FolderArchive?, _ begun: LoadTablesState.Begun,
    _ state: LoadTablesState?
  ) async throws -> TableLoadPlan {
    // What the state file names counts, and `folder.archive` holds the archive to its id.
    var row = found ?? FolderArchive(id: table.archive, items: 0, contentBytes: 0, storedBytes: 0)
    row.id = table.archive
    var plan = TableLoadPlan(
      source: table.source, target: table.target, step: .refused(CancellationError()), row: row)
    if let end = state?.end(ofTarget: table.target) {
      plan.step = .done(end)
      return plan
    }
    do {
      plan.step = .load(try await job(plan, begun, isResumed: state != nil).plan())
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      if (error as? ServiceError)?.kind == .credentials { throw error }
      plan.step = .refused(error)
    }
    return plan
  }

  /// The load of one table, as it was begun.
  private func job(
    _ table: TableLoadPlan, _ begun: LoadTablesState.Begun, isResumed: Bool,
    rejects: RejectsFile? = nil,
    completed: @escaping @Sendable (WriteProgress) throws -> Void = { _ in }
  ) throws(ArchiveError) -> LoadJob {
    let archive = try folder.archive(of: table.source, table.row)
    var load = options.load
    load.target = table.target
    load.existing = begun.existing
    load.settings = begun.settings
    load.completed = completed
    load.write.statePath = statePath(ofTarget: table.target)
    // A table whose turn had not come begins now.
    load.write.resume = isResumed && access(load.write.statePath, F_OK) == 0
    let atOnce = max(1, min(options.tablesAtOnce, begun.tables.count))
    let all = load.write.concurrency ?? min(max(8 * load.write.cores, 8), 64)
    load.write.concurrency = max(load.write.concurrency == nil ? 4 : 1, all / atOnce)
    load.write.cores = max(1, load.write.cores / atOnce)
    return LoadJob(
      client: client, chain: try ArchiveChain(archive), options: load,
      rejects: rejects ?? RejectsFile(directory: options.rejectsDirectory))
  }

  /// What a table was given of settings, indexes and billing and does not have, read back.
  ///
  /// - Throws: `ArchiveError`, `DynamoError`, `ServiceError`, `CancellationError`.
  public func settingsMissing(_ load: TableLoad, _ summary: LoadSummary) async throws -> [String] {
    let archive = try Archive.open(try ArchiveFolder.storage(of: load.source, in: folder.directory))
    let job = LoadJob(
      client: client, chain: try ArchiveChain(archive), options: options.load,
      rejects: RejectsFile(directory: options.rejectsDirectory))
    return try await job.settingsMissing(summary.plan, summary.settings)
  }

  /// Looks for what the load of one table looks for before it creates, deletes or writes anything. Writes nothing.
  ///
  /// - Parameter table: of the plan.
  /// - Throws: what that load would throw before its first request.
  public func rehearse(
    _ table: TableLoadPlan, of plan: LoadTablesPlan,
    progress: @escaping @Sendable (WriteProgress) -> Void
  ) async throws {
    guard case .load(let one) = table.step else { return }
    try await job(table, plan.begun, isResumed: plan.state != nil).rehearse(one, progress: progress)
  }

  // MARK: Loading

  /// Loads.
  ///
  /// - Parameters:
  ///   - progress: called after each request, from any task.
  ///   - ended: called when a table is done, from any task.
  /// - Throws: `DynamoError` of code `usage` for a plan that is refused, before anything is written. Later: what
  ///   concerns all tables. A stop is no error: its tables are `pending`. The state files stay for `resume`.
  public func run(
    _ plan: LoadTablesPlan, progress: @escaping @Sendable (TablesProgress) -> Void,
    ended: @escaping @Sendable (TableLoad) -> Void
  ) async throws -> LoadTablesSummary {
    guard !plan.isRefused else {
      throw DynamoError(.usage, "a table of the plan is refused, so that none is loaded")
    }
    let state = try plan.state ?? LoadTablesState.create(plan.statePath, plan.begun)
    try options.load.write.stop.takeOver()
    let sums = TablesState<WriteProgress>(tables: plan.tables.count, progress: progress)
    let loads = try await severalAtOnce(
      plan.tables, limit: options.tablesAtOnce, until: options.load.write.stop
    ) { table in
      let load = TableLoad(
        source: table.source, target: table.target,
        outcome: try await load(table, plan.begun, state, sums))
      sums.end(table.source)
      ended(load)
      return load
    }
    let tables = zip(plan.tables, loads).map { table, load in
      load ?? TableLoad(source: table.source, target: table.target, outcome: .pending)
    }
    let isDone = tables.allSatisfy { $0.end != nil }
    let isBegun = tables.contains {
      $0.end != nil || access(statePath(ofTarget: $0.target), F_OK) == 0
    }
    if isDone || !isBegun && plan.state == nil { try state.remove() }
    return LoadTablesSummary(
      tables: tables, progress: sums.snapshot,
      canGoOn: !isDone && (isBegun || plan.state != nil))
  }

  /// Loads a table.
  ///
  /// - Throws: what concerns all tables.
  private func load(
    _ table: TableLoadPlan, _ begun: LoadTablesState.Begun, _ state: LoadTablesState,
    _ sums: TablesState<WriteProgress>
  ) async throws -> TableLoad.Outcome {
    switch table.step {
    case .refused(let error): return .failed(error)
    case .done(let end):
      // Left over where the run ended between the two.
      unlink(statePath(ofTarget: table.target))
      return .done(end)
    case .load(let plan):
      let rejects = RejectsFile(directory: options.rejectsDirectory)
      do {
        let job = try self.job(table, begun, isResumed: true, rejects: rejects) { progress in
          try state.note(
            TableLoadEnd(
              written: progress.written, rejected: progress.rejected, rejects: rejects.written?.path
            ), ofTarget: table.target)
        }
        return .loaded(try await job.run(plan) { sums.note(table.source, $0) })
      } catch is CancellationError {
        try Task.checkCancellation()
        return .pending
      } catch {
        // Nobody will be let in any more.
        if (error as? ServiceError)?.kind == .credentials { throw error }
        return .failed(error)
      }
    }
  }
}
