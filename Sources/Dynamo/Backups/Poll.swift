import AWS

/// What a job waits for.
public struct WaitProgress: Sendable, Equatable {
  /// `table Orders is CREATING`
  public var status: String
  /// How long it has been waited for.
  public var waited: Duration
}

/// Asks the service again and again until something is as it is to be. That may take hours; only when the
/// service does not answer for long does it end by itself.
struct Poll: Sendable {
  private let pace: JobPace

  /// - Parameters:
  ///   - giveUpAfter: how long there may be no answer.
  ///   - stop: ends the wait at once.
  init(giveUpAfter: Duration, stop: StopSignal) {
    pace = JobPace(giveUpAfter: giveUpAfter, clock: .system(until: stop))
  }

  /// Waits until `ask` has an answer.
  ///
  /// - Parameter ask: answers nil while it is not time yet, and may say how things stand.
  /// - Throws: what `ask` throws, but for what passes by itself, such as throttling; `DynamoError` of code
  ///   `stuck` where it does not pass; `CancellationError` as soon as a stop is asked for.
  func until<Answer>(
    _ progress: (WaitProgress) -> Void, _ ask: (inout String) async throws -> Answer?
  ) async throws -> Answer {
    let start = pace.clock.now()
    var status = ""
    var pause = Duration.milliseconds(100)
    var faults = 0
    pace.progressed()
    while true {
      do {
        if let answer = try await ask(&status) { return answer }
        faults = 0
      } catch let error as ServiceError {
        guard let cause = error.waitCause else { throw error }
        try await pace.wait(attempt: faults, cause: cause, because: "\(error)")
        faults += 1
        continue
      }
      pace.progressed()
      progress(WaitProgress(status: status, waited: pace.clock.now() - start))
      try await pace.clock.sleep(pause)
      pause = min(pause * 2, .seconds(5))
    }
  }
}
