internal import CLinux
import Dispatch
import Glibc

/// A program run to its end, its output taken in.
enum ChildProcess {
  /// How it ended.
  struct End: Sendable {
    var output: [UInt8]
    var errorOutput: [UInt8]
    /// The exit status; 128 and the signal's number where a signal ended it.
    var status: Int32
  }

  /// Bytes of output beyond which a program is not one that prints credentials.
  private static let longestOutput = 1 << 20

  /// Runs a program, found by PATH, and waits for its end. It has this process's standard input, so that
  /// it may ask the user.
  ///
  /// - Parameter limit: how long it may take before it is killed.
  /// - Throws: `CredentialError`.
  static func run(
    _ words: [String], environment: [String: String], limit: Duration
  ) async throws(CredentialError) -> End {
    let result = await withCheckedContinuation { continuation in
      // It blocks, which the few threads of the cooperative pool must not.
      DispatchQueue.global().async {
        let result: Result<End, CredentialError>
        do throws(CredentialError) {
          result = .success(try runBlocking(words, environment, limit))
        } catch { result = .failure(error) }
        continuation.resume(returning: result)
      }
    }
    return try result.get()
  }

  private static func runBlocking(
    _ words: [String], _ environment: [String: String], _ limit: Duration
  ) throws(CredentialError) -> End {
    var output: [Int32] = [-1, -1]
    var errors: [Int32] = [-1, -1]
    defer { for number in output + errors where number >= 0 { close(number) } }
    guard dynarc_pipe(&output) == 0, dynarc_pipe(&errors) == 0 else {
      throw failure(words, errno)
    }
    let process = try spawn(words, environment, output: output[1], errors: errors[1])
    // The program's ends: while they are open here, there is no end of file.
    close(output[1])
    close(errors[1])
    (output[1], errors[1]) = (-1, -1)
    var end = End(output: [], errorOutput: [], status: 0)
    let inTime = drain(output[0], errors[0], until: ContinuousClock.now + limit, &end)
    if !inTime { kill(process, SIGKILL) }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    guard inTime else {
      throw CredentialError(
        .unreachable,
        "\(words[0]) did not end within \(limit.components.seconds) s, or printed without end")
    }
    end.status = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
    return end
  }

  private static func spawn(
    _ words: [String], _ environment: [String: String], output: Int32, errors: Int32
  ) throws(CredentialError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // What this process ignores or blocks, the program must not inherit.
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    for number in [SIGINT, SIGTERM, SIGPIPE] { sigaddset(&signals, number) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    var arguments = words.map { strdup($0) }
    var variables = environment.map { strdup("\($0.key)=\($0.value)") }
    defer { for text in arguments + variables { free(text) } }
    arguments.append(nil)
    variables.append(nil)
    var process: pid_t = 0
    let code = posix_spawnp(&process, words[0], &actions, &attributes, arguments, variables)
    guard code == 0 else { throw failure(words, code) }
    return process
  }

  /// Takes in both outputs in turn, so that neither pipe fills up and stops the program.
  ///
  /// - Returns: whether both ended in time, and within their bounds.
  private static func drain(
    _ output: Int32, _ errors: Int32, until deadline: ContinuousClock.Instant, _ end: inout End
  ) -> Bool {
    var open = [
      pollfd(fd: output, events: Int16(POLLIN), revents: 0),
      pollfd(fd: errors, events: Int16(POLLIN), revents: 0),
    ]
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while open.contains(where: { $0.fd >= 0 }) {
      let left = (deadline - ContinuousClock.now).milliseconds
      guard left > 0 else { return false }
      guard poll(&open, 2, Int32(clamping: left)) >= 0 || errno == EINTR else { return false }
      for index in 0..<2 where open[index].fd >= 0 && open[index].revents != 0 {
        let count = read(open[index].fd, &chunk, chunk.count)
        if count < 0, errno == EINTR || errno == EAGAIN { continue }
        if count <= 0 {
          open[index].fd = -1
        } else if index == 0 {
          end.output += chunk[..<count]
        } else {
          end.errorOutput += chunk[..<count]
        }
        guard end.output.count + end.errorOutput.count <= longestOutput else { return false }
      }
    }
    return true
  }

  private static func failure(_ words: [String], _ number: Int32) -> CredentialError {
    CredentialError(
      .unreachable, "\(words[0]) could not be started: \(String(cString: strerror(number)))",
      hint: "check credential_process in the profile")
  }
}
