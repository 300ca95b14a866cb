/// Time as a job sees it; tests put their own in its place.
struct JobClock: Sendable {
  /// Time since some moment; never goes back.
  var now: @Sendable () -> Duration
  /// Waits; throws `CancellationError` at once when the task is cancelled.
  var sleep: @Sendable (Duration) async throws -> Void

  /// The machine's clock, which goes on while the machine is suspended.
  static let system: JobClock = {
    let clock = ContinuousClock()
    let start = clock.now
    return JobClock(
      now: { clock.now - start }, sleep: { try await Task.sleep(for: $0, clock: clock) })
  }()

  /// The machine's clock, whose sleeps end with a wish to stop as they do with a cancellation.
  static func system(until stop: StopSignal) -> JobClock {
    JobClock(now: system.now, sleep: { try await stop.sleep(for: $0) })
  }
}

extension Duration {
  /// The duration in seconds.
  var inSeconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }
}
