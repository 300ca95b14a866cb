import Synchronization

/// How far a chunk is written: batches end in any order, but a checkpoint can only say that all
/// lines up to one are done.
final class ChunkTracker: Sendable {
  /// Lines from the chunk's start, and how many of these were rejected.
  struct Position: Equatable, Sendable {
    var lines = 0
    var rejected = 0
  }

  private struct State {
    var position: Position
    /// Batches that ended before one in front of them, by their first line.
    var ahead: [Int: (end: Int, rejected: Int)] = [:]
  }

  private let state: Mutex<State>

  /// Starts behind the lines that an earlier run wrote.
  init(_ start: Position) { state = Mutex(State(position: start)) }

  /// Notes that the batch of these lines has ended.
  ///
  /// - Returns: where the chunk stands now.
  func completed(_ lines: Range<Int>, rejected: Int) -> Position {
    state.withLock { state in
      state.ahead[lines.lowerBound] = (lines.upperBound, rejected)
      while let next = state.ahead.removeValue(forKey: state.position.lines) {
        state.position.lines = next.end
        state.position.rejected += next.rejected
      }
      return state.position
    }
  }
}
