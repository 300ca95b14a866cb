internal import Synchronization

/// Adds up what the readers of both sides do, and says so.
final class DiffCounter: Sendable {
  private struct State {
    var progress = DiffProgress()
    var summary = DiffSummary()
  }

  private let state: Mutex<State>
  private let report: @Sendable (DiffProgress) -> Void

  init(_ sides: [any ItemSource], report: @escaping @Sendable (DiffProgress) -> Void) {
    self.report = report
    var state = State()
    // Unknown for one part, it is unknown for all.
    state.progress.expectedItems = sides.flatMap(\.parts).reduce(0) { sum, part in
      sum.flatMap { sum in part.items.map { sum + $0 } }
    }
    self.state = Mutex(state)
  }

  var summary: DiffSummary { state.withLock { $0.summary } }

  /// Items of the new side, so far.
  var newItems: Int { state.withLock { $0.summary.new.items } }

  /// A part that both sides have.
  func skip(_ side: Int, _ part: ItemPart) {
    change { state in
      state.progress.items += part.items ?? 0
      state.summary[side].items += part.items ?? 0
      state.summary[side].contentBytes += part.contentBytes ?? 0
      state.summary[side].partsSkipped += 1
    }
  }

  /// Items that were read.
  func read(_ side: Int, _ block: borrowing LineBlock) {
    let (items, bytes) = (block.lines.count, block.content.count)
    change { state in
      state.progress.items += items
      state.progress.contentBytes += bytes
      state.summary[side].items += items
      state.summary[side].contentBytes += bytes
      state.summary.bytesRead += bytes
    }
  }

  /// Items that were read for the second time.
  func readAgain(_ block: borrowing LineBlock) {
    let bytes = block.content.count
    change { state in
      state.progress.contentBytes += bytes
      state.summary.bytesRead += bytes
    }
  }

  /// Changes that are given out.
  func found(_ changes: [Change]) {
    change { state in
      state.progress.changes += changes.count
      for change in changes {
        switch change.kind {
        case .added: state.summary.added += 1
        case .removed: state.summary.removed += 1
        case .changed: state.summary.changed += 1
        }
      }
    }
  }

  private func change(_ body: (inout State) -> Void) {
    let now = state.withLock { state in
      body(&state)
      return state.progress
    }
    report(now)
  }
}

extension DiffSummary {
  /// The old side at 0, the new one at 1.
  fileprivate subscript(side: Int) -> Side {
    get { side == 0 ? old : new }
    set { if side == 0 { old = newValue } else { new = newValue } }
  }
}
