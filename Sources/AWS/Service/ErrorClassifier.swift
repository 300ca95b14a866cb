import JSON

/// Tells from an error's name and status what to do about it.
public struct ErrorClassifier: Sendable {
  /// Errors that ask to slow down.
  public var throttling: Set<String>
  /// Errors that may pass by themselves, whatever their status.
  public var transient: Set<String>
  /// Errors that other credentials may cure.
  public var credentials: Set<String>

  /// Creates a classifier with the names that all services share, from the AWS SDKs' lists.
  public init(
    throttling: Set<String> = [
      "BandwidthLimitExceeded", "ProvisionedThroughputExceededException", "RequestLimitExceeded",
      "RequestThrottled", "RequestThrottledException", "SlowDown", "ThrottledException",
      "Throttling", "ThrottlingException", "TooManyRequestsException",
    ],
    transient: Set<String> = [
      "InternalServerError", "PriorRequestNotComplete", "ReplicatedWriteConflictException",
      "RequestTimeout", "RequestTimeoutException", "ServiceUnavailable",
      "TransactionInProgressException",
    ],
    credentials: Set<String> = [
      "ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException",
    ]
  ) {
    self.throttling = throttling
    self.transient = transient
    self.credentials = credentials
  }

  /// The kind of an error answer.
  public func kind(status: Int, code: String) -> ServiceError.Kind {
    if throttling.contains(code) || status == 429 { return .throttling }
    if transient.contains(code) || [500, 502, 503, 504].contains(status) { return .transient }
    if credentials.contains(code) { return .credentials }
    return .final
  }
}

/// What an error answer says: the AWS JSON 1.0 protocol's error body.
struct ErrorBody: Equatable {
  var code: String
  var message: String
  var throttlingReasons: JSONValue?

  /// As much of a body that is not understood as is shown.
  static let excerpt = 500

  init(status: Int, headers: HTTPHeaders, body: [UInt8]) {
    let json = try? JSONValue.parse(body.span)
    let name = json?["__type"]?.string ?? headers["x-amzn-errortype"]
    code = name.map(ErrorBody.plainName) ?? "HTTP\(status)"
    throttlingReasons = json?["ThrottlingReasons"] ?? json?["throttlingReasons"]
    if let text = json?["message"]?.string ?? json?["Message"]?.string {
      message = text
    } else if json?.object != nil {
      message = ""
    } else {
      message = String(decoding: body.prefix(ErrorBody.excerpt), as: UTF8.self)
    }
    if message.isEmpty { message = "the service gave no reason (HTTP status \(status))" }
  }

  /// `com.amazonaws.dynamodb.v20120810#Name` and `Name:http://…` are both `Name` (AWS JSON 1.0
  /// protocol, "Operation error serialization").
  private static func plainName(_ text: String) -> String {
    let behind = text.split(separator: "#").last ?? ""
    return String(behind.prefix { $0 != ":" })
  }
}
