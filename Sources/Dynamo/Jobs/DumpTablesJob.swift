import AWS
public import Archive
import Glibc

/// How to dump several tables.
public struct DumpTablesOptions: Sendable {
  /// How each is dumped: whole, with its own engine, limits and budget. `concurrency` is of all together. With
  /// `resume` the folder's index says what is left to do.
  public var dump: DumpOptions
  /// Tables that are dumped at the same time.
  public var tablesAtOnce = 4

  public init(dump: DumpOptions) { self.dump = dump }
}

/// What became of a table.
public struct TableDump: Sendable {
  public enum Outcome: Sendable {
    /// Its archive is complete.
    ///
    /// - Parameter summary: what this run did for it; nil where an earlier one had made it.
    case complete(Archive, summary: DumpSummary?)
    case failed(any Error)
    /// The job was stopped before it was done.
    case pending
  }

  public var table: String
  public var outcome: Outcome
}

/// What a dump of several tables did.
public struct DumpTablesSummary: Sendable {
  /// Every table of the folder, in the order of names.
  public var tables: [TableDump]
  /// Tables that are meant too and came behind the folder's beginning; they are not in it.
  public var appeared: [String]
  /// Requests, retries and units of this run.
  public var progress: TablesProgress
  /// Whether the folder holds anything, or it is worth while to go on with it. If not, it is gone again.
  public var isKept: Bool
}

/// How far a dump of several tables is.
public enum DumpTablesEvent: Sendable {
  /// The folder is there with its index: from here on there is something to go on with.
  case begun
  /// A page has come.
  case progress(TablesProgress)
  /// A table is done, well or not.
  case ended(TableDump)
}

/// Dumps several tables into a folder of archives, some at a time. A table that fails stops no other.
///
/// The folder's index is written when the job begins and whenever a table is done, so that the job can go on
/// wherever it was stopped, or killed.
public struct DumpTablesJob: Sendable {
  /// Segments in flight of several tables together, where nobody says: they keep two processors busy, and four
  /// tables stay below 100 MB (105 with 32, 127 with 64).
  private static let inFlight = 24

  private let client: DynamoClient
  private let selection: TableSelection
  private let directory: String
  private let options: DumpTablesOptions

  /// - Parameter directory: of the folder; it must not exist, but for `resume`.
  public init(
    client: DynamoClient, selection: TableSelection, directory: String, options: DumpTablesOptions
  ) {
    self.client = client
    self.selection = selection
    self.directory = directory
    self.options = options
  }

  /// Finds the tables and dumps them.
  ///
  /// - Parameter event: called from any task.
  /// - Throws: before anything is made: `DynamoError` of code `noTables` or `otherSelection`, `ArchiveError`,
  ///   `ServiceError`. Later: what concerns all tables, as credentials that have ended and a full disk. A
  ///   stop is no error: its tables are `pending`.
  public func run(
    event: @escaping @Sendable (DumpTablesEvent) -> Void
  ) async throws -> DumpTablesSummary {
    let found = try await client.tables(selection)
    guard !found.isEmpty || options.dump.resume && ArchiveFolder.isAt(directory) else {
      throw DynamoError(
        .noTables, "there are no \(selection.words) in \(client.region) at \(client.endpoint)",
        hint: "see what there is with: aws dynamodb list-tables; or check --region and --profile")
    }
    let begun = try await newIndex(found)
    let (directory, resume) = (directory, options.dump.resume)
    let writer = try await offPool { try FolderWriter(directory, begun, resume: resume) }
    if writer.isResumed { try check(writer.index, against: begun) }
    event(.begun)
    try options.dump.stop.takeOver()
    try await offPool { try writer.touch(at: .now) }

    let tables = writer.index.tables
    let run = TablesRun(
      client: client, writer: writer, options: tableOptions(tables.count),
      state: TablesState(tables: tables.count, progress: { event(.progress($0)) }))
    let dumps = try await severalAtOnce(
      tables, limit: options.tablesAtOnce, until: options.dump.stop
    ) { table in
      let dump = TableDump(table: table.name, outcome: try await run.dump(table))
      run.state.end(table.name)
      event(.ended(dump))
      return dump
    }
    var summary = DumpTablesSummary(
      tables: zip(tables, dumps).map { $1 ?? TableDump(table: $0.name, outcome: .pending) },
      appeared: found.filter { name in !tables.contains { $0.name == name } },
      progress: run.state.snapshot, isKept: true)
    if !resume, summary.tables.allSatisfy(run.isInVain) {
      writer.discard()
      summary.isKept = false
    }
    return summary
  }

  /// What the folder begins with.
  private func newIndex(_ names: [String]) async throws -> FolderIndex {
    var index = FolderIndex(
      tool: ArchiveTool(version: options.dump.toolVersion), startTime: .now,
      selection: selection, transforms: options.dump.transforms, tables: names)
    // Where they are, any of them tells; one may be gone by now.
    for name in names {
      guard let table = try await client.describeTableIfPresent(name) else { continue }
      (index.accountID, index.region) = (table.accountID, table.region)
      break
    }
    return index
  }

  /// Whether the folder that is gone on with is of the same tables.
  private func check(_ index: FolderIndex, against asked: FolderIndex) throws(DynamoError) {
    guard index.selection.isSame(as: asked.selection) else {
      throw DynamoError(
        .otherSelection,
        "\(directory) was begun with \(words(index.selection)), and now it is "
          + words(asked.selection),
        hint: "go on with the same tables, or dump into another directory")
    }
    guard index.transforms == asked.transforms, index.hashKeyCheck == asked.hashKeyCheck else {
      throw DynamoError(
        .otherSelection,
        index.transforms != asked.transforms
          ? "\(directory) was begun with \(words(index.transforms)), and now there are "
            + words(asked.transforms)
          : "the hash key is not the one that \(directory) was begun with",
        hint: "go on with the rules and the hash key it was begun with")
    }
    for (what, begun, now) in [
      ("account", index.accountID, asked.accountID), ("region", index.region, asked.region),
    ] {
      guard let begun, let now, begun != now else { continue }
      throw DynamoError(
        .otherSelection, "\(directory) was begun in \(what) \(begun), and now it is \(now)",
        hint: "go on with the --profile and --region it was begun with")
    }
  }

  private func words(_ rules: [ItemTransforms.Rule]) -> String {
    rules.isEmpty ? "no rules" : "the rules \(ItemTransforms.words(rules))"
  }

  private func words(_ selection: TableSelection) -> String {
    selection == TableSelection() ? "all tables" : selection.words
  }

  /// How each table is dumped: what a single dump takes is shared.
  private func tableOptions(_ count: Int) -> DumpOptions {
    var options = options.dump
    let atOnce = max(1, min(self.options.tablesAtOnce, count))
    let all = options.concurrency.map { max(1, $0 / atOnce) }
    // Of one table as many as a single dump has at most.
    let most = atOnce == 1 ? 64 : DumpTablesJob.inFlight / atOnce
    options.concurrency = all ?? min(max(4 * options.cores, 4), max(most, 1))
    options.cores = max(1, options.cores / atOnce)
    options.atOnce = atOnce
    return options
  }
}

/// What the tables of one run share.
private struct TablesRun: Sendable {
  let client: DynamoClient
  let writer: FolderWriter
  /// Of each table.
  let options: DumpOptions
  let state: TablesState<DumpProgress>

  /// Dumps a table, unless that is done.
  ///
  /// - Throws: what concerns all tables.
  func dump(_ table: FolderIndex.Table) async throws -> TableDump.Outcome {
    do {
      let storage = try ArchiveFolder.storage(of: table.name, in: writer.directory)
      let isThere = access(storage.directory, F_OK) == 0
      if case .complete(let row) = table.state {
        if isThere { return .complete(try kept(table.name, row), summary: nil) }
        options.warn("the archive of \(table.name) is gone; the table is dumped again")
      }
      var options = options
      options.resume = isThere
      options.warn = { [warn = options.warn] in warn("\(table.name): \($0)") }
      let job = try await DumpJob(
        client: client, tableName: table.name, storage: storage, options: options)
      let summary = try await job.run { state.note(table.name, $0) }
      try await note(.complete(FolderArchive(summary.archive)), of: table.name)
      return .complete(summary.archive, summary: summary)
    } catch is CancellationError {
      try Task.checkCancellation()
      return .pending
    } catch {
      // Nobody will be let in any more.
      if (error as? ServiceError)?.kind == .credentials { throw error }
      // An archive that was complete and is not what it was is left to people.
      if table.state.archive == nil {
        try await note(.failed(FolderFailure(error)), of: table.name)
      }
      return .failed(error)
    }
  }

  /// The archive that an earlier run has made.
  private func kept(_ table: String, _ row: FolderArchive) throws(ArchiveError) -> Archive {
    let folder = ArchiveFolder(directory: writer.directory, index: writer.index)
    do throws(ArchiveError) { return try folder.archive(of: table, row) } catch {
      var error = error
      error.hint =
        "restore it from a copy; or remove \(folder.path(of: table)), and the table is dumped again"
      throw error
    }
  }

  private func note(_ tableState: TableState, of table: String) async throws {
    try await offPool { [writer] in try writer.set(tableState, of: table, at: .now) }
  }

  /// Whether a table was refused for good, and nothing of it was got.
  @Sendable func isInVain(_ dump: TableDump) -> Bool {
    guard case .failed(let error) = dump.outcome, FolderFailure.isRefusal(error) else {
      return false
    }
    let path = ArchiveFolder.path(of: dump.table, in: writer.directory)
    guard access(path, F_OK) == 0 else { return true }
    guard let journal = try? Journal.read(LocalStorage(directory: path)) else { return false }
    return journal.counts == DumpCounts()
  }
}
