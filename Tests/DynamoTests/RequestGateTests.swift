import JSON
import Synchronization
import Testing

@testable import AWS
@testable import Dynamo

/// Answers requests one after the other from a list, then with `{}`.
private final class ScriptedTransport: HTTPTransport {
  enum Step: Sendable {
    case answer(Int, String, [(String, String)])
    case fail(TransportError.Code)
  }

  private let steps: Mutex<[Step]>

  init(_ steps: [Step]) { self.steps = Mutex(steps) }

  func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
    let step = steps.withLock { $0.isEmpty ? Step.answer(200, "{}", []) : $0.removeFirst() }
    switch step {
    case .answer(let status, let body, let headers):
      return HTTPResponse(
        status: status, headers: HTTPHeaders(headers.map { .init(name: $0.0, value: $0.1) }),
        body: Array(body.utf8))
    case .fail(let code): throw TransportError(code, "it broke")
    }
  }
}

private func throttle(_ reason: String, _ resource: String) -> ScriptedTransport.Step {
  .answer(
    400,
    #"{"__type":"x#ThrottlingException","throttlingReasons":[{"reason":"\#(reason)","resource":"\#(resource)"}]}"#,
    [])
}

private let unavailable = ScriptedTransport.Step.answer(503, "", [])
private let badChecksum = ScriptedTransport.Step.answer(200, "{}", [("x-amz-crc32", "1")])
private let garbage = ScriptedTransport.Step.answer(200, "<html>", [])

@Suite(.timeLimit(.minutes(1))) struct RequestGateTests {
  private final class Notes: Sendable {
    private let sums = Mutex((RetrySums(), ThrottleSums()))
    var retries: RetrySums { sums.withLock { $0.0 } }
    var throttledBy: ThrottleSums { sums.withLock { $0.1 } }

    @Sendable func add(_ notes: RequestNotes) {
      sums.withLock {
        $0.0 += notes.retries
        $0.1.add(notes.causes, times: notes.throttled)
      }
    }
  }

  /// A clock on which nothing takes time but sleeping.
  private static func instant() -> JobClock {
    let time = Mutex(Duration.zero)
    return JobClock(
      now: { time.withLock { $0 } },
      sleep: { pause in
        try Task.checkCancellation()
        time.withLock { $0 += pause }
      })
  }

  private func gate(
    _ steps: [ScriptedTransport.Step], attempts: Int = 2, maximum: Int = 8,
    budget: CapacityBudget? = nil, notes: Notes
  ) throws -> RequestGate {
    let credentials = CachedCredentials(now: { .now }) { () async throws(CredentialError) in
      ResolvedCredentials(
        credentials: Credentials(accessKeyID: "A", secretAccessKey: "s"), provider: "test",
        canChange: false, passedOver: [])
    }
    var configuration = ServiceClient.Configuration(
      transport: ScriptedTransport(steps), endpoint: try HTTPURL("http://127.0.0.1:1"),
      region: "eu-west-1", signingName: "dynamodb", credentials: credentials, userAgent: "dynarc/0")
    configuration.retryPolicy.maximumAttempts = attempts
    configuration.sleep = { _ in }
    let clock = RequestGateTests.instant()
    return RequestGate(
      client: DynamoClient(service: ServiceClient(configuration)),
      pace: JobPace(giveUpAfter: .seconds(900), clock: clock),
      limiter: AdaptiveLimiter(AIMD(maximum: maximum), clock: clock), budget: budget,
      note: notes.add)
  }

  /// Sends until it goes through, as the jobs do.
  private func send(_ gate: RequestGate, estimate: Double = 1, units: Double? = nil) async throws {
    var attempt = 0
    while true {
      do {
        _ = try await gate.call("Scan", estimate: { estimate }, body: { Array("{}".utf8) }) {
          guard $0.body == Array("{}".utf8) else { throw DynamoError(.badAnswer, "garbage") }
          return .init(content: true, units: units)
        }
        return
      } catch let error as ServiceError {
        try await gate.retry(after: error, attempt: attempt)
      } catch let error as DynamoError where error.code == .badAnswer {
        try await gate.retry(afterBadAnswer: error.message, attempt: attempt)
      }
      attempt += 1
    }
  }

  /// Two attempts a call: each second failure is the job's to take up, and none is counted twice.
  @Test(arguments: [1, 2, 3, 20])
  func everyRetryIsCountedOnce(attempts: Int) async throws {
    let notes = Notes()
    let table = "arn:aws:dynamodb:eu-west-1:1:table/T"
    let steps: [ScriptedTransport.Step] = [
      throttle("TableReadAccountLimitExceeded", table), unavailable, badChecksum, .fail(.reset),
      .fail(.stalled), garbage, throttle("TableReadProvisionedThroughputExceeded", table), garbage,
      throttle("TableReadProvisionedThroughputExceeded", table), unavailable,
    ]
    try await send(gate(steps, attempts: attempts, notes: notes))
    var expected = RetrySums()
    expected.throttled = 3
    expected.serverErrors = 2
    expected.checksumMismatches = 1
    expected.transportFailures = 2
    expected.badAnswers = 2
    #expect(notes.retries == expected)
    #expect(notes.retries.total == 10)
    #expect(notes.throttledBy.causes.map(\.times).reduce(0, +) == 3)
    #expect(notes.throttledBy.latest?.reason == "TableReadProvisionedThroughputExceeded")
  }

  @Test func whatCannotSucceedIsNotTriedAgain() async throws {
    let notes = Notes()
    let denied = ScriptedTransport.Step.answer(400, #"{"__type":"x#AccessDeniedException"}"#, [])
    let gate = try gate([unavailable, denied], notes: notes)
    let error = try await #require(throws: ServiceError.self) { try await send(gate) }
    #expect(error.code == "AccessDeniedException")
    #expect(notes.retries.total == 1)
  }

  @Test func throttlesHalveThePermitsAndSuccessesBringThemBack() async throws {
    let notes = Notes()
    let gate = try gate([throttle("TableReadAccountLimitExceeded", "")], notes: notes)
    #expect(gate.limiter.limit == 4)
    try await send(gate)
    #expect(gate.limiter.limit == 2)
  }

  /// What was throttled consumed nothing; what got lost may have consumed what was expected; what
  /// was answered consumed what the answer says.
  private static let settlements: [(steps: [ScriptedTransport.Step], spent: Double)] = [
    ([throttle("TableReadAccountLimitExceeded", "")], 30),
    ([.fail(.reset)], 50),
    ([badChecksum, badChecksum, badChecksum], 90),
    ([garbage], 50),
    ([unavailable, unavailable, unavailable], 30),
  ]

  @Test(arguments: settlements.indices)
  func budgetsAreSettled(index: Int) async throws {
    let (steps, spent) = RequestGateTests.settlements[index]
    let clock = RequestGateTests.instant()
    let budget = CapacityBudget(rate: 1000, clock: clock)
    _ = try await budget.reserve { 0 }
    try await clock.sleep(.seconds(1))
    try await send(gate(steps, budget: budget, notes: Notes()), estimate: 20, units: 30)
    // No time has passed, so the full bucket's 500 units, half of what is asked for, lack what was
    // spent.
    let waited = try await budget.reserve { 1000 }.waited
    #expect(abs(waited.inSeconds - spent / 1000) < 0.0011)
  }

  /// Whoever waits ends when the task is cancelled; left alone, each would outlast the time limit.
  @Test(arguments: ["pace", "budget", "limiter", "rest"])
  func cancellationEndsEveryWait(_ place: String) async throws {
    let waiter: Task<Void, any Error>
    switch place {
    case "pace":
      let pace = JobPace(giveUpAfter: .seconds(900))
      waiter = Task {
        while true { try await pace.wait(attempt: 16, cause: .throttled, because: "a test") }
      }
    case "budget":
      let budget = CapacityBudget(rate: 0.001)
      waiter = Task { _ = try await budget.reserve { 1 } }
    case "limiter":
      let limiter = AdaptiveLimiter(AIMD(fixed: 1))
      _ = try await limiter.acquire()
      waiter = Task { _ = try await limiter.acquire() }
    default:
      let limiter = AdaptiveLimiter(AIMD(maximum: 1))
      waiter = Task {
        while true {
          let permit = try await limiter.acquire()
          limiter.release(permit, .throttled)
        }
      }
    }
    try await Task.sleep(for: .milliseconds(30))
    waiter.cancel()
    await #expect(throws: CancellationError.self) { try await waiter.value }
  }

  @Test func heldBackByTheBudgetIsNoLackOfProgress() async throws {
    let clock = RequestGateTests.instant()
    let pace = JobPace(giveUpAfter: .seconds(60), clock: clock)
    try await clock.sleep(.seconds(100))
    pace.excuse(.seconds(80))
    try await pace.wait(attempt: 0, cause: .throttled, because: "a test")
    try await clock.sleep(.seconds(41))
    await #expect(throws: DynamoError.self) {
      try await pace.wait(attempt: 0, cause: .throttled, because: "a test")
    }
  }
}
