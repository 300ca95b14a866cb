import Synchronization

/// Holds requests back while pages that have arrived wait for a processor: more of them would take
/// memory and save no time. Where the network is the limit the backlog is empty, and nothing waits.
///
/// Of the requests that wait, those of the lowest segments go first. So the processors work on few
/// segments at a time, whose compressors' tables stay in the cache: in turn over eight or sixteen,
/// zstd took 10 to 25% longer than with one.
final class PageBacklog: Sendable {
  private struct Waiter {
    var segment: Int
    var continuation: CheckedContinuation<Void, Never>
  }

  private struct State {
    /// Of pages that have arrived and are not in the archive yet.
    var bytes = 0
    /// By falling segment: the last one is next.
    var waiters: [Waiter] = []
    var isOpen = false
  }

  private let limit: Int
  private let state = Mutex(State())

  /// - Parameter limit: bytes of pages that may wait, enough to keep every processor busy.
  init(limit: Int) { self.limit = limit }

  /// Requests that are held back.
  var waiting: Int { state.withLock { $0.waiters.count } }

  /// Waits until a page may be asked for.
  func enter(_ segment: Int) async {
    await withCheckedContinuation { continuation in
      let passes = state.withLock { state in
        if state.isOpen || state.bytes < limit && state.waiters.isEmpty { return true }
        let place = state.waiters.firstIndex { $0.segment <= segment } ?? state.waiters.endIndex
        state.waiters.insert(Waiter(segment: segment, continuation: continuation), at: place)
        return false
      }
      if passes { continuation.resume() }
    }
  }

  /// A page of so many bytes is in memory.
  func arrived(_ bytes: Int) { state.withLock { $0.bytes += bytes } }

  /// A page has left memory. Lets as many others ask for theirs as keeps the backlog between half of
  /// the limit and the limit.
  func left(_ bytes: Int) {
    let released = state.withLock { state in
      state.bytes -= bytes
      let count = state.bytes >= limit ? 0 : 2 * state.bytes >= limit ? 1 : 2
      let released = state.waiters.suffix(count)
      state.waiters.removeLast(released.count)
      return released
    }
    for waiter in released.reversed() { waiter.continuation.resume() }
  }

  /// Lets everybody pass from now on: the job is ending.
  func open() {
    let released = state.withLock { state in
      state.isOpen = true
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in released { waiter.continuation.resume() }
  }
}
