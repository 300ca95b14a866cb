import Glibc
import Synchronization
import Testing

@testable import AWS

/// The life of connections, calls and the transport itself.
@Suite(.timeLimit(.minutes(2))) struct CurlConnectionTests {
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
      if request.body == [1] { sleep(40) }
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
      #expect(clock.now - start < .seconds(30))
      let response = try await transport.send(HTTPRequest(method: "POST", url: url, body: [2]))
      #expect(response.status == 200)
    }
  }

  /// However a cancellation falls between the steps of a call, it ends it.
  @Test func cancellationsAtAnyMomentEndTheirCalls() async throws {
    let script: SocketServer.Script = { _, _ in
      sleep(40)
      return .close
    }
    try await exchange(script: script) { transport, url, _ in
      let clock = ContinuousClock()
      let start = clock.now
      for round in 0..<300 {
        let task = Task { await failure(transport, HTTPRequest(method: "GET", url: url)) }
        for _ in 0..<(round % 10) { await Task.yield() }
        task.cancel()
        #expect(await task.value == .cancelled)
      }
      #expect(clock.now - start < .seconds(30))
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
}
