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

  let clock: JobClock
  private let giveUpAfter: Duration
  private let lastProgress: Mutex<Duration>

  init(giveUpAfter: Duration, clock: JobClock = .system) {
    self.giveUpAfter = giveUpAfter
    self.clock = clock
    lastProgress = Mutex(clock.now())
  }

  /// Something arrived or was written.
  func progressed() {
    let now = clock.now()
    lastProgress.withLock { $0 = max($0, now) }
  }

  /// Time that passed because the job held itself back is no lack of progress.
  func excuse(_ waited: Duration) {
    guard waited > .seconds(1) else { return }
    let now = clock.now()
    lastProgress.withLock { $0 = min($0 + waited, now) }
  }

  /// Sleeps a full-jitter backoff: rand(0,1) x min(20 s, base x 2^attempt), but not beyond the
  /// moment at which the job gives up.
  ///
  /// - Throws: `DynamoError` of code `stuck` once nothing has moved for too long;
  ///   `CancellationError` as soon as the task is cancelled.
  func wait(attempt: Int, cause: Cause, because reason: String) async throws {
    let left = lastProgress.withLock { $0 } + giveUpAfter - clock.now()
    guard left > .zero else {
      throw DynamoError(
        .stuck, "nothing has moved for \(giveUpAfter.components.seconds) s: \(reason)",
        hint: "look at the table's capacity and the network; --give-up-after makes the job wait "
          + "longer")
    }
    let delay = JobPace.delay(attempt: attempt, cause: cause, random: .random(in: 0...1))
    try await clock.sleep(min(delay, left))
  }

  /// The backoff before attempt `attempt` + 1, for a random number from 0 to 1.
  static func delay(attempt: Int, cause: Cause, random: Double) -> Duration {
    min(.seconds(20), cause.base * (1 << min(attempt, 16))) * random
  }
}
