import Archive
import Glibc
import JSON
import Synchronization

/// The state file of a load, or of changes being applied: what of an archive is in the table, so that
/// `--resume` goes on there.
///
/// JSON lines, appended and fsynced: first what is written where, then the table's identity once it is
/// there, the end of a truncation, and now and then how many lines of which chunks are done. A line
/// torn by a crash is dropped; what it told is written again, which changes nothing. The file is
/// locked for as long as the process lives, and removed at the job's end.
final class LoadCheckpoint: Sendable {
  /// What a state file belongs to.
  struct Identity: Equatable, Sendable {
    /// The archive's id.
    var archive: String
    var table: String
    var work: WriteWork
    /// How the items are changed on their way.
    var rules: [ItemTransforms.Rule] = []
    var hashKeyCheck: String?
  }

  private struct State {
    var tableID: String?
    var isWriting = false
    var settings: (choice: SettingsChoice, created: Bool)?
    var rejects: String?
    var positions: [String: ChunkTracker.Position] = [:]
    /// Chunks whose position has changed since the last line.
    var dirty: Set<String> = []
    var lastWrite: ContinuousClock.Instant
  }

  /// How much work a crash may cost at most.
  private static let interval = Duration.milliseconds(500)
  /// A state file has a line for each checkpoint; one of this size is none of ours.
  private static let sizeLimit = 1 << 30

  let path: String
  let identity: Identity
  private let descriptor: Int32
  private let state: Mutex<State>

  private init(path: String, identity: Identity, descriptor: Int32, state: State) {
    self.path = path
    self.identity = identity
    self.descriptor = descriptor
    self.state = Mutex(state)
  }

  deinit { close(descriptor) }

  /// The table's identity, once known.
  var tableID: String? { state.withLock { $0.tableID } }
  /// Whether items have been written, so that the table must not be emptied any more.
  var isWriting: Bool { state.withLock { $0.isWriting } }
  /// What settings the load was begun with, and whether the table is one that it creates; nil where nobody
  /// noted it.
  var settings: (choice: SettingsChoice, created: Bool)? { state.withLock { $0.settings } }
  /// The file of rejected items of the runs before.
  var rejects: String? { state.withLock { $0.rejects } }
  /// Lines done in all chunks.
  var total: ChunkTracker.Position {
    state.withLock { state in
      state.positions.values.reduce(into: ChunkTracker.Position()) { sum, position in
        sum.lines += position.lines
        sum.rejected += position.rejected
      }
    }
  }

  /// Where a chunk stands.
  func position(of chunk: String) -> ChunkTracker.Position {
    state.withLock { $0.positions[chunk] ?? ChunkTracker.Position() }
  }

  // MARK: Writing

  /// Notes which table it is.
  func note(tableID: String) throws {
    try state.withLock { state in
      guard state.tableID != tableID else { return }
      try append(["table": .string(tableID)])
      state.tableID = tableID
    }
  }

  /// Notes what settings the table is to get, and whether it is created.
  func note(settings choice: SettingsChoice, created: Bool) throws {
    try state.withLock { state in
      guard state.settings == nil else { return }
      try append(["settings": .object(choice.json), "created": .bool(created)])
      state.settings = (choice, created)
    }
  }

  /// Notes that what was in the table is gone, and writing begins.
  func noteWriting() throws {
    try state.withLock { state in
      guard !state.isWriting else { return }
      try append(["phase": "writing"])
      state.isWriting = true
    }
  }

  /// Notes where rejected items are set aside.
  func note(rejects path: String) throws {
    try state.withLock { state in
      guard state.rejects != path else { return }
      try append(["rejects": .string(path)])
      state.rejects = path
    }
  }

  /// Takes note of a chunk's position; says whether it is time to `flush`.
  func record(_ chunk: String, _ position: ChunkTracker.Position) -> Bool {
    state.withLock { state in
      if let known = state.positions[chunk], known.lines >= position.lines { return false }
      state.positions[chunk] = position
      state.dirty.insert(chunk)
      let now = ContinuousClock().now
      guard now - state.lastWrite >= LoadCheckpoint.interval else { return false }
      state.lastWrite = now
      return true
    }
  }

  /// Writes down all positions; waits for the disk.
  func flush() throws {
    try state.withLock { state in
      guard !state.dirty.isEmpty else { return }
      var chunks = JSONObject()
      for name in state.dirty.sorted() {
        guard let position = state.positions[name] else { continue }
        chunks[name] = .array([JSONValue(position.lines), JSONValue(position.rejected)])
      }
      try append(["done": .object(chunks)])
      state.dirty = []
      state.lastWrite = ContinuousClock().now
    }
  }

  /// Removes the file: the job is done.
  func remove() throws {
    guard unlink(path) == 0 else { throw LoadCheckpoint.failure("remove", path) }
  }

  private func append(_ line: JSONObject) throws {
    let bytes = JSONValue.object(line).serialized() + [0x0A]
    let problem = LineFile.append(bytes, to: descriptor)
    guard problem == 0 else { throw LoadCheckpoint.failure("write", path, problem) }
  }

  // MARK: Opening

  /// Starts a state file.
  ///
  /// - Throws: `DynamoError` of code `stateExists` or `locked`; `ArchiveError` of code `io`.
  static func create(_ path: String, _ identity: Identity) throws -> LoadCheckpoint {
    // Under another name until its first line is durable: what stands under the right one is never
    // half begun. A crash may leave this one, and the next job takes it.
    let draft = path + ".new"
    let descriptor = open(draft, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw failure("create", draft) }
    let checkpoint = LoadCheckpoint(
      path: path, identity: identity, descriptor: descriptor,
      state: State(lastWrite: ContinuousClock().now))
    try lock(descriptor, draft, identity.work)
    guard ftruncate(descriptor, 0) == 0 else { throw failure("cut", draft) }
    try checkpoint.append(identity.json)
    guard link(draft, path) == 0 else {
      guard errno == EEXIST else { throw failure("create", path) }
      unlink(draft)
      throw leftover(path, identity.work)
    }
    guard unlink(draft) == 0 else { throw failure("create", path) }
    try syncDirectory(of: path)
    return checkpoint
  }

  /// Refuses to begin where an unfinished job has left its state, before anything is asked or done.
  static func refuseLeftover(at path: String, _ work: WriteWork) throws {
    if access(path, F_OK) == 0 { throw leftover(path, work) }
  }

  private static func leftover(_ path: String, _ work: WriteWork) -> DynamoError {
    DynamoError(
      .stateExists, "there is a state file of an unfinished \(work.verb): \(path)",
      hint: "go on with that \(work.verb): add --resume; or remove the file to start over")
  }

  /// Opens the state file of a job that was stopped.
  ///
  /// - Parameter wanted: what the job is to do. What a load does with existing items the file tells.
  /// - Throws: `DynamoError` of code `noState`, `locked` or `stateMismatch`.
  static func resume(_ path: String, _ wanted: Identity) throws -> LoadCheckpoint {
    let work = wanted.work
    let descriptor = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else {
      guard errno == ENOENT else { throw failure("open", path) }
      throw DynamoError(
        .noState, "there is nothing to go on with: no state file \(path)",
        hint: "what has ended leaves none; name another with --state, or leave --resume out")
    }
    do {
      try lock(descriptor, path, work)
      let bytes = try contents(descriptor, path, work)
      // What a crash has torn is cut off, or the next line would be glued to it.
      let whole = (bytes.lastIndex(of: 0x0A) ?? -1) + 1
      guard ftruncate(descriptor, whole) == 0 else { throw failure("cut", path) }
      var lines = bytes[..<whole].split(separator: 0x0A).enumerated().makeIterator()
      guard let first = lines.next() else {
        throw DynamoError(
          .stateMismatch, "\(path) is empty: the \(work.verb) was stopped before it began",
          hint: "remove it, and \(work.verb) again without --resume")
      }
      guard let identity = try Identity(Array(first.element), path) else {
        throw damaged(path, line: 1, work)
      }
      try identity.check(wanted, path)
      var state = State(lastWrite: ContinuousClock().now)
      while let (index, line) = lines.next() {
        guard read(Array(line), into: &state) else { throw damaged(path, line: index + 1, work) }
      }
      return LoadCheckpoint(
        path: path, identity: identity, descriptor: descriptor, state: state)
    } catch {
      close(descriptor)
      throw error
    }
  }

  /// Takes in a line; false for one that says nothing we know.
  private static func read(_ line: [UInt8], into state: inout State) -> Bool {
    guard let json = try? JSONValue.parse(line.span) else { return false }
    if let table = json["table"]?.string {
      state.tableID = table
    } else if json["phase"] == "writing" {
      state.isWriting = true
    } else if let settings = json["settings"] {
      guard let choice = SettingsChoice(settings), let created = json["created"]?.bool else {
        return false
      }
      state.settings = (choice, created)
    } else if let path = json["rejects"]?.string {
      state.rejects = path
    } else if let chunks = json["done"]?.object {
      for member in chunks.members {
        guard let numbers = member.value.array, numbers.count == 2, let lines = numbers[0].int,
          let rejected = numbers[1].int, lines >= 0, (0...lines).contains(rejected)
        else { return false }
        state.positions[member.name] = ChunkTracker.Position(lines: lines, rejected: rejected)
      }
    } else {
      return false
    }
    return true
  }

  private static func contents(
    _ descriptor: Int32, _ path: String, _ work: WriteWork
  ) throws -> [UInt8] {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure("read", path) }
    guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= sizeLimit else {
      throw damaged(path, line: 1, work)
    }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var filled = 0
    while filled < bytes.count {
      let count = bytes.withUnsafeMutableBytes {
        Glibc.read(descriptor, $0.baseAddress.map { $0 + filled }, $0.count - filled)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure("read", path) }
      filled += count
    }
    return bytes
  }

  /// Makes the file's name durable.
  private static func syncDirectory(of path: String) throws {
    let slash = path.lastIndex(of: "/")
    let directory = slash.map { String(path[...$0]) } ?? "."
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("sync", path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure("sync", path) }
  }

  private static func lock(_ descriptor: Int32, _ path: String, _ work: WriteWork) throws {
    guard flock(descriptor, LOCK_EX | LOCK_NB) != 0 else { return }
    guard errno == EWOULDBLOCK else { throw failure("lock", path) }
    throw DynamoError(
      .locked, "another \(work.verb) is at work with \(path)",
      hint: "wait for it to end; two at work on one archive and one table help nobody")
  }

  private static func damaged(_ path: String, line: Int, _ work: WriteWork) -> DynamoError {
    DynamoError(
      .stateMismatch,
      "\(path) is no usable state file of this \(work.verb): line \(line) cannot be read",
      hint: "remove it, and \(work.again)")
  }

  private static func failure(
    _ verb: String, _ path: String, _ number: Int32 = errno
  ) -> ArchiveError {
    ArchiveError(
      .io, "cannot \(verb) the state file: \(String(cString: strerror(number)))", file: path,
      hint: "name a place where it can be written with --state", errno: number)
  }
}
