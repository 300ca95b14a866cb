import Synchronization

/// A wish that a job end soon and well: with what is in flight finished, and a checkpoint written.
///
/// Cancelling the job's task, by contrast, drops what is in flight.
public final class StopSignal: Sendable {
  private struct State {
    var isRequested = false
    var isTaken = false
  }

  private let state = Mutex(State())

  public init() {}

  /// Whether the wish has been made.
  public var isRequested: Bool { state.withLock { $0.isRequested } }

  /// Makes the wish.
  ///
  /// - Returns: whether a job has taken it on itself to end; if none has, cancel the task.
  public func request() -> Bool {
    state.withLock { state in
      state.isRequested = true
      return state.isTaken
    }
  }

  /// Called by a job from where on it looks at `isRequested` often enough.
  ///
  /// - Throws: `CancellationError` when the wish came before.
  func takeOver() throws {
    let requested = state.withLock { state in
      state.isTaken = true
      return state.isRequested
    }
    if requested { throw CancellationError() }
  }

  /// Sleeps, but not beyond the wish.
  ///
  /// - Throws: `CancellationError` when the wish is made or the task cancelled.
  public func sleep(for duration: Duration) async throws {
    let clock = ContinuousClock()
    let end = clock.now + duration
    while true {
      if isRequested { throw CancellationError() }
      let left = end - clock.now
      guard left > .zero else { return }
      try await Task.sleep(for: min(left, .milliseconds(100)))
    }
  }
}
