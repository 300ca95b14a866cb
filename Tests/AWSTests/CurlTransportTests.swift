import Glibc
import Synchronization
import Testing

@testable import AWS

@Suite(.timeLimit(.minutes(2))) struct CurlTransportTests {
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
      let response = try await transport.send(HTTPRequest(method: "POST", url: url, body: body))
      #expect(response.body == Array("1500000".utf8))
      #expect(response.headers["X-Last"] == "77")
      // With this header libcurl would wait a second for a 100 Continue that no one sends.
      #expect(server.requests.first?["Expect"] == nil)
    }
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
