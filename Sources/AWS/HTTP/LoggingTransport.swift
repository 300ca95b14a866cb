/// A transport that tells about each request once it is over. Neither headers nor bodies nor what stands
/// in an address behind the host are told.
public struct LoggingTransport: HTTPTransport {
  /// One request that is over.
  public struct Entry: Sendable {
    /// What it was: `Scan`, `sts:AssumeRole`.
    public var operation: String
    /// Host and port.
    public var host: String
    /// The how-manieth attempt of its call, from 1.
    public var attempt: Int
    /// The HTTP status; nil where no answer came.
    public var status: Int?
    /// Why no answer came.
    public var error: TransportError?
    /// The service's id of the request.
    public var requestID: String?
    /// Bytes of the request's body.
    public var sentBytes: Int
    /// Bytes of the answer's body.
    public var receivedBytes: Int
    /// From the call to the answer.
    public var duration: Duration
  }

  private let transport: any HTTPTransport
  private let log: @Sendable (Entry) -> Void

  /// Creates a transport over another.
  public init(_ transport: any HTTPTransport, log: @escaping @Sendable (Entry) -> Void) {
    self.transport = transport
    self.log = log
  }

  public func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
    let start = ContinuousClock.now
    var entry = Entry(
      operation: request.operation, host: request.url.hostAndPort, attempt: request.attempt,
      sentBytes: request.body.count, receivedBytes: 0, duration: .zero)
    do throws(TransportError) {
      let response = try await transport.send(request)
      entry.status = response.status
      entry.requestID = response.headers.requestID
      entry.receivedBytes = response.body.count
      entry.duration = ContinuousClock.now - start
      log(entry)
      return response
    } catch {
      entry.error = error
      entry.duration = ContinuousClock.now - start
      log(entry)
      throw error
    }
  }

  public func recycle(_ body: consuming [UInt8]) { transport.recycle(body) }
}

extension HTTPHeaders {
  /// The service's id of a request, under any of the names it goes by.
  var requestID: String? { self["x-amzn-requestid"] ?? self["x-amz-request-id"] }
}
