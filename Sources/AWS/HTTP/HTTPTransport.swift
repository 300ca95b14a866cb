/// Something that carries a request to a server and brings the response back.
public protocol HTTPTransport: Sendable {
  /// Sends a request and waits for the whole response.
  ///
  /// Any status is a response; only what kept one from arriving complete is an error. Cancelling the
  /// task gives up the request.
  ///
  /// - Throws: `TransportError`.
  func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse

  /// Takes the buffer of a response's body back, once nobody reads it any more.
  func recycle(_ body: consuming [UInt8])
}

extension HTTPTransport {
  public func recycle(_ body: consuming [UInt8]) {}
}

/// Why a request brought no complete response.
public struct TransportError: Error, Equatable, Sendable {
  /// The kind of failure. More may come; switch with a `default`.
  public struct Code: RawRepresentable, Hashable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The text is no address that dynarc accepts.
    public static let invalidURL = Code(rawValue: "invalid-url")
    /// The request cannot be sent as it stands, such as a header with a line break.
    public static let invalidRequest = Code(rawValue: "invalid-request")
    /// The host's or the proxy's name has no address.
    public static let resolve = Code(rawValue: "resolve")
    /// Nobody took the connection.
    public static let connect = Code(rawValue: "connect")
    /// The proxy does not let the request through.
    public static let proxyRefused = Code(rawValue: "proxy-refused")
    /// The TLS handshake failed.
    public static let tls = Code(rawValue: "tls")
    /// The server's certificate is not trusted, or the CA bundle is not usable.
    public static let certificate = Code(rawValue: "certificate")
    /// The connection was not made in time.
    public static let timeout = Code(rawValue: "timeout")
    /// The connection stood but nothing moved on it.
    public static let stalled = Code(rawValue: "stalled")
    /// The connection broke before the response was complete.
    public static let reset = Code(rawValue: "reset")
    /// The response ended before the length it promised.
    public static let truncated = Code(rawValue: "truncated")
    /// The response is longer than allowed.
    public static let tooLarge = Code(rawValue: "too-large")
    /// What came is not HTTP.
    public static let badResponse = Code(rawValue: "bad-response")
    /// The task was cancelled.
    public static let cancelled = Code(rawValue: "cancelled")
    /// The transport has been shut down.
    public static let shutDown = Code(rawValue: "shut-down")
    /// libcurl or the operating system refused something else; the message says what.
    public static let system = Code(rawValue: "system")
  }

  /// The kind of failure.
  public var code: Code
  /// What happened, in one sentence without a full stop.
  public var message: String
  /// Host and port of the request, where there is one.
  public var host: String?
  /// What to do next.
  public var hint: String?

  /// Creates an error.
  public init(_ code: Code, _ message: String, host: String? = nil, hint: String? = nil) {
    self.code = code
    self.message = message
    self.host = host
    self.hint = hint
  }

  /// Whether the same request may succeed when it is sent again.
  public var isRetryable: Bool {
    switch code {
    case .resolve, .connect, .tls, .timeout, .stalled, .reset, .truncated, .badResponse: true
    default: false
    }
  }
}

extension TransportError: CustomStringConvertible {
  /// `host:port: what happened`
  public var description: String { (host.map { "\($0): " } ?? "") + message }
}
