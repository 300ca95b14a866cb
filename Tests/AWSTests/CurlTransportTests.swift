import Glibc
import Synchronization
import Testing

@testable import AWS

@Suite(.timeLimit(.minutes(2))) struct CurlTransportTests {
  /// Runs a test between a scripted server and a transport, and ends both.
  private func exchange(
    _ configure: (inout CurlTransport.Configuration) -> Void = { _ in },
    script: @escaping SocketServer.Script,
    _ test: (CurlTransport, HTTPURL, SocketServer) async throws -> Void
  ) async throws {
    let server = try SocketServer(script)
    defer { server.stop() }
    var configuration = CurlTransport.Configuration()
    configure(&configuration)
    let transport = try CurlTransport(configuration: configuration)
    try await test(transport, try HTTPURL("http://127.0.0.1:\(server.port)/a/../b?c=d"), server)
    await transport.shutdown()
  }

  /// The code of the error that a request ends with.
  private func failure(
    _ transport: CurlTransport, _ request: HTTPRequest
  ) async -> TransportError.Code? {
    do {
      _ = try await transport.send(request)
      return nil
    } catch { return error.code }
  }

  @Test func requestAndResponseArriveAsTheyWereSent() async throws {
    let script: SocketServer.Script = { request, connection in
      connection.answer(203, "answer", headers: ["X-One: 1", "x-two:  two  "])
      return .keep
    }
    try await exchange(script: script) { transport, url, server in
      let response = try await transport.send(
        HTTPRequest(
          method: "POST", url: url, headers: ["X-Name": "value", "X-Empty": ""],
          body: Array("question".utf8)))
      #expect(response.status == 203)
      #expect(response.body == Array("answer".utf8))
      #expect(response.headers["x-ONE"] == "1")
      #expect(response.headers["X-Two"] == "two")
      let request = try #require(server.requests.first)
      #expect(request.line == "POST /a/../b?c=d HTTP/1.1")
      #expect(request.body == Array("question".utf8))
      // Nothing of libcurl's own making: no Accept, no Expect, no User-Agent.
      #expect(
        Set(request.headers.map(\.name)) == ["X-Name", "X-Empty", "Host", "Content-Length"])
      #expect(request["Host"] == "127.0.0.1:\(server.port)")
      #expect(request["X-Name"] == "value")
      #expect(request["X-Empty"]?.isEmpty == true)
    }
  }

  @Test(arguments: ["GET", "PUT", "DELETE", "POST"]) func methods(method: String) async throws {
    let script: SocketServer.Script = { _, connection in
      connection.answer(200)
      return .keep
    }
    try await exchange(script: script) { transport, url, server in
      for _ in 0..<2 {
        let response = try await transport.send(HTTPRequest(method: method, url: url))
        #expect(response.body.isEmpty)
      }
      #expect(
        server.requests.map { $0.line.prefix(while: { $0 != " " }) } == [method[...], method[...]])
      #expect(server.connectionCount == 1)
    }
  }

  @Test func aChunkedResponseIsPutTogetherAndItsHeadersAreTheFinalOnes() async throws {
    let script: SocketServer.Script = { _, connection in
      connection.send("HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n")
      connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
      connection.send("4\r\ndefg\r\n0\r\n\r\n")
      return .keep
    }
    try await exchange(script: script) { transport, url, _ in
      let response = try await transport.send(HTTPRequest(method: "GET", url: url))
      #expect(response.body == Array("abcdefg".utf8))
      #expect(response.headers["X-Early"] == nil)
    }
  }

  /// Each way of breaking off is an error of its own kind, never a short success.
  @Test(arguments: [
    ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", false, TransportError.Code.truncated),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", false, .truncated),
    ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", true, .reset),
    ("", true, .reset),
    ("", false, .reset),
    ("SSH-2.0-OpenSSH_9.2\r\n", false, .badResponse),
  ])
  func brokenResponses(bytes: String, reset: Bool, expected: TransportError.Code) async throws {
    let script: SocketServer.Script = { _, connection in
      connection.send(bytes)
      if reset {
        usleep(100_000)  // A reset overtakes what has not been read yet.
        connection.resetOnClose()
      }
      return .close
    }
    try await exchange(script: script) { transport, url, _ in
      let code = await failure(transport, HTTPRequest(method: "GET", url: url))
      #expect(code == expected)
    }
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
  ])
  func aResponseBeyondTheLimitIsRefused(head: String) async throws {
    let script: SocketServer.Script = { _, connection in
      connection.send(head)
      for _ in 0..<11 {
        connection.send("64\r\n" + String(repeating: "x", count: 100) + "\r\n")
      }
      return .keep
    }
    try await exchange({ $0.maximumResponseSize = 1000 }, script: script) { transport, url, _ in
      let code = await failure(transport, HTTPRequest(method: "GET", url: url))
      #expect(code == .tooLarge)
    }
  }

  @Test func aResponseOfTheLimitIsAccepted() async throws {
    let script: SocketServer.Script = { _, connection in
      connection.answer(200, String(repeating: "x", count: 1000))
      return .keep
    }
    try await exchange({ $0.maximumResponseSize = 1000 }, script: script) { transport, url, _ in
      let response = try await transport.send(HTTPRequest(method: "GET", url: url))
      #expect(response.body.count == 1000)
    }
  }

  @Test func aSilentServerIsGivenUp() async throws {
    let script: SocketServer.Script = { _, _ in
      sleep(20)
      return .close
    }
    try await exchange({ $0.stallTimeout = .seconds(1) }, script: script) { transport, url, _ in
      let clock = ContinuousClock()
      let start = clock.now
      let code = await failure(transport, HTTPRequest(method: "GET", url: url))
      #expect(code == .stalled)
      #expect(clock.now - start < .seconds(10))
    }
  }

  @Test func nobodyListening() async throws {
    let server = try SocketServer { _, _ in .close }
    let port = server.port
    server.stop()
    usleep(50_000)
    let transport = try CurlTransport()
    let request = HTTPRequest(method: "GET", url: try HTTPURL("http://127.0.0.1:\(port)/"))
    #expect(await failure(transport, request) == .connect)
    await transport.shutdown()
  }

  /// A megabyte and a half without the second that `Expect: 100-continue` would cost.
  @Test func aLargeBodyIsSentAtOnce() async throws {
    let script: SocketServer.Script = { request, connection in
      connection.answer(
        200, "\(request.body.count)", headers: ["X-Last: \(request.body.last ?? 0)"])
      return .keep
    }
    try await exchange(script: script) { transport, url, server in
      var body = [UInt8](repeating: 120, count: 1_500_000)
      body[body.count - 1] = 77
      let clock = ContinuousClock()
      let start = clock.now
      let response = try await transport.send(HTTPRequest(method: "POST", url: url, body: body))
      #expect(clock.now - start < .milliseconds(500))
      #expect(response.body == Array("1500000".utf8))
      #expect(response.headers["X-Last"] == "77")
      #expect(server.requests.first?["Expect"] == nil)
    }
  }

  @Test func manyAtATimeAndConnectionsAreUsedAgain() async throws {
    let script: SocketServer.Script = { request, connection in
      usleep(20_000)
      connection.answer(200, String(decoding: request.body, as: UTF8.self))
      return .keep
    }
    try await exchange(script: script) { transport, url, server in
      for _ in 0..<3 {
        try await withThrowingTaskGroup(of: Bool.self) { group in
          for number in 0..<100 {
            group.addTask {
              let body = Array("request \(number)".utf8)
              return try await transport.send(HTTPRequest(method: "POST", url: url, body: body))
                .body == body
            }
          }
          for try await same in group { #expect(same) }
        }
      }
      #expect(server.requests.count == 300)
      #expect(server.connectionCount <= 100)
    }
  }

  /// The server closes each connection when the second request arrives on it, unanswered: what
  /// libcurl sees when a request meets the closing of an idle connection. It tries another by
  /// itself, and gives up when that has happened five times to one request.
  @Test func aRequestSurvivesAnyNumberOfStaleConnections() async throws {
    let served = Mutex<[Int: Int]>([:])
    let script: SocketServer.Script = { _, connection in
      let count = served.withLock { served in
        served[connection.number, default: 0] += 1
        return served[connection.number, default: 0]
      }
      guard count == 1 else { return .close }
      usleep(50_000)
      connection.answer(200, "ok")
      return .keep
    }
    try await exchange(script: script) { transport, url, server in
      let request = HTTPRequest(method: "POST", url: url, body: [1])
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<20 { group.addTask { try await transport.send(request).status } }
        for try await status in group { #expect(status == 200) }
      }
      #expect(try await transport.send(request).status == 200)
      #expect(served.withLock { $0.values.count { $0 > 1 } } > 5)
    }
  }

  @Test func manyStaleConnectionsAtATimeAreSurvived() async throws {
    let served = Mutex<[Int: Int]>([:])
    let script: SocketServer.Script = { _, connection in
      let count = served.withLock { served in
        served[connection.number, default: 0] += 1
        return served[connection.number, default: 0]
      }
      guard count == 1 else { return .close }
      usleep(50_000)
      connection.answer(200, "ok")
      return .keep
    }
    try await exchange(script: script) { transport, url, _ in
      for _ in 0..<4 {
        try await withThrowingTaskGroup(of: Int.self) { group in
          for _ in 0..<32 {
            group.addTask {
              try await transport.send(HTTPRequest(method: "POST", url: url, body: [1])).status
            }
          }
          for try await status in group { #expect(status == 200) }
        }
      }
    }
  }

  @Test func idleConnectionsClosedByTheServerAreReplaced() async throws {
    let script: SocketServer.Script = { _, connection in
      connection.answer(200)
      return .keep
    }
    try await exchange(script: script) { transport, url, server in
      for round in 1...3 {
        let response = try await transport.send(HTTPRequest(method: "GET", url: url))
        #expect(response.status == 200)
        #expect(server.connectionCount == round)
        server.dropConnections()
        try await Task.sleep(for: .milliseconds(50))
      }
    }
  }

  @Test func cancellationGivesUpAtOnceAndLeavesOthersAlone() async throws {
    let script: SocketServer.Script = { request, connection in
      if request.body == [1] { sleep(3) }
      connection.answer(200, "ok")
      return .keep
    }
    try await exchange(script: script) { transport, url, _ in
      let clock = ContinuousClock()
      let start = clock.now
      let slow = Task {
        await failure(transport, HTTPRequest(method: "POST", url: url, body: [1]))
      }
      try await Task.sleep(for: .milliseconds(100))
      slow.cancel()
      #expect(await slow.value == .cancelled)
      #expect(clock.now - start < .seconds(2))
      let response = try await transport.send(HTTPRequest(method: "POST", url: url, body: [2]))
      #expect(response.status == 200)
    }
  }

  @Test func aCancelledTaskSendsNothing() async throws {
    try await exchange(script: { _, connection in
      connection.answer(200); return .keep
    }) {
      transport, url, server in
      let task = Task {
        try? await Task.sleep(for: .seconds(60))
        return await failure(transport, HTTPRequest(method: "GET", url: url))
      }
      task.cancel()
      #expect(await task.value == .cancelled)
      #expect(server.requests.isEmpty)
    }
  }

  @Test func shutdownFailsWhatIsInFlightAndWhatComesAfter() async throws {
    let server = try SocketServer { _, _ in
      sleep(3)
      return .close
    }
    defer { server.stop() }
    let transport = try CurlTransport()
    let request = HTTPRequest(method: "GET", url: try HTTPURL("http://127.0.0.1:\(server.port)/"))
    let flying = Task { await failure(transport, request) }
    try await Task.sleep(for: .milliseconds(100))
    await transport.shutdown()
    #expect(await flying.value == .shutDown)
    #expect(await failure(transport, request) == .shutDown)
    await transport.shutdown()
  }

  @Test func aReleasedTransportEndsItsThread() async throws {
    func threads() throws -> Int {
      let directory = try #require(opendir("/proc/self/task"))
      defer { closedir(directory) }
      var count = 0
      while readdir(directory) != nil { count += 1 }
      return count
    }
    let before = try threads()
    for _ in 0..<50 { _ = try CurlTransport() }
    // Other tests start threads of their own meanwhile; fifty are more than they leave.
    for _ in 0..<100 where try threads() > before + 40 {
      try await Task.sleep(for: .milliseconds(20))
    }
    #expect(try threads() <= before + 40)
  }

  @Test(arguments: ["a\r\nX-Evil: 1", "a\nb", "a\u{0}b", "\u{7F}"])
  func aHeaderThatWouldBreakTheRequestIsRefused(value: String) async throws {
    try await exchange(script: { _, connection in
      connection.answer(200); return .keep
    }) {
      transport, url, server in
      let request = HTTPRequest(method: "GET", url: url, headers: ["X-Name": value])
      #expect(await failure(transport, request) == .invalidRequest)
      #expect(server.requests.isEmpty)
    }
  }

  /// In a process of its own, since the environment belongs to the whole process.
  @Test func loopbackIsNeverProxied() async throws {
    await #expect(processExitsWith: .success) {
      setenv("http_proxy", "http://127.0.0.1:1", 1)
      let server = try SocketServer { _, connection in
        connection.answer(200)
        return .keep
      }
      let url = try HTTPURL("http://127.0.0.1:\(server.port)/")
      let response = try await CurlTransport().send(HTTPRequest(method: "GET", url: url))
      exit(response.status == 200 ? 0 : 1)
    }
  }

  @Test func aBundleThatIsNotThereIsACertificateError() async throws {
    try await exchange({ $0.caBundle = "/nowhere.pem" }, script: { _, _ in .close }) {
      transport, url, _ in
      var url = url
      url.scheme = .https
      #expect(await failure(transport, HTTPRequest(method: "GET", url: url)) == .certificate)
    }
  }
}
