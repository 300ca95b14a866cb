public import Archive

/// How to load a folder of archives.
public struct LoadTablesOptions: Sendable {
  /// How each table is loaded. Target, state file and `completed` are the job's own; `concurrency` is of all
  /// together. With `resume` what the load was begun with counts.
  public var load: LoadOptions
  /// What the tables are called.
  public var maps: [PrefixMap] = []
  /// Tables that are loaded at the same time.
  public var tablesAtOnce = 4
  /// What the names of state files begin with: `STEM.load-tables-state`, and `STEM.TABLE.load-state` for each table.
  public var stateStem: String
  /// Where files of rejected items are made, one for each table that needs it.
  public var rejectsDirectory = "."

  public init(load: LoadOptions, stateStem: String) {
    self.load = load
    self.stateStem = stateStem
  }
}

/// How the load of a table ended that was done.
public struct TableLoadEnd: Sendable, Equatable {
  /// Items written, in all runs.
  public var written: Int
  /// Items that the table rejected.
  public var rejected: Int
  /// Where these are.
  public var rejects: String?

  public init(written: Int, rejected: Int, rejects: String? = nil) {
    self.written = written
    self.rejected = rejected
    self.rejects = rejects
  }
}

/// What is to be done for a table.
public struct TableLoadPlan: Sendable {
  public enum Step: Sendable {
    case load(LoadPlan)
    /// An earlier run has done it.
    case done(TableLoadEnd)
    /// It cannot be loaded, and why.
    case refused(any Error)
  }

  /// The table that the archive is of.
  public var source: String
  /// The table to load into.
  public var target: String
  public var step: Step
  /// What the archive was when the plan was made.
  let row: FolderArchive
}

/// What a load of several tables is about to do; nothing has been written.
public struct LoadTablesPlan: Sendable {
  public var tables: [TableLoadPlan]
  /// Tables of the folder whose archives are not complete; they are not loaded.
  public var incomplete: [FolderIndex.Table]
  /// Tables whose archives were completed after the load had begun; they are not loaded either.
  public var later: [String]
  /// Archives that the index does not name, as paths below the folder; not loaded.
  public var strangers: [String]
  /// Where the load notes how far it is.
  public var statePath: String
  /// The state of earlier runs.
  let state: LoadTablesState?
  let begun: LoadTablesState.Begun

  /// The plans of the tables that are to be loaded.
  public var loads: [LoadPlan] {
    tables.compactMap { if case .load(let plan) = $0.step { plan } else { nil } }
  }

  /// Tables that cannot be loaded.
  public var refused: [String] {
    tables.compactMap { if case .refused = $0.step { $0.source } else { nil } }
  }

  /// What happens to items that the tables hold.
  public var existing: ExistingItems { begun.existing }

  /// Whether a table is refused, so that a load that has not begun must not begin.
  public var isRefused: Bool {
    state == nil && !refused.isEmpty
  }
}

/// What became of a table.
public struct TableLoad: Sendable {
  public enum Outcome: Sendable {
    case loaded(LoadSummary)
    /// An earlier run had done it.
    case done(TableLoadEnd)
    case failed(any Error)
    /// The job was stopped before it was done.
    case pending
  }

  public var source: String
  public var target: String
  public var outcome: Outcome

  /// How the load ended; nil where it has not been done.
  public var end: TableLoadEnd? {
    switch outcome {
    case .loaded(let summary): TableLoadEnd(summary)
    case .done(let end): end
    case .failed, .pending: nil
    }
  }
}

extension TableLoadEnd {
  init(_ summary: LoadSummary) {
    self.init(
      written: summary.progress.written, rejected: summary.progress.rejected,
      rejects: summary.rejects?.path)
  }
}

/// What a load of several tables did.
public struct LoadTablesSummary: Sendable {
  /// In the order of names.
  public var tables: [TableLoad]
  /// Requests, retries and units of this run.
  public var progress: TablesProgress
  /// Whether there is a state file to go on with.
  public var canGoOn: Bool
}
