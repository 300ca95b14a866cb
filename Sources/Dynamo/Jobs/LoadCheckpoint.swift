import Archive
import JSON
import Synchronization

/// The state file of a load, or of changes being applied: what of an archive is in the table, so that
/// `--resume` goes on there.
///
/// The lines of the `StateFile`: first what is written where, then the table's identity once it is
/// there, the end of a truncation, and now and then how many lines of which chunks are done. What a torn
/// line told is written again, which changes nothing.
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

  let identity: Identity
  private let file: StateFile
  private let state: Mutex<State>

  private init(_ file: StateFile, _ identity: Identity, _ state: State) {
    self.file = file
    self.identity = identity
    self.state = Mutex(state)
  }

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
      try file.append(["table": .string(tableID)])
      state.tableID = tableID
    }
  }

  /// Notes what settings the table is to get, and whether it is created.
  func note(settings choice: SettingsChoice, created: Bool) throws {
    try state.withLock { state in
      guard state.settings == nil else { return }
      try file.append(["settings": .object(choice.json), "created": .bool(created)])
      state.settings = (choice, created)
    }
  }

  /// Notes that what was in the table is gone, and writing begins.
  func noteWriting() throws {
    try state.withLock { state in
      guard !state.isWriting else { return }
      try file.append(["phase": "writing"])
      state.isWriting = true
    }
  }

  /// Notes where rejected items are set aside.
  func note(rejects path: String) throws {
    try state.withLock { state in
      guard state.rejects != path else { return }
      try file.append(["rejects": .string(path)])
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
      try file.append(["done": .object(chunks)])
      state.dirty = []
      state.lastWrite = ContinuousClock().now
    }
  }

  /// Removes the file: the job is done.
  func remove() throws { try file.remove() }

  // MARK: Opening

  /// Starts a state file.
  ///
  /// - Throws: `DynamoError` of code `stateExists` or `locked`; `ArchiveError` of code `io`.
  static func create(_ path: String, _ identity: Identity) throws -> LoadCheckpoint {
    let file = try StateFile.create(path, identity.work.words, firstLine: identity.json)
    return LoadCheckpoint(file, identity, State(lastWrite: ContinuousClock().now))
  }

  /// Opens the state file of a job that was stopped.
  ///
  /// - Parameter wanted: what the job is to do. What a load does with existing items the file tells.
  /// - Throws: `DynamoError` of code `noState`, `locked` or `stateMismatch`.
  static func resume(_ path: String, _ wanted: Identity) throws -> LoadCheckpoint {
    let (file, lines) = try StateFile.resume(path, wanted.work.words)
    guard let identity = try Identity(lines[0], path) else { throw file.damaged(line: 1) }
    try identity.check(wanted, path)
    var state = State(lastWrite: ContinuousClock().now)
    for (index, line) in lines.enumerated().dropFirst() {
      guard read(line, into: &state) else { throw file.damaged(line: index + 1) }
    }
    return LoadCheckpoint(file, identity, state)
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
}
