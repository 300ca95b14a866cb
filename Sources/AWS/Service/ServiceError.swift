import JSON

/// Why a call to a service failed, after all the attempts it was given.
public struct ServiceError: Error, Equatable, Sendable {
  /// What the failure calls for. More may come; switch with a `default`.
  public struct Kind: RawRepresentable, Hashable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The service asks to slow down.
    public static let throttling = Kind(rawValue: "throttling")
    /// The service is in trouble, or an answer came damaged.
    public static let transient = Kind(rawValue: "transient")
    /// There are no credentials, or the service does not take them.
    public static let credentials = Kind(rawValue: "credentials")
    /// The same call will fail again.
    public static let final = Kind(rawValue: "final")
    /// No answer came; `cause` says why.
    public static let transport = Kind(rawValue: "transport")
    /// The task was cancelled.
    public static let cancelled = Kind(rawValue: "cancelled")
  }

  /// The code of an answer whose checksum was wrong.
  public static let checksumMismatch = "checksum-mismatch"

  /// What lies behind a failure that the service did not answer.
  public enum Cause: Equatable, Sendable {
    case transport(TransportError)
    case credentials(CredentialError)
  }

  /// The service's name for the error, such as `ResourceNotFoundException`; for failures without an
  /// answer a word of dynarc's own.
  public var code: String
  /// What the failure calls for.
  public var kind: Kind
  /// What happened, as the service puts it.
  public var message: String
  /// The operation called, such as `Scan`.
  public var operation: String
  /// The HTTP status of the last answer, where one came.
  public var status: Int?
  /// The service's id of the last attempt, for AWS support.
  public var requestID: String?
  /// Attempts made.
  public var attempts: Int
  /// The retries among them.
  public var retries: RetryCounts
  /// DynamoDB's list of what was throttled and why, as the last attempt that was throttled told it.
  public var throttlingReasons: JSONValue?
  /// What to do next.
  public var hint: String?
  /// What lies behind a failure without an answer.
  public var cause: Cause?

  /// Creates an error.
  public init(
    _ kind: Kind, code: String, message: String, operation: String, status: Int? = nil,
    requestID: String? = nil, attempts: Int = 0, retries: RetryCounts = RetryCounts(),
    throttlingReasons: JSONValue? = nil, hint: String? = nil, cause: Cause? = nil
  ) {
    self.kind = kind
    self.code = code
    self.message = message
    self.operation = operation
    self.status = status
    self.requestID = requestID
    self.attempts = attempts
    self.retries = retries
    self.throttlingReasons = throttlingReasons
    self.hint = hint
    self.cause = cause
  }
}

extension ServiceError {
  /// Whether the service, or whoever gives out credentials for it, did not answer and may do so soon.
  public var isOutOfReach: Bool {
    switch cause {
    case .transport(let error): kind == .transport && error.isRetryable
    case .credentials(let error): error.code == .unreachable
    case nil: false
    }
  }
}

extension ServiceError: CustomStringConvertible {
  /// `Scan: ResourceNotFoundException: what happened (request 4KBNV…, 2 attempts)`
  public var description: String {
    var place: [String] = []
    if let requestID { place.append("request \(requestID)") }
    if attempts > 1 { place.append("\(attempts) attempts") }
    // The codes of what went wrong on this side are for programs; the message says it all.
    let said = cause == nil ? "\(code): \(message)" : message
    return "\(operation): \(said)"
      + (place.isEmpty ? "" : " (\(place.joined(separator: ", ")))")
  }
}

/// A successful answer, its checksum verified.
public struct ServiceResponse: Sendable {
  /// The body, as it came.
  public var body: [UInt8]
  /// The service's id of the attempt that succeeded.
  public var requestID: String?
  /// The HTTP status, from 200 to 299.
  public var status: Int
  /// Attempts made, the successful one included.
  public var attempts: Int
  /// The retries among them.
  public var retries: RetryCounts
  /// DynamoDB's list of what was throttled and why, as the last attempt that was throttled told it.
  public var throttlingReasons: JSONValue?
}
