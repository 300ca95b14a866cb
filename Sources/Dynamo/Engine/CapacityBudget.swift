import Synchronization

/// A `UnitBudget` that tasks wait for, first come, first served.
final class CapacityBudget: Sendable {
  /// Units per second.
  let rate: Double
  private let clock: JobClock
  private let core: Mutex<UnitBudget>
  /// One task at a time asks; the others queue behind it.
  private let turnstile = AdaptiveLimiter(AIMD(fixed: 1))

  init(rate: Double, clock: JobClock = .system) {
    self.rate = rate
    self.clock = clock
    core = Mutex(UnitBudget(rate: rate))
  }

  /// Waits until units may be spent, and reserves them.
  ///
  /// - Parameter estimate: what the request will probably consume; asked when its turn has come, by
  ///   what is known then.
  /// - Returns: what was reserved, and how long that took.
  /// - Throws: `CancellationError`; then nothing is reserved.
  func reserve(_ estimate: () -> Double) async throws -> (units: Double, waited: Duration) {
    let start = clock.now()
    let turn = try await turnstile.acquire()
    defer { turnstile.release(turn, .other) }
    while true {
      let units = estimate()
      let now = clock.now().inSeconds
      guard case .wait(let seconds) = core.withLock({ $0.reserve(units, at: now) }) else {
        return (units, clock.now() - start)
      }
      // A refund may come in the meantime, so no wait is long.
      try await clock.sleep(.seconds(min(max(seconds, 0.001), 0.05)))
    }
  }

  /// Settles a reservation with what was consumed.
  func settle(_ estimate: Double, consumed: Double) {
    let now = clock.now().inSeconds
    core.withLock { $0.settle(estimate, consumed: consumed, at: now) }
  }
}
