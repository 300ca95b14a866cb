@testable import AWS

/// Runs a test between a scripted server and a transport, and ends both.
func exchange(
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
func failure(_ transport: CurlTransport, _ request: HTTPRequest) async -> TransportError.Code? {
  do {
    _ = try await transport.send(request)
    return nil
  } catch { return error.code }
}
