internal import CCurl
import Glibc

/// An easy handle and the buffer into which libcurl writes what went wrong with it.
final class CurlHandle {
  /// What a handle is set up for; the next request of the same kind sets what is its own and no more.
  struct Purpose: Equatable {
    var method: String
    var url: HTTPURL
    var isEmpty: Bool
    var onFreshConnection: Bool
    var limit: Duration?
    var isDirect: Bool
  }

  let pointer: UnsafeMutableRawPointer
  let errorText: UnsafeMutablePointer<CChar>
  var purpose: Purpose?

  init() throws(TransportError) {
    guard let pointer = curl_easy_init() else {
      throw TransportError(.system, "libcurl is out of memory")
    }
    self.pointer = pointer
    errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
    errorText[0] = 0
  }

  deinit {
    curl_easy_cleanup(pointer)
    errorText.deallocate()
  }

  /// Forgets all options. Connections live in the multi handle and stay.
  func reset() {
    curl_easy_reset(pointer)
    purpose = nil
  }

  func set(_ option: CURLoption, _ value: Int) throws(TransportError) {
    try check(dynarc_setopt_long(pointer, option, value))
  }

  func set(_ option: CURLoption, _ value: String) throws(TransportError) {
    try check(dynarc_setopt_string(pointer, option, value))
  }

  func set(_ option: CURLoption, offset: Int) throws(TransportError) {
    try check(dynarc_setopt_offset(pointer, option, curl_off_t(offset)))
  }

  func set(_ option: CURLoption, pointer value: UnsafeRawPointer?) throws(TransportError) {
    try check(dynarc_setopt_pointer(pointer, option, value))
  }

  func set(
    _ option: CURLoption, writer: @escaping curl_write_callback
  ) throws(TransportError) {
    try check(dynarc_setopt_writer(pointer, option, writer))
  }

  func long(_ info: CURLINFO) -> Int {
    var value = 0
    return dynarc_getinfo_long(pointer, info, &value) == CURLE_OK ? value : 0
  }

  func microseconds(_ info: CURLINFO) -> Int {
    var value: curl_off_t = 0
    return dynarc_getinfo_offset(pointer, info, &value) == CURLE_OK ? Int(value) : 0
  }

  private func check(_ code: CURLcode) throws(TransportError) {
    guard code == CURLE_OK else {
      throw TransportError(
        .system, "libcurl refused an option: \(String(cString: curl_easy_strerror(code)))")
    }
  }
}

/// One request on its way. Lives on the loop's thread only.
final class CurlTransfer {
  let call: CurlCall
  let continuation: CurlContinuation
  var handle: CurlHandle?

  private let limit: Int
  private let bodies: BodyPool
  private var fresh = false
  private var list: UnsafeMutablePointer<curl_slist>?
  private var headers = HTTPHeaders()
  private var body: [UInt8] = []
  private var responseBegan = false
  private var tooLarge = false

  init(
    _ call: CurlCall, _ continuation: CurlContinuation, limit: Int, bodies: BodyPool
  ) {
    self.call = call
    self.continuation = continuation
    self.limit = limit
    self.bodies = bodies
  }

  deinit { curl_slist_free_all(list) }

  /// Sets all options of the request. Those that it shares with the handle's last one stand already.
  ///
  /// Each pointer into a transfer is set here, so that none of an earlier one is left.
  func prepare(
    _ handle: CurlHandle, _ configuration: CurlTransport.Configuration,
    onFreshConnection fresh: Bool
  ) throws(TransportError) {
    self.fresh = fresh
    self.handle = handle
    let purpose = CurlHandle.Purpose(
      method: call.request.method, url: call.request.url, isEmpty: call.request.body.isEmpty,
      onFreshConnection: fresh, limit: call.request.limit, isDirect: call.request.isDirect)
    if handle.purpose != purpose {
      handle.reset()
      try setUp(handle, configuration)
      handle.purpose = purpose
    }
    handle.errorText[0] = 0
    let me = Unmanaged.passUnretained(self).toOpaque()
    try handle.set(CURLOPT_HEADERDATA, pointer: me)
    try handle.set(CURLOPT_WRITEDATA, pointer: me)
    try setBody(handle)
    try setHeaders(handle)
  }

  private func setUp(
    _ handle: CurlHandle, _ configuration: CurlTransport.Configuration
  ) throws(TransportError) {
    try handle.set(CURLOPT_ERRORBUFFER, pointer: handle.errorText)
    try handle.set(CURLOPT_NOSIGNAL, 1)
    try handle.set(CURLOPT_PROTOCOLS_STR, "http,https")
    try handle.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    try handle.set(CURLOPT_PATH_AS_IS, 1)
    try handle.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    try handle.set(CURLOPT_URL, call.request.url.description)
    try handle.set(CURLOPT_CONNECTTIMEOUT_MS, configuration.connectTimeout.milliseconds)
    try handle.set(CURLOPT_LOW_SPEED_LIMIT, 1)
    try handle.set(CURLOPT_LOW_SPEED_TIME, configuration.stallTimeout.milliseconds / 1000)
    try handle.set(CURLOPT_TCP_KEEPALIVE, 1)
    try handle.set(CURLOPT_TCP_KEEPIDLE, 30)
    try handle.set(CURLOPT_TCP_KEEPINTVL, 15)
    try handle.set(CURLOPT_MAXAGE_CONN, configuration.maximumIdleAge.milliseconds / 1000)
    try handle.set(CURLOPT_BUFFERSIZE, 64 << 10)
    if fresh { try handle.set(CURLOPT_FRESH_CONNECT, 1) }
    if let bundle = configuration.caBundle { try handle.set(CURLOPT_CAINFO, bundle) }
    try handle.set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
    if !configuration.verifiesCertificates {
      try handle.set(CURLOPT_SSL_VERIFYPEER, 0)
      try handle.set(CURLOPT_SSL_VERIFYHOST, 0)
    }
    // An empty name switches a proxy off that the environment asks for.
    if call.request.url.isOfThisMachine || call.request.isDirect {
      try handle.set(CURLOPT_PROXY, "")
    }
    if let limit = call.request.limit { try handle.set(CURLOPT_TIMEOUT_MS, limit.milliseconds) }
    try handle.set(CURLOPT_HEADERFUNCTION, writer: CurlTransfer.receiveHeader)
    try handle.set(CURLOPT_WRITEFUNCTION, writer: CurlTransfer.receiveBody)
    switch call.request.method {
    case "GET" where call.request.body.isEmpty: try handle.set(CURLOPT_HTTPGET, 1)
    case "HEAD": try handle.set(CURLOPT_NOBODY, 1)
    case "POST": try handle.set(CURLOPT_POST, 1)
    default:
      try handle.set(CURLOPT_POST, 1)
      try handle.set(CURLOPT_CUSTOMREQUEST, call.request.method)
    }
  }

  private func setBody(_ handle: CurlHandle) throws(TransportError) {
    let request = call.request
    if request.body.isEmpty, ["GET", "HEAD"].contains(request.method) { return }
    try handle.set(CURLOPT_POSTFIELDSIZE_LARGE, offset: request.body.count)
    // libcurl reads the body through this pointer until the transfer is over, which is beyond the
    // closure. It stays good: `call.request` is a constant that keeps the array's one heap buffer
    // alive, and a holder of another reference who changes it gets a copy. An empty body needs a
    // pointer too, or libcurl would ask a read function for it.
    let bytes = request.body.withUnsafeBytes { $0.baseAddress }
    if let bytes, !request.body.isEmpty {
      try handle.set(CURLOPT_POSTFIELDS, pointer: bytes)
    } else {
      try handle.set(CURLOPT_COPYPOSTFIELDS, "")
    }
  }

  private func setHeaders(_ handle: CurlHandle) throws(TransportError) {
    let request = call.request
    if let field = request.headers.firstInvalid {
      throw TransportError(
        .invalidRequest, "the header \"\(field.name)\" holds a character that HTTP does not allow",
        host: request.url.hostAndPort)
    }
    curl_slist_free_all(list)
    list = nil
    var line: [UInt8] = []
    line.reserveCapacity(512)
    for field in request.headers.fields {
      line.removeAll(keepingCapacity: true)
      line += field.name.utf8
      // libcurl takes a name with a colon and no value for a field to be left out.
      line += field.value.isEmpty ? ";".utf8 : ": ".utf8
      line += field.value.utf8
      try appendHeader(&line)
    }
    // A name without a value keeps libcurl from sending a field of its own making.
    for name in ["Expect", "Accept", "Content-Type"] where request.headers[name] == nil {
      line = Array("\(name):".utf8)
      try appendHeader(&line)
    }
    if request.headers["Host"] == nil {
      line = Array("Host: \(request.url.authority)".utf8)
      try appendHeader(&line)
    }
    try handle.set(CURLOPT_HTTPHEADER, pointer: list)
  }

  private func appendHeader(_ line: inout [UInt8]) throws(TransportError) {
    line.append(0)
    let longer = line.withUnsafeBytes {
      curl_slist_append(list, $0.assumingMemoryBound(to: CChar.self).baseAddress)
    }
    guard let longer else { throw TransportError(.system, "libcurl is out of memory") }
    list = longer
  }

  // MARK: What libcurl calls

  private static let receiveHeader: curl_write_callback = { bytes, _, count, me in
    guard let bytes, let me else { return 0 }
    let transfer = Unmanaged<CurlTransfer>.fromOpaque(me).takeUnretainedValue()
    transfer.receive(header: UnsafeRawBufferPointer(start: bytes, count: count))
    return transfer.tooLarge ? 0 : count
  }

  private static let receiveBody: curl_write_callback = { bytes, _, count, me in
    guard let bytes, let me else { return 0 }
    let transfer = Unmanaged<CurlTransfer>.fromOpaque(me).takeUnretainedValue()
    guard count <= transfer.limit - transfer.body.count else {
      transfer.tooLarge = true
      return 0
    }
    transfer.body.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: count))
    return count
  }

  private func receive(header line: UnsafeRawBufferPointer) {
    responseBegan = true
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")), !line.starts(with: "HTTP/".utf8)
    else {
      // A status line begins a response: a 1xx before it does not count. The empty line ends it.
      if line.starts(with: "HTTP/".utf8) { headers = HTTPHeaders() }
      return
    }
    let name = String(decoding: line[..<colon], as: UTF8.self)
    let value = String(decoding: CurlTransfer.trim(line[(colon + 1)...]), as: UTF8.self)
    headers.append(name, value)
    if ASCII.equalIgnoringCase(name, "Content-Length"), let length = Int(value), length >= 0 {
      tooLarge = length > limit && call.request.method != "HEAD"
      // The promise is bounded by the limit, but not trusted with memory beyond what pages need.
      if body.isEmpty { body = bodies.take(length) }
      body.reserveCapacity(min(length, limit, 16 << 20))
    }
  }

  private static func trim(_ bytes: Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer>
  {
    var bytes = bytes
    while let first = bytes.first, first <= 0x20 { bytes.removeFirst() }
    while let last = bytes.last, last <= 0x20 { bytes.removeLast() }
    return bytes
  }

  // MARK: The end

  /// Whether a kept connection turned out to be dead before any byte of a response.
  func diedOnKeptConnection(_ code: CURLcode) -> Bool {
    guard let handle, !fresh, !responseBegan else { return false }
    return [CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING].contains(code)
      && handle.long(CURLINFO_NUM_CONNECTS) == 0
  }

  /// The response, or what kept it from being complete. The body is handed over, not copied.
  func finish(_ code: CURLcode) -> Result<HTTPResponse, TransportError> {
    guard let handle else { return .failure(TransportError(.system, "no transfer")) }
    guard code == CURLE_OK else { return .failure(error(code, handle)) }
    let status = handle.long(CURLINFO_RESPONSE_CODE)
    defer { body = [] }
    return .success(HTTPResponse(status: status, headers: headers, body: body))
  }

  private func error(_ code: CURLcode, _ handle: CurlHandle) -> TransportError {
    let detail = String(cString: handle.errorText)
    let text = detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
    let host = call.request.url.hostAndPort
    if tooLarge {
      return TransportError(
        .tooLarge, "the response is longer than \(limit) bytes", host: host,
        hint: "is the endpoint an AWS service?")
    }
    let answer = handle.long(CURLINFO_HTTP_CONNECTCODE)
    if answer >= 400 {
      // A proxy that is in trouble itself may let the next attempt through.
      return TransportError(
        answer < 500 ? .proxyRefused : .connect,
        "the proxy refused the connection with status \(answer)", host: host,
        hint: answer == 407
          ? "the proxy wants a user and a password: https_proxy=http://user:password@host:port"
          : "check https_proxy, and that the proxy lets this host through, or list it in no_proxy")
    }
    let connected = handle.microseconds(CURLINFO_PRETRANSFER_TIME_T) > 0
    let (kind, hint) = CurlTransfer.classify(code, connected: connected)
    return TransportError(kind, text, host: host, hint: hint)
  }

  /// The kind of failure behind a result of libcurl, and what to do about it.
  static func classify(
    _ code: CURLcode, connected: Bool
  ) -> (TransportError.Code, hint: String?) {
    switch code {
    case CURLE_COULDNT_RESOLVE_HOST:
      (.resolve, "check the region and the endpoint, and that this machine resolves names")
    case CURLE_COULDNT_RESOLVE_PROXY:
      (.resolve, "check http_proxy and https_proxy")
    case CURLE_COULDNT_CONNECT:
      (.connect, "check that the endpoint is right and reachable from here")
    case CURLE_OPERATION_TIMEDOUT:
      connected
        ? (.stalled, "the connection stood still; the network or the service is in trouble")
        : (.timeout, "check that the endpoint is reachable from here, or needs a proxy")
    case CURLE_SSL_CONNECT_ERROR:
      (.tls, "check that the endpoint speaks TLS")
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR:
      (.certificate, "name the certificate authorities to trust in AWS_CA_BUNDLE")
    case CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_GOT_NOTHING: (.reset, nil)
    case CURLE_PARTIAL_FILE: (.truncated, nil)
    case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_CONTENT_ENCODING:
      (.badResponse, "check that the endpoint speaks HTTP/1.1")
    default: (.system, nil)
    }
  }
}

extension Duration {
  /// Whole milliseconds, rounded down.
  var milliseconds: Int {
    Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000)
  }
}
