import Synchronization

/// How far a job is that works on several tables.
public struct TablesProgress: Sendable, TrafficProgress {
  /// Tables to work on, in this run.
  public var tables = 0
  /// Of these, those that are done, well or not.
  public var done = 0
  /// Items read or written.
  public var items = 0
  /// Bytes of content read, or bytes sent.
  public var bytes = 0
  /// Capacity units of the kind that the job is about, as the service told.
  public var consumedUnits = 0.0
  public var retries = RetrySums()
  /// Why a request was last taken up again.
  public var lastFault: String?
  /// What was at its limit.
  public var throttledBy = ThrottleSums()
  /// Of the tables at work, the one that has not moved for the longest time, and what holds it; nil
  /// where all move.
  public var slowest: (table: String, reason: String)?
}

/// What a job on one table tells to the job on several.
protocol TableProgress: TrafficProgress {
  var doneItems: Int { get }
  var doneBytes: Int { get }
  var consumedUnits: Double { get }
}

extension DumpProgress: TableProgress {
  var doneItems: Int { items }
  var doneBytes: Int { contentBytes }
}

extension WriteProgress: TableProgress {
  var doneItems: Int { written + deleted }
  var doneBytes: Int { wireBytes }
}

/// Adds up what the jobs on single tables tell, from any task.
final class TablesState<Progress: TableProgress>: Sendable {
  /// How long a table may stand still before it is named.
  private static var patience: Duration { .seconds(2) }

  private struct Running {
    var progress: Progress
    var movedAt: ContinuousClock.Instant
  }

  private struct State {
    /// Of the tables that are done.
    var sum: TablesProgress
    var running: [String: Running] = [:]
  }

  private let state: Mutex<State>
  private let report: @Sendable (TablesProgress) -> Void

  init(tables: Int, progress: @escaping @Sendable (TablesProgress) -> Void) {
    state = Mutex(State(sum: TablesProgress(tables: tables)))
    report = progress
  }

  var snapshot: TablesProgress { state.withLock { TablesState.whole($0) } }

  /// Takes in how far a table is.
  func note(_ table: String, _ progress: Progress) {
    let now = ContinuousClock().now
    let whole = state.withLock { state in
      let before = state.running[table]
      let hasMoved = before.map { $0.progress.doneItems != progress.doneItems } ?? true
      state.running[table] = Running(
        progress: progress, movedAt: hasMoved ? now : before?.movedAt ?? now)
      return TablesState.whole(state)
    }
    report(whole)
  }

  /// A table is done, well or not.
  func end(_ table: String) {
    let whole = state.withLock { state in
      if let last = state.running.removeValue(forKey: table) {
        TablesState.add(last.progress, to: &state.sum)
      }
      state.sum.done += 1
      return TablesState.whole(state)
    }
    report(whole)
  }

  private static func whole(_ state: State) -> TablesProgress {
    var sum = state.sum
    let now = ContinuousClock().now
    var longest = patience
    for (table, running) in state.running {
      add(running.progress, to: &sum)
      let still = now - running.movedAt
      guard still > longest, let fault = running.progress.lastFault else { continue }
      longest = still
      sum.slowest = (table, running.progress.throttledBy.latest?.reason ?? fault)
    }
    return sum
  }

  private static func add(_ progress: Progress, to sum: inout TablesProgress) {
    sum.items += progress.doneItems
    sum.bytes += progress.doneBytes
    sum.consumedUnits += progress.consumedUnits
    sum.retries += progress.retries
    sum.lastFault = progress.lastFault ?? sum.lastFault
    sum.throttledBy += progress.throttledBy
  }
}
