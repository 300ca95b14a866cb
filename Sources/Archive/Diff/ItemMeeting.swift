internal import Synchronization

/// Where the readers of both sides meet, and keep step with each other.
final class ItemMeeting: Sendable {
  private struct Waiter {
    var side: Int
    var continuation: CheckedContinuation<Void, Never>
  }

  private struct State {
    var pool: ItemPool?
    /// Nil until it has been asked for.
    var filter: HashFilter??
    var readers: [Int]
    var waiters: [Waiter] = []
    var hasEnded = false
    /// Items since the pool was last looked at: those that met, those that left alone, and their bytes.
    var met = 0
    var left = 0
    var leftBytes = 0

    /// Whether a side has to let the other one come up with it.
    func mustWait(_ side: Int) -> Bool {
      guard !hasEnded, readers[1 - side] > 0 else { return false }
      guard let pool else { return side == 1 }
      return pool.waiting[side] > pool.waiting[1 - side] + pool.capacity / 8
    }

    /// Those whose turn has come.
    mutating func released() -> [Waiter] {
      guard !waiters.isEmpty else { return [] }
      let waits = [mustWait(0), mustWait(1)]
      defer { waiters.removeAll { !waits[$0.side] } }
      return waiters.filter { !waits[$0.side] }
    }
  }

  private let memory: Int
  private let state: Mutex<State>

  /// - Parameters:
  ///   - memory: bytes for the pool, or for the filter in its place.
  ///   - readers: of each side.
  init(memory: Int, readers: Int) {
    self.memory = memory
    state = Mutex(
      State(pool: ItemPool(memory: memory / 6 * 5), readers: [readers, readers]))
  }

  /// Takes in the items of a block, as `ItemPool.take` does.
  ///
  /// - Returns: false where the sides are in no common order, and the pool is of no use. What is in it
  ///   has left by then.
  func take(
    _ block: borrowing LineBlock, _ hashes: [UInt128], place: UInt32, index: Int,
    strays: inout Strays
  ) -> Bool {
    let (isTaken, released) = state.withLock { state -> (Bool, [Waiter]) in
      guard state.pool != nil else { return (false, []) }
      let before = (strays.items.count, strays.bytes.count)
      state.met +=
        state.pool?.take(block, hashes, place: place, index: index, strays: &strays) ?? 0
      state.left += strays.items.count - before.0
      state.leftBytes += strays.bytes.count - before.1
      if state.leftBytes > memory {
        if state.left > state.met {
          state.pool?.drain(&strays)
          state.pool = nil
        }
        (state.met, state.left, state.leftBytes) = (0, 0, 0)
      }
      return (true, state.released())
    }
    for waiter in released { waiter.continuation.resume() }
    return isTaken
  }

  /// Waits while a side is ahead of the other one, or, where the pool was of no use, for the old side to
  /// be through.
  func turn(of side: Int) async throws {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let passes = state.withLock { state in
          guard state.mustWait(side) else { return true }
          state.waiters.append(Waiter(side: side, continuation: continuation))
          return false
        }
        if passes { continuation.resume() }
      }
    } onCancel: {
      release { $0.hasEnded = true }
    }
    try Task.checkCancellation()
  }

  /// A reader is through with its parts.
  func finished(_ side: Int) {
    release { $0.readers[side] -= 1 }
  }

  /// What tells of items of the new side that the old one lacks them, once the old one is through and the
  /// pool was of no use.
  func filter(_ store: RecordStore) throws(ArchiveError) -> HashFilter? {
    try state.withLock { (state) throws(ArchiveError) in
      if let made = state.filter { return made }
      let filter = try HashFilter(store, memory: memory)
      state.filter = .some(filter)
      return filter
    }
  }

  /// Lets everything leave that is still in the pool.
  func drain(_ strays: inout Strays) {
    state.withLock { state in
      state.pool?.drain(&strays)
      state.pool = nil
    }
  }

  private func release(_ change: (inout State) -> Void) {
    let released = state.withLock { state in
      change(&state)
      return state.released()
    }
    for waiter in released { waiter.continuation.resume() }
  }
}
