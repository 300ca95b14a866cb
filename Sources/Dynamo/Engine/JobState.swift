import Synchronization

/// A job's progress, as far as it tells what requests met.
protocol TrafficProgress: Sendable {
  var retries: RetrySums { get set }
  var lastFault: String? { get set }
  var throttledBy: ThrottleSums { get set }
}

extension TrafficProgress {
  mutating func add(_ notes: RequestNotes) {
    retries += notes.retries
    throttledBy.add(notes.causes, times: notes.throttled)
    lastFault = notes.fault ?? lastFault
  }
}

/// What the tasks of one job share: how far it is, told whenever that changes.
final class JobState<Progress: TrafficProgress>: Sendable {
  private let state: Mutex<Progress>
  private let report: @Sendable (Progress) -> Void

  init(_ start: Progress, progress: @escaping @Sendable (Progress) -> Void) {
    state = Mutex(start)
    report = progress
  }

  var snapshot: Progress { state.withLock { $0 } }

  @discardableResult
  func change(_ body: (inout Progress) -> Void) -> Progress {
    let now = state.withLock { state in
      body(&state)
      return state
    }
    report(now)
    return now
  }

  /// Adds what requests met.
  @Sendable func note(_ notes: RequestNotes) {
    guard notes != RequestNotes() else { return }
    change { $0.add(notes) }
  }
}
