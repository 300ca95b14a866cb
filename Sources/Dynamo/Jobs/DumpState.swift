import Archive
import Synchronization

extension DumpProgress: TrafficProgress {}

/// What the segments of one dump share.
final class DumpState: Sendable {
  private struct State {
    var nextSegment = 0
    var progress = DumpProgress()
  }

  let meter: PageMeter
  let backlog: PageBacklog
  private let state: Mutex<State>
  private let report: @Sendable (DumpProgress) -> Void

  init(
    segments: Int, expectedItems: Int?, resumed: DumpCounts?, meter: PageMeter,
    backlog: PageBacklog, progress: @escaping @Sendable (DumpProgress) -> Void
  ) {
    self.meter = meter
    self.backlog = backlog
    report = progress
    var state = State()
    state.progress.segments = segments
    state.progress.expectedItems = expectedItems
    if let resumed {
      state.progress.items = resumed.items
      state.progress.contentBytes = resumed.contentBytes
      state.progress.scannedItems = resumed.reading.scannedItems
      state.progress.consumedUnits = resumed.reading.consumedReadUnits
      state.progress.segmentsDone = resumed.segmentsDone
    }
    self.state = Mutex(state)
  }

  var snapshot: DumpProgress { state.withLock { $0.progress } }

  /// Whether every segment has been read to its end.
  var isDone: Bool { state.withLock { $0.progress.segmentsDone == $0.progress.segments } }

  func nextSegment() -> Int? {
    state.withLock { state in
      guard state.nextSegment < state.progress.segments else { return nil }
      state.nextSegment += 1
      return state.nextSegment - 1
    }
  }

  func count(_ page: Page) {
    var content = 0
    for item in page.cutter.items { content += item.range.count + LineFormat.overhead }
    change { progress in
      progress.items += page.cutter.items.count
      progress.contentBytes += content
      progress.scannedItems += page.scannedItems
      progress.consumedUnits += page.consumedUnits ?? 0
    }
  }

  @Sendable func note(_ notes: RequestNotes) {
    guard notes != RequestNotes() else { return }
    change { $0.add(notes) }
  }

  func finishedSegment() { change { $0.segmentsDone += 1 } }

  private func change(_ body: (inout DumpProgress) -> Void) {
    let now = state.withLock { state in
      body(&state.progress)
      return state.progress
    }
    report(now)
  }
}
