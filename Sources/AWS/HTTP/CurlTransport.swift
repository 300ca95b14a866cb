internal import CCurl
import Glibc
import Synchronization

/// HTTP/1.1 over libcurl: any number of requests at a time, on one thread of its own.
///
/// The thread owns the multi handle and all transfers; callers only put calls into a queue and wait
/// without holding a thread. Connections are kept and used again. `http_proxy`, `https_proxy` and
/// `no_proxy` are read by libcurl as its manual says, except that loopback and the addresses of instance
/// and container metadata are never proxied. TLS is 1.2 at least.
/// Redirects are not followed, cookies and `.netrc` not used.
public final class CurlTransport: HTTPTransport {
  /// Limits and time-outs.
  public struct Configuration: Sendable {
    /// Time for name resolution, connection and TLS handshake together.
    public var connectTimeout: Duration = .seconds(10)
    /// How long a connection may stand still before the request fails as `stalled`; whole seconds.
    public var stallTimeout: Duration = .seconds(30)
    /// How long an idle connection is kept; whole seconds. Load balancers commonly close theirs after
    /// 60 seconds, and a request that meets the closing fails.
    public var maximumIdleAge: Duration = .seconds(50)
    /// Idle connections kept. Requests beyond it still run at once, on connections that are closed
    /// after them.
    public var maximumIdleConnections = 256
    /// The longest response body accepted, in bytes.
    public var maximumResponseSize = 64 << 20
    /// A PEM file of the certificate authorities to trust instead of the system's (AWS_CA_BUNDLE).
    public var caBundle: String?
    /// Whether the server's certificate is checked; without it anybody on the way can read and change
    /// everything.
    public var verifiesCertificates = true

    /// The values above.
    public init() {}

    /// The values above, and the CA bundle that AWS_CA_BUNDLE or the profile's `ca_bundle` names.
    public init(environment: AWSEnvironment, profile: SharedConfig.Profile?) {
      caBundle = (environment["AWS_CA_BUNDLE"] ?? profile?["ca_bundle"]).map(environment.expand)
    }
  }

  private let shared: CurlShared

  /// Starts the thread.
  ///
  /// - Throws: `TransportError` with the code `system`.
  public init(configuration: Configuration = Configuration()) throws(TransportError) {
    shared = try CurlShared(configuration: configuration)
    try CurlLoop.start(shared)
  }

  deinit { shared.stop() }

  public func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
    let call = CurlCall(request: request)
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        shared.submit(call, continuation)
      }
    } onCancel: {
      shared.cancel(call)
    }
    return try result.get()
  }

  public func recycle(_ body: consuming [UInt8]) { shared.bodies.give(body) }

  /// Fails what is in flight with the code `shutDown`, closes all connections and ends the thread.
  ///
  /// Returns when that is done; calling it again is harmless. A transport that is merely released
  /// does the same without anyone waiting for it.
  public func shutdown() async {
    await withCheckedContinuation { shared.stop(then: $0) }
  }
}

typealias CurlContinuation = CheckedContinuation<Result<HTTPResponse, TransportError>, Never>

/// One call of `send`; its identity connects a cancellation with its transfer.
final class CurlCall: Sendable {
  enum Phase { case new, submitted, cancelled }

  let request: HTTPRequest
  /// A task may be cancelled before its request is queued; whoever comes second sees it here.
  let phase = Mutex(Phase.new)

  init(request: HTTPRequest) { self.request = request }
}

/// What the callers' side and the thread have in common: the queue and the way to wake the thread.
final class CurlShared: Sendable {
  enum Command {
    case start(CurlCall, CurlContinuation)
    case cancel(CurlCall)
  }

  struct State {
    var commands: [Command] = []
    var stopping = false
    var stopped = false
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  // A multi handle belongs to the loop's thread. Other threads use it for curl_multi_wakeup alone,
  // which libcurl documents as safe at any time; deinit, which runs when no thread has it any more,
  // frees it.
  struct MultiHandle: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer
  }

  // curl_global_init must run once, before anything else; its result is kept to be reported.
  private static let globalResult = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

  let configuration: CurlTransport.Configuration
  let multi: MultiHandle
  let bodies = BodyPool(limit: 4)
  let state = Mutex(State())

  init(configuration: CurlTransport.Configuration) throws(TransportError) {
    guard CurlShared.globalResult == CURLE_OK else {
      throw TransportError(
        .system, "libcurl did not start: \(String(cString: curl_easy_strerror(Self.globalResult)))")
    }
    guard let pointer = curl_multi_init() else {
      throw TransportError(.system, "libcurl is out of memory")
    }
    self.configuration = configuration
    multi = MultiHandle(pointer: pointer)
    // HTTP/1.1 has no multiplexing; without this libcurl waits to see whether a new connection does.
    for (option, value) in [
      (CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING)),
      (CURLMOPT_MAXCONNECTS, configuration.maximumIdleConnections),
    ] {
      let code = dynarc_multi_setopt_long(pointer, option, value)
      guard code == CURLM_OK else {
        throw TransportError(
          .system, "libcurl refused an option: \(String(cString: curl_multi_strerror(code)))")
      }
    }
  }

  deinit { curl_multi_cleanup(multi.pointer) }

  func submit(_ call: CurlCall, _ continuation: CurlContinuation) {
    // Queued under the call's lock: a cancellation that finds it submitted comes behind it.
    let refusal = call.phase.withLock { phase -> TransportError? in
      guard phase == .new else { return .cancelled(call) }
      phase = .submitted
      return enqueue(.start(call, continuation)) ? nil : .shutDown(call)
    }
    if let refusal { continuation.resume(returning: .failure(refusal)) }
  }

  func cancel(_ call: CurlCall) {
    let submitted = call.phase.withLock { phase in
      defer { phase = .cancelled }
      return phase == .submitted
    }
    // A loop that has stopped has failed the call already.
    if submitted { _ = enqueue(.cancel(call)) }
  }

  /// Queues a command, waking the loop only when the queue was empty: it always takes all of it.
  ///
  /// - Returns: false when the loop takes no more.
  private func enqueue(_ command: Command) -> Bool {
    let (taken, first) = state.withLock { state in
      guard !state.stopping else { return (false, false) }
      state.commands.append(command)
      return (true, state.commands.count == 1)
    }
    if first { wake() }
    return taken
  }

  func stop(then waiter: CheckedContinuation<Void, Never>? = nil) {
    let stopped = state.withLock { state in
      state.stopping = true
      if let waiter, !state.stopped { state.waiters.append(waiter) }
      return state.stopped
    }
    if stopped { waiter?.resume() } else { wake() }
  }

  private func wake() {
    // It fails only where the multi handle is not usable at all, and then the loop's own calls fail.
    curl_multi_wakeup(multi.pointer)
  }
}

extension TransportError {
  static func cancelled(_ call: CurlCall) -> TransportError {
    TransportError(
      .cancelled, "the request was cancelled", host: call.request.url.hostAndPort)
  }

  static func shutDown(_ call: CurlCall) -> TransportError {
    TransportError(
      .shutDown, "the connection pool has been shut down", host: call.request.url.hostAndPort)
  }
}
