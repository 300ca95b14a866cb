import Digest
import JSON
import Synchronization
import Testing

@testable import AWS

@Suite(.timeLimit(.minutes(1))) struct ServiceClientTests {
  /// What a test sees of a client besides its answers.
  private final class Log: Sendable {
    let pauses = Mutex<[Duration]>([])
  }

  /// Runs a test between a scripted server and a client whose pauses take no time and whose chance
  /// is always the largest.
  private func exchange(
    keys: [Credentials] = [Credentials(accessKeyID: "FIRST", secretAccessKey: "s")],
    quota: RetryQuota = RetryQuota(), script: @escaping SocketServer.Script,
    _ test: (ServiceClient, SocketServer, Log) async throws -> Void
  ) async throws {
    let server = try SocketServer(script)
    defer { server.stop() }
    let transport = try CurlTransport()
    let log = Log()
    let searches = Mutex(0)
    let cache = CachedCredentials(now: { .now }) { () async throws(CredentialError) in
      let index = searches.withLock { searches in
        defer { searches += 1 }
        return min(searches, keys.count - 1)
      }
      return ResolvedCredentials(
        credentials: keys[index], provider: "test", canChange: false, passedOver: [])
    }
    var configuration = ServiceClient.Configuration(
      transport: transport, endpoint: try HTTPURL("http://127.0.0.1:\(server.port)"),
      region: "eu-west-1", signingName: "dynamodb", credentials: cache, userAgent: "dynarc/0")
    configuration.retryQuota = quota
    configuration.sleep = { pause in
      try Task.checkCancellation()
      log.pauses.withLock { $0.append(pause) }
    }
    configuration.random = { .max }
    configuration.now = { AWSTimestamp(epochSeconds: 1_440_938_160) }
    try await test(ServiceClient(configuration), server, log)
    await transport.shutdown()
  }

  private func call(_ client: ServiceClient) async throws(ServiceError) -> ServiceResponse {
    try await client.call(target: "DynamoDB_20120810.Scan", body: Array("{}".utf8))
  }

  private func failure(_ client: ServiceClient) async throws -> ServiceError {
    try await #require(throws: ServiceError.self) { try await call(client) }
  }

  private static func crc(_ body: String) -> String {
    "x-amz-crc32: \(CRC32.checksum(Array(body.utf8).span.bytes))"
  }

  /// Answers with these one after the other, the last one for ever.
  private static func answers(
    _ answers: [(status: Int, body: String, headers: [String])]
  ) -> SocketServer.Script {
    { request, connection in
      let answer = answers[min(request.number, answers.count - 1)]
      connection.answer(answer.status, answer.body, headers: answer.headers)
      return .keep
    }
  }

  private static func error(_ name: String) -> String {
    #"{"__type":"com.amazonaws.dynamodb.v20120810#\#(name)","message":"why"}"#
  }

  @Test func aCallCarriesWhatItMust() async throws {
    let script = ServiceClientTests.answers([
      (200, "{}", [ServiceClientTests.crc("{}"), "x-amzn-RequestId: REQ"])
    ])
    try await exchange(
      keys: [Credentials(accessKeyID: "AKID", secretAccessKey: "s", sessionToken: "token")],
      script: script
    ) { client, server, _ in
      let response = try await call(client)
      #expect(response.body == Array("{}".utf8))
      #expect(response.requestID == "REQ")
      #expect(response.status == 200 && response.attempts == 1)
      #expect(response.retries == RetryCounts())
      let request = try #require(server.requests.first)
      #expect(request.line == "POST / HTTP/1.1")
      #expect(request["X-Amz-Target"] == "DynamoDB_20120810.Scan")
      #expect(request["Content-Type"] == "application/x-amz-json-1.0")
      #expect(request["X-Amz-Date"] == "20150830T123600Z")
      #expect(request["X-Amz-Security-Token"] == "token")
      #expect(request["User-Agent"] == "dynarc/0")
      #expect(request["amz-sdk-invocation-id"] == "ffffffff-ffff-4fff-bfff-ffffffffffff")
      #expect(request["amz-sdk-request"] == "attempt=1; max=4")
      #expect(
        request["Authorization"]?.hasPrefix(
          "AWS4-HMAC-SHA256 Credential=AKID/20150830/eu-west-1/dynamodb/aws4_request, "
            + "SignedHeaders=host;x-amz-date;x-amz-security-token;x-amz-target, ") == true)
    }
  }

  @Test func aWrongClockIsCorrectedOnceAndForAllCalls() async throws {
    let script: SocketServer.Script = { request, connection in
      // The server's time is an hour and a half ahead.
      if request["X-Amz-Date"] == "20150830T140600Z" {
        connection.answer(200, "{}")
      } else {
        connection.answer(
          400, ServiceClientTests.error("InvalidSignatureException"),
          headers: ["Date: Sun, 30 Aug 2015 14:06:00 GMT"])
      }
      return .keep
    }
    try await exchange(script: script) { client, server, log in
      let (first, second) = (try await call(client), try await call(client))
      #expect(first.attempts == 2 && second.attempts == 1)
      #expect(server.requests.count == 3)
      #expect(log.pauses.withLock { $0 }.isEmpty)
    }
  }

  @Test func aServerWhoseClockRunsAwayIsNotFollowedForEver() async throws {
    let script: SocketServer.Script = { request, connection in
      connection.answer(
        400, ServiceClientTests.error("InvalidSignatureException"),
        headers: ["Date: Sun, 30 Aug \(2015 + request.number) 14:06:00 GMT"])
      return .keep
    }
    try await exchange(script: script) { client, server, _ in
      let error = try await failure(client)
      #expect(error.code == "InvalidSignatureException" && error.hint?.isEmpty == false)
      #expect(server.requests.count == 2)
    }
  }

  /// What the last throttle was about reaches whoever called, whatever the call's end.
  @Test(arguments: [(200, "{}"), (503, "")])
  func throttlingReasonsAreCarried(status: Int, body: String) async throws {
    func throttle(_ reason: String) -> String {
      #"{"__type":"x#ThrottlingException","throttlingReasons":[{"reason":"\#(reason)"}]}"#
    }
    let script = ServiceClientTests.answers([
      (400, throttle("first"), []), (400, throttle("second"), []), (status, body, []),
    ])
    try await exchange(script: script) { client, _, _ in
      let reasons: JSONValue?
      do throws(ServiceError) { reasons = try await call(client).throttlingReasons } catch {
        reasons = error.throttlingReasons
      }
      #expect(reasons == [["reason": "second"]])
    }
  }

  @Test func throttlesThenSuccess() async throws {
    let throttle = ServiceClientTests.error("ProvisionedThroughputExceededException")
    let script = ServiceClientTests.answers([
      (400, throttle, []), (400, throttle, ["x-amz-retry-after: 3000"]), (200, "{}", []),
    ])
    let quota = RetryQuota()
    try await exchange(quota: quota, script: script) { client, server, log in
      let response = try await call(client)
      #expect(response.attempts == 3)
      #expect(response.retries == RetryCounts(throttling: 2))
      let pauses = log.pauses.withLock { $0.map { ($0 + .microseconds(1)).milliseconds } }
      #expect(pauses == [1000, 3000])
      #expect(
        server.requests.map { $0["amz-sdk-request"] }
          == ["attempt=1; max=4", "attempt=2; max=4", "attempt=3; max=4"])
      #expect(Set(server.requests.map { $0["amz-sdk-invocation-id"] }).count == 1)
      #expect(quota.available == 495)
    }
  }

  @Test func aWrongChecksumIsTriedAgain() async throws {
    let script = ServiceClientTests.answers([
      (200, "{\"x\":1}", [ServiceClientTests.crc("{\"x\":2}")]),
      (200, "{\"x\":1}", ["x-amz-crc32: nonsense"]),
      (200, "{\"x\":2}", [ServiceClientTests.crc("{\"x\":2}")]),
    ])
    try await exchange(script: script) { client, _, _ in
      let response = try await call(client)
      #expect(response.body == Array("{\"x\":2}".utf8))
      #expect(response.retries == RetryCounts(checksum: 2))
    }
  }

  @Test func aBodyWithAWrongChecksumIsNeverHandedOut() async throws {
    let script = ServiceClientTests.answers([(200, "{}", ["x-amz-crc32: 1"])])
    try await exchange(script: script) { client, server, _ in
      let error = try await failure(client)
      #expect(error.kind == .transient && error.code == "checksum-mismatch")
      #expect(error.attempts == 4 && server.requests.count == 4)
    }
  }

  @Test func serverErrorsToExhaustion() async throws {
    let script = ServiceClientTests.answers([
      (500, ServiceClientTests.error("InternalServerError"), ["x-amzn-RequestId: REQ"])
    ])
    try await exchange(script: script) { client, server, log in
      let error = try await failure(client)
      #expect(error.kind == .transient && error.code == "InternalServerError")
      #expect(error.message == "why" && error.status == 500 && error.requestID == "REQ")
      #expect(error.operation == "Scan" && error.attempts == 4)
      #expect(error.retries == RetryCounts(server: 3))
      #expect(server.requests.count == 4)
      #expect(log.pauses.withLock { $0.count } == 3)
      #expect(
        error.description == "Scan: InternalServerError: why (request REQ, 4 attempts)")
    }
  }

  @Test func finalErrorsAreNotTriedAgain() async throws {
    let script = ServiceClientTests.answers([
      (400, ServiceClientTests.error("ValidationException"), [])
    ])
    try await exchange(script: script) { client, server, _ in
      let error = try await failure(client)
      #expect(error.kind == .final && error.code == "ValidationException" && error.attempts == 1)
      #expect(server.requests.count == 1)
    }
  }

  @Test func brokenConnectionsAreTriedAgain() async throws {
    let script: SocketServer.Script = { request, connection in
      if request.number == 0 {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{")
        return .close
      }
      connection.answer(200, "{}")
      return .keep
    }
    try await exchange(script: script) { client, _, log in
      let response = try await call(client)
      #expect(response.retries == RetryCounts(transport: 1))
      #expect(log.pauses.withLock { $0.map { ($0 + .microseconds(1)).milliseconds } } == [25])
    }
  }

  @Test func anEmptyQuotaEndsRetries() async throws {
    let quota = RetryQuota()
    while quota.acquire(.throttling) != nil {}
    let script = ServiceClientTests.answers([(503, "", [])])
    try await exchange(quota: quota, script: script) { client, server, _ in
      let error = try await failure(client)
      #expect(error.kind == .transient && error.attempts == 1 && error.hint != nil)
      #expect(server.requests.count == 1)
    }
  }

  @Test func rejectedCredentialsAreRenewedOnce() async throws {
    let expired = ServiceClientTests.error("ExpiredTokenException")
    let keys = ["FIRST", "SECOND", "THIRD"].map {
      Credentials(accessKeyID: $0, secretAccessKey: "s")
    }
    try await exchange(
      keys: keys, script: ServiceClientTests.answers([(400, expired, []), (200, "{}", [])])
    ) { client, server, log in
      let response = try await call(client)
      #expect(response.attempts == 2 && response.retries == RetryCounts(credentials: 1))
      #expect(log.pauses.withLock { $0.isEmpty })
      #expect(server.requests[1]["Authorization"]?.contains("Credential=SECOND/") == true)
    }
    try await exchange(keys: keys, script: ServiceClientTests.answers([(400, expired, [])])) {
      client, server, _ in
      let error = try await failure(client)
      #expect(error.kind == .credentials && error.code == "ExpiredTokenException")
      #expect(server.requests.count == 2)
    }
  }

  /// A call that waits long may outlive the renewed ones too.
  @Test func credentialsThatWereGoodAreRenewedAgain() async throws {
    let expired = ServiceClientTests.error("ExpiredTokenException")
    let keys = ["FIRST", "SECOND", "THIRD"].map {
      Credentials(accessKeyID: $0, secretAccessKey: "s")
    }
    let script = ServiceClientTests.answers([
      (400, expired, []), (503, "", []), (400, expired, []), (200, "{}", []),
    ])
    try await exchange(keys: keys, script: script) { client, server, _ in
      let retries = try await call(client).retries
      #expect(retries == RetryCounts(server: 1, credentials: 2))
      #expect(server.requests[3]["Authorization"]?.contains("Credential=THIRD/") == true)
    }
  }

  @Test func theSameCredentialsAreNotTriedAgain() async throws {
    let unknown = ServiceClientTests.error("UnrecognizedClientException")
    try await exchange(script: ServiceClientTests.answers([(400, unknown, [])])) {
      client, server, _ in
      let error = try await failure(client)
      #expect(error.kind == .credentials)
      #expect(server.requests.count == 1)
    }
  }

  @Test func cancellationEndsACall() async throws {
    let script: SocketServer.Script = { _, connection in
      connection.answer(503)
      return .keep
    }
    try await exchange(script: script) { client, _, _ in
      let task = Task {
        try? await Task.sleep(for: .seconds(60))
        return try await failure(client)
      }
      task.cancel()
      let error = try await task.value
      #expect(error.kind == .cancelled)
    }
  }

  @Test func throttlingReasonsAreKept() async throws {
    let body =
      #"{"__type":"ThrottlingException","throttlingReasons":[{"reason":"TableReadAccountLimitExceeded"}]}"#
    try await exchange(script: ServiceClientTests.answers([(400, body, [])])) { client, _, _ in
      let error = try await failure(client)
      #expect(error.kind == .throttling)
      #expect(error.throttlingReasons == [["reason": "TableReadAccountLimitExceeded"]])
    }
  }
}
