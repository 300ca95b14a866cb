import Synchronization

/// A counting semaphore for tasks whose number of permits adapts (`AIMD`). Waiting is first come,
/// first served; it suspends, blocks no thread, and ends with the waiting task's cancellation.
final class AdaptiveLimiter: Sendable {
  /// The right to have one request in flight; goes back by `release`.
  struct Permit: Sendable {
    fileprivate var number: Int
  }

  /// What became of the request.
  enum Outcome: Sendable {
    case succeeded
    case throttled
    /// A fault that says nothing of capacity.
    case other
  }

  private struct Waiter {
    var id: Int
    var continuation: CheckedContinuation<Bool, Never>
  }

  private struct State {
    var core: AIMD
    var inUse = 0
    /// When the last permit came back.
    var lastRelease: Duration?
    var nextID = 0
    var waiters: [Waiter] = []
    /// Cancelled before they began to wait.
    var cancelled: Set<Int> = []

    /// The waiters whose turn has come.
    mutating func admit() -> [Waiter] {
      let count = min(max(core.limit - inUse, 0), waiters.count)
      guard count > 0 else { return [] }
      inUse += count
      let admitted = Array(waiters.prefix(count))
      waiters.removeFirst(count)
      return admitted
    }
  }

  private let clock: JobClock
  private let state: Mutex<State>

  init(_ core: AIMD, clock: JobClock = .system) {
    self.clock = clock
    state = Mutex(State(core: core))
  }

  /// Permits there are at this moment.
  var limit: Int { state.withLock { $0.core.limit } }

  /// Takes a permit, waiting for one to come free.
  ///
  /// - Throws: `CancellationError` when the task is cancelled first; then no permit is held.
  func acquire() async throws -> Permit {
    try Task.checkCancellation()
    // Where nothing stands in the way there is nothing to wait for.
    let free = state.withLock { state -> Permit? in
      guard state.inUse < state.core.limit, state.waiters.isEmpty, state.core.rest == .zero else {
        return nil
      }
      state.inUse += 1
      return Permit(number: state.core.send())
    }
    if let free { return free }
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    let granted = await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
        let answer: Bool? = state.withLock { state in
          if state.cancelled.remove(id) != nil { return false }
          if state.inUse < state.core.limit, state.waiters.isEmpty {
            state.inUse += 1
            return true
          }
          state.waiters.append(Waiter(id: id, continuation: continuation))
          return nil
        }
        if let answer { continuation.resume(returning: answer) }
      }
    } onCancel: {
      let waiter = state.withLock { state -> Waiter? in
        guard let index = state.waiters.firstIndex(where: { $0.id == id }) else {
          state.cancelled.insert(id)
          return nil
        }
        return state.waiters.remove(at: index)
      }
      waiter?.continuation.resume(returning: false)
    }
    state.withLock { _ = $0.cancelled.remove(id) }
    guard granted else { throw CancellationError() }
    do { try await keepDistance() } catch {
      giveBack { _ in }
      throw error
    }
    return Permit(number: state.withLock { $0.core.send() })
  }

  /// Gives a permit back and tells what became of its request.
  func release(_ permit: Permit, _ outcome: Outcome) {
    giveBack { state in
      switch outcome {
      case .succeeded: state.core.succeeded(waiting: !state.waiters.isEmpty)
      case .throttled: state.core.throttled(sentAt: permit.number)
      case .other: break
      }
    }
  }

  private func giveBack(_ learn: (inout State) -> Void) {
    let now = clock.now()
    let admitted = state.withLock { state in
      learn(&state)
      state.inUse -= 1
      state.lastRelease = now
      return state.admit()
    }
    for waiter in admitted { waiter.continuation.resume(returning: true) }
  }

  /// Stays away from the request before, where one at a time is too many.
  private func keepDistance() async throws {
    let pause = state.withLock { state -> Duration in
      guard state.core.rest > .zero, let last = state.lastRelease else { return .zero }
      return last + state.core.rest - clock.now()
    }
    if pause > .zero { try await clock.sleep(pause) }
  }
}
