import AWS
import Synchronization

/// What the requests of a job met, to be added to its progress.
struct RequestNotes: Sendable, Equatable {
  var retries = RetrySums()
  /// Throttled attempts, and what was at its limit.
  var throttled = 0
  var causes: [ThrottleCause] = []
  /// Why a request is taken up again, in words.
  var fault: String?

  init(retries: RetrySums = RetrySums(), fault: String? = nil) {
    self.retries = retries
    self.fault = fault
  }

  /// What a call met that succeeded in the end.
  init(_ response: ServiceResponse) {
    retries = RetrySums(response.retries)
    throttled = response.retries.throttling
    causes = ThrottleCause.list(response.throttlingReasons)
  }

  /// What a call met that failed. That it is taken up again is for `RequestGate.retry` to count.
  init(_ error: ServiceError) {
    retries = RetrySums(error.retries)
    throttled = error.retries.throttling + (error.kind == .throttling ? 1 : 0)
    causes = ThrottleCause.list(error.throttlingReasons)
    if error.kind == .throttling, causes.isEmpty {
      causes = [ThrottleCause(resource: "", reason: error.code)]
    }
  }
}

/// The way of all of a job's bulk requests: a permit, units of the budget, the call, the settlement,
/// and the retries of the job itself.
struct RequestGate: Sendable {
  /// What was read from an answer.
  struct Answer<Content: Sendable>: Sendable {
    var content: Content
    /// Capacity units consumed, where the service told.
    var units: Double?
    /// Whether the service held something back, as BatchWriteItem's UnprocessedItems does.
    var isThrottled = false
  }

  let client: DynamoClient
  let pace: JobPace
  let limiter: AdaptiveLimiter
  /// Nil without a bound.
  let budget: CapacityBudget?
  /// Receives what requests met since the last call.
  let note: @Sendable (RequestNotes) -> Void

  /// A gate of the same permits for reads, with a budget of their own.
  func reading(unitsPerSecond rate: Double?) -> RequestGate {
    RequestGate(
      client: client, pace: pace, limiter: limiter,
      budget: rate.map { CapacityBudget(rate: $0, clock: pace.clock) }, note: note)
  }

  /// Calls an operation once permit and budget allow it.
  ///
  /// - Parameters:
  ///   - estimate: units that the request will probably consume; asked when its turn has come.
  ///   - body: the request; made behind that.
  ///   - read: makes sense of the answer.
  /// - Throws: `ServiceError`, `CancellationError`, and what `read` throws.
  func call<Content>(
    _ operation: String, estimate: () -> Double, body: () -> [UInt8],
    read: (ServiceResponse) throws -> Answer<Content>
  ) async throws -> Answer<Content> {
    let permit = try await limiter.acquire()
    var outcome = AdaptiveLimiter.Outcome.other
    defer { limiter.release(permit, outcome) }
    var units = 0.0
    if let budget {
      let reserved = try await budget.reserve(estimate)
      units = reserved.units
      pace.excuse(reserved.waited)
    }
    // An answer that is lost may have cost what it was to cost.
    var consumed = units
    defer { budget?.settle(units, consumed: consumed) }
    do {
      let response = try await client.call(operation, body())
      let lost = units * Double(response.retries.lostAnswers)
      consumed += lost
      if response.retries.throttling > 0 { outcome = .throttled }
      note(RequestNotes(response))
      let answer = try read(response)
      consumed = (answer.units ?? units) + lost
      if outcome == .other { outcome = answer.isThrottled ? .throttled : .succeeded }
      return answer
    } catch let error as ServiceError {
      let isThrottled = error.kind == .throttling
      consumed = units * Double(error.retries.lostAnswers + (error.isLostAnswer ? 1 : 0))
      if error.code == ServiceError.conditionFailed { consumed += units }
      if isThrottled || error.retries.throttling > 0 { outcome = .throttled }
      note(RequestNotes(error))
      throw error
    }
  }

  /// Waits before a call that failed is taken up again.
  ///
  /// - Throws: the error itself, where trying again is no use; what `JobPace.wait` throws.
  func retry(after error: ServiceError, attempt: Int) async throws {
    guard let cause = error.waitCause, let retry = RetrySums(retryAfter: error) else { throw error }
    note(RequestNotes(retries: retry, fault: "\(error)"))
    try await pace.wait(attempt: attempt, cause: cause, because: "\(error)")
  }

  /// Waits before a request whose answer could not be used is sent again.
  func retry(afterBadAnswer message: String, attempt: Int) async throws {
    var retries = RetrySums()
    retries.badAnswers = 1
    note(RequestNotes(retries: retries, fault: message))
    try await pace.wait(attempt: attempt, cause: .transient, because: message)
  }
}

extension RetryCounts {
  /// Attempts that the service may have carried out although nobody heard so.
  fileprivate var lostAnswers: Int { transport + checksum }
}

extension ServiceError {
  /// Whether the service may have carried out the last attempt although nobody heard so.
  fileprivate var isLostAnswer: Bool {
    kind == .transport || code == ServiceError.checksumMismatch
  }

  /// How a job waits before it tries again what a call gave up; nil where trying again is no use.
  var waitCause: JobPace.Cause? {
    switch kind {
    case .throttling: .throttled
    case .transient: .transient
    default: isOutOfReach ? .transient : nil
    }
  }
}
