import Glibc
import Synchronization

/// A server on a loopback port whose connections a test scripts byte by byte: one thread for the
/// door, one for each connection.
final class SocketServer: Sendable {
  /// One connection as the script sees it. The script runs once for each request, and the
  /// connection is closed when it returns `.close`.
  struct Connection: Sendable {
    let descriptor: Int32
    /// The how-manieth connection of the server, from 0.
    let number: Int

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) {
      var sent = 0
      while sent < bytes.count {
        let count = bytes.withUnsafeBytes {
          Glibc.send(
            descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { return }
        sent += count
      }
    }

    /// A whole response with its length.
    func answer(_ status: Int, _ body: String = "", headers: [String] = []) {
      let lines =
        ["HTTP/1.1 \(status) Whatever", "Content-Length: \(body.utf8.count)"] + headers
      send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
    }

    /// Makes the coming close a reset.
    func resetOnClose() {
      var linger = linger(l_onoff: 1, l_linger: 0)
      setsockopt(
        descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    }
  }

  struct Request: Sendable {
    let line: String
    let headers: [(name: String, value: String)]
    let body: [UInt8]
    /// The how-manieth request of the server, from 0.
    let number: Int

    subscript(name: String) -> String? {
      headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
  }

  enum Next: Sendable { case keep, close }
  typealias Script = @Sendable (Request, Connection) -> Next

  let port: UInt16
  private let door: Int32
  private let script: Script
  private let state = Mutex(State())

  private struct State {
    var connections: Set<Int32> = []
    var connectionCount = 0
    var requests: [Request] = []
    var stopped = false
  }

  /// The requests so far.
  var requests: [Request] { state.withLock { $0.requests } }
  /// How many connections were made so far.
  var connectionCount: Int { state.withLock { $0.connectionCount } }

  init(_ script: @escaping Script) throws {
    self.script = script
    door = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let (descriptor, size) = (door, length)
    let bound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && listen(descriptor, 512) == 0
          && getsockname(descriptor, $0, &length) == 0
      }
    }
    port = UInt16(bigEndian: address.sin_port)
    guard bound else { throw Failure(errno: errno) }
    try SocketServer.thread { [self] in accept() }
  }

  struct Failure: Error { let errno: Int32 }

  /// Ends all connections and the server's threads; every test calls it.
  func stop() {
    state.withLock { state in
      state.stopped = true
      for descriptor in state.connections { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }
    shutdown(door, Int32(SHUT_RDWR))
  }

  /// Closes the connections that stand and stays open for others.
  func dropConnections() {
    state.withLock { state in
      for descriptor in state.connections { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }
  }

  private func accept() {
    defer { close(door) }
    while true {
      let descriptor = Glibc.accept(door, nil, nil)
      guard descriptor >= 0 else { return }
      let number = state.withLock { state -> Int? in
        guard !state.stopped else { return nil }
        state.connections.insert(descriptor)
        state.connectionCount += 1
        return state.connectionCount - 1
      }
      guard let number else {
        close(descriptor)
        return
      }
      do {
        try SocketServer.thread { [self] in
          serve(Connection(descriptor: descriptor, number: number))
        }
      } catch { close(descriptor) }
    }
  }

  private func serve(_ connection: Connection) {
    var reader = Reader(descriptor: connection.descriptor)
    while let (line, headers, body) = reader.request() {
      let request = state.withLock { state in
        state.requests.append(
          Request(line: line, headers: headers, body: body, number: state.requests.count))
        return state.requests[state.requests.count - 1]
      }
      if script(request, connection) == .close { break }
    }
    state.withLock { state in
      state.connections.remove(connection.descriptor)
      _ = close(connection.descriptor)
    }
  }

  private static func thread(_ work: @escaping @Sendable () -> Void) throws {
    final class Box: Sendable {
      let work: @Sendable () -> Void
      init(_ work: @escaping @Sendable () -> Void) { self.work = work }
    }
    var thread = pthread_t()
    let result = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().work() }
        return nil
      }, Unmanaged.passRetained(Box(work)).toOpaque())
    guard result == 0 else { throw Failure(errno: result) }
    pthread_detach(thread)
  }

  /// Reads requests of a known length from a connection.
  private struct Reader {
    let descriptor: Int32
    var buffer: [UInt8] = []

    mutating func request() -> (String, [(name: String, value: String)], [UInt8])? {
      guard let head = head() else { return nil }
      let lines = head.split(separator: "\r\n")
      let headers = lines.dropFirst().map { line in
        let name = line.prefix { $0 != ":" }
        return (
          name: String(name),
          value: String(line[name.endIndex...].dropFirst().drop { $0 == " " })
        )
      }
      let length = headers.first { $0.name.lowercased() == "content-length" }
        .flatMap { Int($0.value) }
      while buffer.count < length ?? 0 { guard fill() else { return nil } }
      let body = Array(buffer.prefix(length ?? 0))
      buffer.removeFirst(body.count)
      return (lines.first.map(String.init) ?? "", headers, body)
    }

    private mutating func head() -> String? {
      while true {
        if let end = buffer.firstRange(of: Array("\r\n\r\n".utf8)) {
          let head = String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
          buffer.removeFirst(end.upperBound)
          return head
        }
        guard fill() else { return nil }
      }
    }

    private mutating func fill() -> Bool {
      let chunk = [UInt8](unsafeUninitializedCapacity: 256 << 10) { chunk, count in
        count = max(recv(descriptor, chunk.baseAddress, chunk.count, 0), 0)
      }
      buffer += chunk
      return !chunk.isEmpty
    }
  }
}
