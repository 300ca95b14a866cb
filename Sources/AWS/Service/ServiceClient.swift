import Digest
import JSON

/// Calls operations of one AWS service that speaks the AWS JSON protocol: signs, sends, checks,
/// classifies, and tries again as the policy says.
public struct ServiceClient: Sendable {
  /// Everything a client works with.
  public struct Configuration: Sendable {
    /// Carries the requests.
    public var transport: any HTTPTransport
    /// Where they go.
    public var endpoint: HTTPURL
    /// The region in the signature.
    public var region: String
    /// The service's name in the signature, such as `dynamodb`.
    public var signingName: String
    /// What they are signed with.
    public var credentials: CachedCredentials
    /// How often to try.
    public var retryPolicy = RetryPolicy()
    /// The retry tokens; clients of one service may share them.
    public var retryQuota = RetryQuota()
    /// What is known of the service's clock; clients of one service may share it.
    public var clock = ClockSkew()
    /// What errors call for.
    public var classifier = ErrorClassifier()
    /// `dynarc/1.2.3 …`: the product and its version first.
    public var userAgent: String
    /// The clock.
    public var now: @Sendable () -> AWSTimestamp = { .now }
    /// Waits between attempts; throws when the task is cancelled.
    public var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    /// 64 bits of chance, for pauses and invocation ids.
    public var random: @Sendable () -> UInt64 = { UInt64.random(in: .min ... .max) }

    /// Creates a configuration with a policy, a quota of its own, and the system's clock and chance.
    public init(
      transport: any HTTPTransport, endpoint: HTTPURL, region: String, signingName: String,
      credentials: CachedCredentials, userAgent: String
    ) {
      self.transport = transport
      self.endpoint = endpoint
      self.region = region
      self.signingName = signingName
      self.credentials = credentials
      self.userAgent = userAgent
    }
  }

  private let configuration: Configuration
  private let signer: SigV4Signer

  /// Creates a client.
  public init(_ configuration: Configuration) {
    self.configuration = configuration
    signer = SigV4Signer(region: configuration.region, service: configuration.signingName)
  }

  /// The address requests go to.
  public var endpoint: HTTPURL { configuration.endpoint }
  /// The region in the signature.
  public var region: String { configuration.region }

  /// Calls an operation.
  ///
  /// - Parameters:
  ///   - target: the `X-Amz-Target` header, such as `DynamoDB_20120810.Scan`; what stands behind the
  ///     last dot names the operation in errors.
  ///   - body: the request; sent without copying.
  /// - Returns: an answer with a status from 200 to 299. That its body is JSON is for the caller to
  ///   find out.
  /// - Throws: `ServiceError`.
  public func call(
    target: String, contentType: String = "application/x-amz-json-1.0", body: [UInt8]
  ) async throws(ServiceError) -> ServiceResponse {
    var run = Run(
      target: target, contentType: contentType, body: body,
      invocationID: ServiceClient.uuid(configuration.random(), configuration.random()))
    while true {
      run.attempts += 1
      // Asked for anew each time: while this call paused, another one may have renewed them.
      let credentials = try await credentials(run)
      let outcome = await attempt(run, credentials)
      switch outcome {
      case .success(var response):
        configuration.retryQuota.release(run.lastTaken)
        response.attempts = run.attempts
        response.retries = run.retries
        response.throttlingReasons = run.throttlingReasons
        return response
      case .failure(let failure) where failure.error.kind == .credentials:
        guard try await renew(credentials, &run) else {
          var error = run.complete(failure.error)
          error.hint = "renew the credentials, or use others"
          throw error
        }
      case .failure(let failure) where failure.isOfClock && !run.hasCorrectedClock:
        run.hasCorrectedClock = true
      case .failure(let failure):
        run.hasRenewed = false
        try await pause(after: failure, &run)
      }
    }
  }

  /// Takes the buffer of an answer's body back, once nobody reads it any more.
  public func recycle(_ body: consuming [UInt8]) { configuration.transport.recycle(body) }

  // MARK: One attempt

  /// A call on its way.
  private struct Run {
    let target: String
    let contentType: String
    let body: [UInt8]
    let invocationID: String
    var attempts = 0
    var retries = RetryCounts()
    /// What the last throttle among them was about.
    var throttlingReasons: JSONValue?
    /// Whether the credentials have just been renewed, and nothing has been heard of them yet.
    var hasRenewed = false
    /// Whether it has been signed anew because the clocks differ; that is of use once.
    var hasCorrectedClock = false
    /// Tokens the last retry took from the quota.
    var lastTaken: Int?

    var operation: String { target.split(separator: ".").last.map(String.init) ?? target }

    func complete(_ error: ServiceError) -> ServiceError {
      var error = error
      error.operation = operation
      error.attempts = attempts
      error.retries = retries
      error.throttlingReasons = error.throttlingReasons ?? throttlingReasons
      return error
    }
  }

  /// A failed attempt: the error it would make, and what its retry counts as.
  private struct Failure: Error {
    var error: ServiceError
    /// Nil where a retry is of no use.
    var reason: RetryPolicy.Reason?
    /// What a retry adds to the counts.
    var counts = RetryCounts()
    var retryAfter: Duration?
    /// Whether the service refused the time of the signature, and the clock has been corrected.
    var isOfClock = false
  }

  private func attempt(
    _ run: Run, _ credentials: Credentials
  ) async -> Result<ServiceResponse, Failure> {
    do throws(TransportError) {
      let signed = configuration.clock.corrected(configuration.now())
      let response = try await configuration.transport.send(request(run, credentials, at: signed))
      let outcome = check(response)
      guard case .failure(var failure) = outcome else { return outcome }
      failure.isOfClock = configuration.clock.learn(
        from: failure.error.code, date: response.headers["date"], signed: signed,
        now: configuration.now())
      return .failure(failure)
    } catch {
      let cancelled = error.code == .cancelled
      let failure = ServiceError(
        cancelled ? .cancelled : .transport, code: error.code.rawValue,
        message: error.description, operation: run.operation, hint: error.hint,
        cause: .transport(error))
      return .failure(
        Failure(
          error: failure, reason: error.isRetryable ? .transient : nil,
          counts: RetryCounts(transport: 1)))
    }
  }

  private func request(
    _ run: Run, _ credentials: Credentials, at moment: AWSTimestamp
  ) -> HTTPRequest {
    let endpoint = configuration.endpoint
    var headers = signer.sign(
      method: "POST", url: endpoint, headers: ["X-Amz-Target": run.target], body: run.body,
      credentials: credentials, at: moment
    ).headers
    headers.append("Content-Type", run.contentType)
    headers.append("User-Agent", configuration.userAgent)
    headers.append("amz-sdk-invocation-id", run.invocationID)
    let maximum = max(configuration.retryPolicy.maximumAttempts, run.attempts)
    headers.append("amz-sdk-request", "attempt=\(run.attempts); max=\(maximum)")
    var request = HTTPRequest(method: "POST", url: endpoint, headers: headers, body: run.body)
    (request.operation, request.attempt) = (run.operation, run.attempts)
    return request
  }

  private func check(_ response: HTTPResponse) -> Result<ServiceResponse, Failure> {
    let requestID = response.headers.requestID
    let retryAfter = RetryPolicy.retryAfter(response.headers["x-amz-retry-after"])
    if let header = response.headers["x-amz-crc32"],
      UInt32(header) != CRC32.checksum(response.body.span.bytes)
    {
      let error = ServiceError(
        .transient, code: ServiceError.checksumMismatch,
        message: "the answer does not match its checksum (x-amz-crc32: \(header))", operation: "",
        status: response.status, requestID: requestID,
        hint: "something between here and the service damages data")
      return .failure(
        Failure(
          error: error, reason: .transient, counts: RetryCounts(checksum: 1), retryAfter: retryAfter
        ))
    }
    if (200..<300).contains(response.status) {
      return .success(
        ServiceResponse(
          body: response.body, requestID: requestID, status: response.status, attempts: 0,
          retries: RetryCounts()))
    }
    let body = ErrorBody(status: response.status, headers: response.headers, body: response.body)
    let kind = configuration.classifier.kind(status: response.status, code: body.code)
    let error = ServiceError(
      kind, code: body.code, message: body.message, operation: "", status: response.status,
      requestID: requestID, throttlingReasons: body.throttlingReasons,
      hint: ServiceClient.hint(for: body.code))
    switch kind {
    case .throttling:
      return .failure(
        Failure(
          error: error, reason: .throttling, counts: RetryCounts(throttling: 1),
          retryAfter: retryAfter))
    case .transient:
      return .failure(
        Failure(
          error: error, reason: .transient, counts: RetryCounts(server: 1), retryAfter: retryAfter))
    default: return .failure(Failure(error: error))
    }
  }

  /// What to do about the refusals that every service has.
  private static func hint(for code: String) -> String? {
    switch code {
    case "AccessDeniedException", "AccessDenied":
      "allow this identity the action that is named, or use another with --profile"
    case "InvalidSignatureException", "SignatureDoesNotMatch":
      "check that the secret access key belongs to the access key id; or something on the way "
        + "changes requests"
    default: nil
    }
  }

  // MARK: Between attempts

  /// Waits before the next attempt, or throws where there is to be none.
  private func pause(after failure: Failure, _ run: inout Run) async throws(ServiceError) {
    var error = run.complete(failure.error)
    guard let reason = failure.reason else { throw error }
    guard run.attempts < configuration.retryPolicy.maximumAttempts else { throw error }
    guard let taken = configuration.retryQuota.acquire(reason) else {
      error.hint = error.hint ?? "too many calls have failed of late; no retry was made"
      throw error
    }
    run.lastTaken = taken
    run.retries += failure.counts
    run.throttlingReasons = failure.error.throttlingReasons ?? run.throttlingReasons
    let chance = Double(configuration.random() >> 11) * 0x1p-53
    let pause = configuration.retryPolicy.pause(
      after: reason, attempt: run.attempts, chance: chance, retryAfter: failure.retryAfter)
    do { try await configuration.sleep(pause) } catch {
      throw run.complete(
        ServiceError(
          .cancelled, code: "cancelled", message: "the call was cancelled",
          operation: run.operation))
    }
  }

  private func credentials(_ run: Run) async throws(ServiceError) -> Credentials {
    do throws(CredentialError) {
      return try await configuration.credentials.current().credentials
    } catch { throw ServiceClient.error(error, run) }
  }

  /// Looks for other credentials than those rejected; false where there are none, or the service
  /// took the renewed ones no better.
  private func renew(_ rejected: Credentials, _ run: inout Run) async throws(ServiceError) -> Bool {
    guard !run.hasRenewed else { return false }
    do throws(CredentialError) {
      guard try await configuration.credentials.replacement(for: rejected) != nil else {
        return false
      }
      run.hasRenewed = true
      run.retries.credentials += 1
      return true
    } catch { throw ServiceClient.error(error, run) }
  }

  private static func error(_ error: CredentialError, _ run: Run) -> ServiceError {
    run.complete(
      ServiceError(
        .credentials, code: error.code.rawValue, message: error.description,
        operation: run.operation, hint: error.hint, cause: .credentials(error)))
  }

  /// A random UUID (RFC 9562 section 5.4) of 122 of the bits given.
  static func uuid(_ high: UInt64, _ low: UInt64) -> String {
    let high = high & ~0xF000 | 0x4000
    let low = low & ~(0b11 << 62) | 0b10 << 62
    let digits: StaticString = "0123456789abcdef"
    return String(unsafeUninitializedCapacity: 36) { text in
      var position = 0
      for digit in 0..<32 {
        if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
          text[position] = UInt8(ascii: "-")
          position += 1
        }
        let word = digit < 16 ? high : low
        text[position] = digits.utf8Start[Int(word >> UInt64(60 - 4 * (digit & 15)) & 15)]
        position += 1
      }
      return position
    }
  }
}
