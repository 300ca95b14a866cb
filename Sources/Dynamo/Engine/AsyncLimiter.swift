import Synchronization

/// A counting semaphore for tasks: at most so many hold a permit at once; waiting suspends, it
/// blocks no thread, and ends with the waiting task's cancellation.
final class AsyncLimiter: Sendable {
  private struct Waiter {
    var id: Int
    var continuation: CheckedContinuation<Bool, Never>
  }

  private struct State {
    var permits: Int
    var nextID = 0
    var waiters: [Waiter] = []
    /// Cancelled before they began to wait.
    var cancelled: Set<Int> = []
  }

  private let state: Mutex<State>

  init(permits: Int) { state = Mutex(State(permits: permits)) }

  /// Takes a permit, waiting for one to come free.
  ///
  /// - Throws: `CancellationError` when the task is cancelled first; then no permit is held.
  func acquire() async throws {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    let granted = await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
        let answer: Bool? = state.withLock { state in
          if state.cancelled.remove(id) != nil { return false }
          if state.permits > 0 {
            state.permits -= 1
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
  }

  /// Gives a permit back.
  func release() {
    let waiter = state.withLock { state -> Waiter? in
      if state.waiters.isEmpty {
        state.permits += 1
        return nil
      }
      return state.waiters.removeFirst()
    }
    waiter?.continuation.resume(returning: true)
  }
}
