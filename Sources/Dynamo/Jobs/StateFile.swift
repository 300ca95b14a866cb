import Archive
import Glibc
import JSON

/// The file in which a job that writes notes how far it is, so that `--resume` goes on there.
///
/// JSON lines, each durable when `append` returns. A line torn by a crash is dropped. The file is locked for as
/// long as the process lives, and removed at the job's end.
final class StateFile: Sendable {
  /// What it says of the job.
  struct Words: Sendable {
    /// `load`, `apply`.
    var verb: String
    /// How to begin anew where some of it has been done.
    var again: String
  }

  /// A file has a line for each checkpoint; one of this size is none of ours.
  private static let sizeLimit = 1 << 30

  let path: String
  private let words: Words
  private let descriptor: Int32

  /// Takes the descriptor over.
  private init(_ path: String, _ words: Words, _ descriptor: Int32) {
    self.path = path
    self.words = words
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  func append(_ line: JSONObject) throws(ArchiveError) {
    let bytes = JSONValue.object(line).serialized() + [0x0A]
    let problem = LineFile.append(bytes, to: descriptor)
    guard problem == 0 else { throw StateFile.failure("write", path, problem) }
  }

  /// Removes the file: the job is done.
  func remove() throws(ArchiveError) {
    guard unlink(path) == 0 else { throw StateFile.failure("remove", path) }
  }

  /// Starts a state file.
  ///
  /// - Throws: `DynamoError` of code `stateExists` or `locked`; `ArchiveError` of code `io`.
  static func create(_ path: String, _ words: Words, firstLine: JSONObject) throws -> StateFile {
    // Under another name until its first line is durable: what stands under the right one is never
    // half begun. A crash may leave this one, and the next job takes it.
    let draft = path + ".new"
    let descriptor = open(draft, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw failure("create", draft) }
    let file = StateFile(path, words, descriptor)
    try file.lock(draft)
    guard ftruncate(descriptor, 0) == 0 else { throw failure("cut", draft) }
    try file.append(firstLine)
    guard link(draft, path) == 0 else {
      guard errno == EEXIST else { throw failure("create", path) }
      unlink(draft)
      throw leftover(path, words)
    }
    guard unlink(draft) == 0 else { throw failure("create", path) }
    try syncDirectory(of: path)
    return file
  }

  /// Refuses to begin where an unfinished job has left its state, before anything is asked or done.
  static func refuseLeftover(at path: String, _ words: Words) throws(DynamoError) {
    if access(path, F_OK) == 0 { throw leftover(path, words) }
  }

  private static func leftover(_ path: String, _ words: Words) -> DynamoError {
    DynamoError(
      .stateExists, "there is a state file of an unfinished \(words.verb): \(path)",
      hint: "go on with that \(words.verb): add --resume; or remove the file to start over")
  }

  /// Opens the state file of a job that was stopped.
  ///
  /// - Returns: the file, and its lines, of which there is at least one.
  /// - Throws: `DynamoError` of code `noState`, `locked` or `stateMismatch`.
  static func resume(_ path: String, _ words: Words) throws -> (file: StateFile, lines: [[UInt8]]) {
    let descriptor = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else {
      guard errno == ENOENT else { throw failure("open", path) }
      throw DynamoError(
        .noState, "there is nothing to go on with: no state file \(path)",
        hint:
          "what has ended leaves none; name another with --state, give a folder of archives the name that it had, or "
          + "leave --resume out")
    }
    let file = StateFile(path, words, descriptor)
    try file.lock(path)
    let bytes = try file.contents()
    // What a crash has torn is cut off, or the next line would be glued to it.
    let whole = (bytes.lastIndex(of: 0x0A) ?? -1) + 1
    guard ftruncate(descriptor, whole) == 0 else { throw failure("cut", path) }
    let lines = bytes[..<whole].split(separator: 0x0A).map(Array.init)
    guard !lines.isEmpty else {
      throw DynamoError(
        .stateMismatch, "\(path) is empty: the \(words.verb) was stopped before it began",
        hint: "remove it, and \(words.verb) again without --resume")
    }
    return (file, lines)
  }

  private func contents() throws -> [UInt8] {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw StateFile.failure("read", path) }
    guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= StateFile.sizeLimit else {
      throw damaged(line: 1)
    }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var filled = 0
    while filled < bytes.count {
      let count = bytes.withUnsafeMutableBytes {
        read(descriptor, $0.baseAddress.map { $0 + filled }, $0.count - filled)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw StateFile.failure("read", path) }
      filled += count
    }
    return bytes
  }

  /// Makes the file's name durable.
  private static func syncDirectory(of path: String) throws(ArchiveError) {
    let slash = path.lastIndex(of: "/")
    let directory = slash.map { String(path[...$0]) } ?? "."
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("sync", path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure("sync", path) }
  }

  private func lock(_ path: String) throws {
    guard flock(descriptor, LOCK_EX | LOCK_NB) != 0 else { return }
    guard errno == EWOULDBLOCK else { throw StateFile.failure("lock", path) }
    throw DynamoError(
      .locked, "another \(words.verb) is at work with \(path)",
      hint: "wait for it to end; two at work on one archive and one table help nobody")
  }

  /// For a file that says what nobody understands.
  func damaged(line: Int) -> DynamoError {
    DynamoError(
      .stateMismatch,
      "\(path) is no usable state file of this \(words.verb): line \(line) cannot be read",
      hint: "remove it, and \(words.again)")
  }

  private static func failure(
    _ verb: String, _ path: String, _ number: Int32 = errno
  ) -> ArchiveError {
    ArchiveError(
      .io, "cannot \(verb) the state file: \(String(cString: strerror(number)))", file: path,
      hint:
        "it stands beside the archive or the folder, where it must be possible to write; for one archive "
        + "--state names another place", errno: number)
  }
}
