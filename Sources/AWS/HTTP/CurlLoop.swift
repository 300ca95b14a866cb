internal import CCurl
import Glibc
import Synchronization

/// The thread that drives all transfers of one transport. Nothing of it leaves the thread.
final class CurlLoop {
  private let shared: CurlShared
  private let multi: UnsafeMutableRawPointer
  private var transfers: [UnsafeMutableRawPointer: CurlTransfer] = [:]
  private var idleHandles: [CurlHandle] = []

  private init(_ shared: CurlShared) {
    self.shared = shared
    multi = shared.multi.pointer
  }

  /// Starts the thread, detached: it ends by `CurlShared.stop` and says so to the waiters.
  static func start(_ shared: CurlShared) throws(TransportError) {
    func check(_ result: Int32) throws(TransportError) {
      guard result == 0 else {
        throw TransportError(.system, "no thread: \(String(cString: strerror(result)))")
      }
    }
    var attributes = pthread_attr_t()
    try check(pthread_attr_init(&attributes))
    defer { pthread_attr_destroy(&attributes) }
    try check(pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED)))
    // A new thread inherits the mask: signals belong to the program's other threads, and a write to
    // a closed connection must be an error here and no SIGPIPE, whatever OpenSSL does.
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)  // Fails for no set at all, which this is not.
    try check(pthread_sigmask(SIG_SETMASK, &all, &before))
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(shared)
    let result = pthread_create(
      &thread, &attributes,
      { argument in
        guard let argument else { return nil }
        CurlLoop(Unmanaged<CurlShared>.fromOpaque(argument).takeRetainedValue()).run()
        return nil
      }, argument.toOpaque())
    if result != 0 { argument.release() }
    try check(pthread_sigmask(SIG_SETMASK, &before, nil))
    try check(result)
  }

  private func run() {
    var failure: CURLMcode = CURLM_OK
    while failure == CURLM_OK, takeCommands() {
      var running: Int32 = 0
      failure = curl_multi_perform(multi, &running)
      finishTransfers()
      guard failure == CURLM_OK, shared.state.withLock({ $0.commands.isEmpty && !$0.stopping })
      else { continue }
      // libcurl's own timers and curl_multi_wakeup end the wait; the bound is for neither.
      failure = curl_multi_poll(multi, nil, 0, 60_000, nil)
    }
    end(failure)
  }

  /// Starts and cancels what the queue asks for.
  ///
  /// - Returns: false when the transport is to stop.
  private func takeCommands() -> Bool {
    let (commands, stopping) = shared.state.withLock { state in
      let commands = state.commands
      state.commands.removeAll(keepingCapacity: true)
      return (commands, state.stopping)
    }
    for command in commands {
      switch command {
      case .start(let call, let continuation):
        start(
          CurlTransfer(
            call, continuation, limit: shared.configuration.maximumResponseSize,
            bodies: shared.bodies))
      case .cancel(let call):
        guard let (key, transfer) = transfers.first(where: { $0.value.call === call }) else {
          continue  // It has finished in the meantime.
        }
        transfers[key] = nil
        detach(key)
        transfer.continuation.resume(returning: .failure(.cancelled(call)))
      }
    }
    return !stopping
  }

  private func start(_ transfer: CurlTransfer, onFreshConnection fresh: Bool = false) {
    do throws(TransportError) {
      let handle: CurlHandle
      if !fresh, let idle = idleHandles.popLast() {
        handle = idle
      } else {
        handle = try CurlHandle()
      }
      try transfer.prepare(handle, shared.configuration, onFreshConnection: fresh)
      let code = curl_multi_add_handle(multi, handle.pointer)
      guard code == CURLM_OK else {
        throw TransportError(.system, String(cString: curl_multi_strerror(code)))
      }
      transfers[handle.pointer] = transfer
    } catch {
      transfer.continuation.resume(returning: .failure(error))
    }
  }

  private func detach(_ handle: UnsafeMutableRawPointer) {
    let code = curl_multi_remove_handle(multi, handle)
    // It fails only for a handle that is none of the loop's; to go on would be to free one in use.
    precondition(code == CURLM_OK, String(cString: curl_multi_strerror(code)))
  }

  private func finishTransfers() {
    var left: Int32 = 0
    while let message = curl_multi_info_read(multi, &left) {
      guard message.pointee.msg == CURLMSG_DONE, let key = message.pointee.easy_handle,
        let transfer = transfers.removeValue(forKey: key)
      else { continue }
      let code = dynarc_message_result(message)
      detach(key)
      if transfer.diedOnKeptConnection(code) {
        // The server closed an idle connection as the request went out. libcurl then takes the next
        // idle one, but gives up after five: they all tend to die together. So the request goes
        // once more, over a connection of its own.
        start(transfer, onFreshConnection: true)
        continue
      }
      let result = transfer.finish(code)
      if case .success = result, let handle = transfer.handle { idleHandles.append(handle) }
      transfer.handle = nil
      transfer.continuation.resume(returning: result)
    }
  }

  private func end(_ failure: CURLMcode) {
    for (key, transfer) in transfers {
      detach(key)
      transfer.continuation.resume(returning: .failure(error(failure, transfer.call)))
    }
    transfers = [:]
    idleHandles = []
    let (commands, waiters) = shared.state.withLock { state in
      state.stopping = true
      state.stopped = true
      defer { (state.commands, state.waiters) = ([], []) }
      return (state.commands, state.waiters)
    }
    for case .start(let call, let continuation) in commands {
      continuation.resume(returning: .failure(error(failure, call)))
    }
    for waiter in waiters { waiter.resume() }
  }

  private func error(_ failure: CURLMcode, _ call: CurlCall) -> TransportError {
    guard failure != CURLM_OK else { return .shutDown(call) }
    return TransportError(
      .system, "libcurl's loop failed: \(String(cString: curl_multi_strerror(failure)))",
      host: call.request.url.hostAndPort)
  }
}
