import JSON
import Testing

@testable import AWS

@Suite struct RetryPolicyTests {
  @Test(
    arguments: [
      (.transient, 1, 1.0, nil, .milliseconds(25)), (.transient, 2, 1, nil, .milliseconds(50)),
      (.transient, 3, 0.5, nil, .milliseconds(50)), (.transient, 10, 1, nil, .milliseconds(12_800)),
      (.transient, 11, 1, nil, .seconds(20)), (.transient, 1000, 1, nil, .seconds(20)),
      (.throttling, 1, 1, nil, .seconds(1)), (.throttling, 5, 1, nil, .seconds(16)),
      (.throttling, 6, 0.25, nil, .seconds(5)), (.throttling, 1, 0, nil, .zero),
      // What the service asks for lengthens a pause, by five seconds at most, and never shortens it.
      (.throttling, 2, 0.5, .milliseconds(1500), .milliseconds(1500)),
      (.throttling, 2, 0.5, .milliseconds(500), .seconds(1)),
      (.throttling, 2, 0.5, .seconds(60), .seconds(6)),
    ] as [(RetryPolicy.Reason, Int, Double, Duration?, Duration)])
  func pauses(
    reason: RetryPolicy.Reason, attempt: Int, chance: Double, retryAfter: Duration?,
    expected: Duration
  ) {
    #expect(
      RetryPolicy().pause(
        after: reason, attempt: attempt, chance: chance, retryAfter: retryAfter) == expected)
  }

  @Test(
    arguments: [
      ("0", .zero), ("1500", .milliseconds(1500)), ("-1", nil), ("1.5", nil), ("soon", nil),
      (nil, nil),
    ] as [(String?, Duration?)])
  func retryAfter(header: String?, expected: Duration?) {
    #expect(RetryPolicy.retryAfter(header) == expected)
  }

  private func attempts(_ variables: [String: String], _ config: String? = nil) throws -> Int {
    let environment = environment(variables, config: config)
    let profile = try SharedConfig(environment)
      .profile(.init(explicit: nil, environment: environment))
    return try RetryPolicy(environment: environment, profile: profile).maximumAttempts
  }

  @Test func theNumberOfAttempts() throws {
    #expect(try attempts([:]) == 4)
    #expect(try attempts(["AWS_MAX_ATTEMPTS": "7"], "[default]\nmax_attempts = 2") == 7)
    #expect(try attempts([:], "[default]\nmax_attempts = 2") == 2)
    for text in ["0", "-1", "many", "1.5"] {
      #expect(throws: ConfigurationError.self) { try attempts(["AWS_MAX_ATTEMPTS": text]) }
    }
  }

  @Test func retryModes() throws {
    #expect(try attempts(["AWS_RETRY_MODE": "standard"]) == 4)
    #expect(try attempts(["AWS_RETRY_MODE": "Adaptive"]) == 4)
    #expect(try attempts(["AWS_RETRY_MODE": "legacy"]) == 10)
    #expect(try attempts([:], "[default]\nretry_mode = legacy\nmax_attempts = 3") == 3)
    #expect(throws: ConfigurationError.self) { try attempts(["AWS_RETRY_MODE": "eager"]) }
  }

  @Test func theQuota() {
    let quota = RetryQuota()
    #expect(quota.acquire(.transient) == 14)
    #expect(quota.acquire(.throttling) == 5)
    #expect(quota.available == 481)
    quota.release(nil)
    #expect(quota.available == 482)
    quota.release(14)
    quota.release(14)
    #expect(quota.available == 500)
    for _ in 0..<35 { #expect(quota.acquire(.transient) != nil) }
    #expect(quota.available == 10)
    #expect(quota.acquire(.transient) == nil)
    #expect(quota.acquire(.throttling) == 5)
    #expect(quota.acquire(.throttling) == 5)
    #expect(quota.acquire(.throttling) == nil)
  }

  @Test(arguments: [
    (400, "ProvisionedThroughputExceededException", ServiceError.Kind.throttling),
    (400, "ThrottlingException", .throttling), (400, "RequestLimitExceeded", .throttling),
    (429, "HTTP429", .throttling), (500, "InternalServerError", .transient),
    (500, "HTTP500", .transient), (502, "HTTP502", .transient), (503, "HTTP503", .transient),
    (504, "HTTP504", .transient), (501, "HTTP501", .final),
    (400, "TransactionInProgressException", .transient),
    (409, "ReplicatedWriteConflictException", .transient),
    (400, "ExpiredTokenException", .credentials),
    (400, "UnrecognizedClientException", .credentials),
    (400, "ValidationException", .final), (400, "ResourceNotFoundException", .final),
    (400, "LimitExceededException", .final), (403, "AccessDeniedException", .final),
    (413, "HTTP413", .final), (301, "HTTP301", .final),
  ])
  func kinds(status: Int, code: String, expected: ServiceError.Kind) {
    #expect(ErrorClassifier().kind(status: status, code: code) == expected)
  }

  @Test(arguments: [
    (#"{"__type":"com.amazonaws.dynamodb.v20120810#Name","message":"why"}"#, "Name", "why"),
    (#"{"__type":"Name","Message":"why"}"#, "Name", "why"),
    (#"{"__type":"Name:http://internal.amazon.com/","message":"why"}"#, "Name", "why"),
    (#"{"__type":"Name"}"#, "Name", "the service gave no reason (HTTP status 400)"),
    (#"{"message":"why"}"#, "HTTP400", "why"), ("<xml>why</xml>", "HTTP400", "<xml>why</xml>"),
    ("", "HTTP400", "the service gave no reason (HTTP status 400)"),
  ])
  func errorBodies(body: String, code: String, message: String) {
    let read = ErrorBody(status: 400, headers: [:], body: Array(body.utf8))
    #expect(read.code == code)
    #expect(read.message == message)
  }

  @Test func moreOfErrorBodies() {
    let named = ErrorBody(status: 400, headers: ["X-Amzn-ErrorType": "a#Name:b"], body: [])
    #expect(named.code == "Name")
    let long = ErrorBody(status: 502, headers: [:], body: [UInt8](repeating: 65, count: 9999))
    #expect(long.message.utf8.count == 500)
    for name in ["ThrottlingReasons", "throttlingReasons"] {
      let body = #"{"__type":"ThrottlingException","\#(name)":[{"reason":"r","resource":"s"}]}"#
      let read = ErrorBody(status: 400, headers: [:], body: Array(body.utf8))
      #expect(read.throttlingReasons == [["reason": "r", "resource": "s"]])
    }
  }
}
