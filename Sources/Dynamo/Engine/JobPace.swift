import AWS
import Synchronization

/// How a job waits: the layer above the retries of single calls. While anything still moves,
/// throttling and faults only slow it down; it gives up once nothing has moved for long enough.
final class JobPace: Sendable {
  /// Why a wait is needed.
  enum Cause: Sendable {
    /// The service asks for fewer requests.
    case throttled
    /// BatchWriteItem left operations over.
    case unprocessed
    /// A fault of the network or the service.
    case transient

    /// The first backoff's ceiling.
    var base: Duration {
      switch self {
      case .throttled: .seconds(1)
      case .unprocessed, .transient: .milliseconds(100)
      }
    }
  }

  private struct State {
    var lastProgress: ContinuousClock.Instant
    var retries = 0
  }

  private let clock = ContinuousClock()
  private let giveUpAfter: Duration
  private let stop: StopSignal
  private let state: Mutex<State>

  init(giveUpAfter: Duration, stop: StopSignal) {
    self.giveUpAfter = giveUpAfter
    self.stop = stop
    state = Mutex(State(lastProgress: clock.now))
  }

  /// Something arrived or was written.
  func progressed() {
    let now = clock.now
    state.withLock { $0.lastProgress = now }
  }

  /// Waits that the job has made so far, the retries inside calls not counted.
  var retries: Int { state.withLock { $0.retries } }

  /// Sleeps a full-jitter backoff: rand(0,1) x min(20 s, base x 2^attempt).
  ///
  /// - Throws: `DynamoError` of code `stuck` once nothing has moved for too long;
  ///   `CancellationError`.
  func wait(attempt: Int, cause: Cause, because reason: String) async throws {
    let (last, now) = (state.withLock { $0.lastProgress }, clock.now)
    guard now - last < giveUpAfter else {
      throw DynamoError(
        .stuck, "nothing has moved for \(giveUpAfter.components.seconds) s: \(reason)",
        hint: "look at the table's capacity and the network, then run the command again")
    }
    state.withLock { $0.retries += 1 }
    try await stop.sleep(
      for: JobPace.delay(attempt: attempt, cause: cause, random: .random(in: 0...1)))
  }

  /// The backoff before attempt `attempt` + 1, for a random number from 0 to 1.
  static func delay(attempt: Int, cause: Cause, random: Double) -> Duration {
    min(.seconds(20), cause.base * (1 << min(attempt, 16))) * random
  }
}
