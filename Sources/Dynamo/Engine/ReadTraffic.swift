import Synchronization

/// What reading a table has taken so far.
public struct ReadTraffic: Sendable, Equatable, TrafficProgress {
  /// Read capacity units, as the service told.
  public var consumedUnits = 0.0
  /// Requests that had to be sent again.
  public var retries = RetrySums()
  /// Why a request was last taken up again.
  public var lastFault: String?
  /// What was at its limit.
  public var throttledBy = ThrottleSums()
}

extension ReadTraffic {
  mutating func add(_ notes: RequestNotes) {
    retries += notes.retries
    throttledBy.add(notes.causes, times: notes.throttled)
    lastFault = notes.fault ?? lastFault
  }
}

/// Adds it up, from any task.
final class ReadTrafficCounter: Sendable {
  private let state = Mutex(ReadTraffic())

  var sum: ReadTraffic { state.withLock { $0 } }

  func count(_ page: borrowing Page) {
    let units = page.consumedUnits ?? 0
    state.withLock { $0.consumedUnits += units }
  }

  @Sendable func note(_ notes: RequestNotes) {
    guard notes != RequestNotes() else { return }
    state.withLock { $0.add(notes) }
  }
}
