@testable import Archive
import Glibc
import Synchronization

/// A directory on a disk that can lose power, and fail.
///
/// What is written reaches the disk with an fsync and not before; a name reaches it with the fsync of
/// its directory. When the power goes, what has not may be there, in part, or not at all. Each thing
/// that a file system is asked to do is a step, and a step can be the last one, or fail.
final class SimulatedDisk: WritableStorage {
  let location = "the disk"

  /// The bytes of a file, whatever names it has.
  final class File: Sendable {
    private let state: Mutex<(bytes: [UInt8], durable: [UInt8])>

    init(_ bytes: [UInt8] = []) { state = Mutex((bytes, bytes)) }

    var bytes: [UInt8] { state.withLock { $0.bytes } }
    func change(_ body: (inout [UInt8]) -> Void) { state.withLock { body(&$0.bytes) } }
    func sync() { state.withLock { $0.durable = $0.bytes } }

    /// What is left of it without power: what was durable, or something between that and the rest.
    func survive(_ random: inout some RandomNumberGenerator) -> [UInt8] {
      let (bytes, durable) = state.withLock { $0 }
      guard bytes.starts(with: durable), Bool.random(using: &random) else { return durable }
      var left = Array(bytes[..<Int.random(in: durable.count...bytes.count, using: &random)])
      // A block that did not arrive leaves zeros.
      if left.count > durable.count, Int.random(in: 0..<4, using: &random) == 0 {
        left[Int.random(in: durable.count..<left.count, using: &random)] = 0
      }
      return left
    }
  }

  /// Something done to the names that its directory does not know for sure yet.
  private enum Change {
    case link(String, File)
    case unlink(String)
    case rename(String, String, File)
    case makeDirectory(String)
    case removeDirectory(String)
  }

  /// What happens at a step.
  enum Event: Sendable {
    /// The power goes before the step, or behind it.
    case stopBefore, stopAfter
    /// The step fails with an `errno`; a write does a part of its work first.
    case fail(Int32)
  }

  private struct State {
    var names: [String: File] = [:]
    var directories: Set<String> = []
    var durableNames: [String: File] = [:]
    var durableDirectories: Set<String> = []
    var pending: [Change] = []
    var locked: Set<ObjectIdentifier> = []
    var steps = 0
    var isStopped = false
  }

  private let state: Mutex<State>
  private let events: [Int: Event]
  private let keepsFailing: Bool

  /// - Parameters:
  ///   - events: by the number of the step, counted from 1.
  ///   - keepsFailing: a failure stays for the steps behind it, as a disk that is full does.
  init(_ events: [Int: Event] = [:], keepsFailing: Bool = false) {
    self.events = events
    self.keepsFailing = keepsFailing
    state = Mutex(State())
  }

  private init(_ state: State, _ events: [Int: Event]) {
    self.state = Mutex(state)
    self.events = events
    keepsFailing = false
  }

  /// Steps taken so far.
  var steps: Int { state.withLock { $0.steps } }

  /// The disk as it is when the power is back.
  func restarted(_ seed: Int, _ events: [Int: Event] = [:]) -> SimulatedDisk {
    var random = Seeded(seed)
    let old = state.withLock { $0 }
    var new = State()
    new.names = old.durableNames
    new.directories = old.durableDirectories
    for change in old.pending where Bool.random(using: &random) {
      SimulatedDisk.apply(change, &new.names, &new.directories)
    }
    // Hard links share a file: each is decided once.
    var survivors: [ObjectIdentifier: File] = [:]
    for (name, file) in new.names.sorted(by: { $0.key < $1.key }) {
      let survivor = survivors[ObjectIdentifier(file)] ?? File(file.survive(&random))
      survivors[ObjectIdentifier(file)] = survivor
      new.names[name] = survivor
    }
    // What stood in a directory that is gone is gone, too.
    if !new.directories.contains("") { new.directories = [] }
    new.names = new.names.filter { new.directories.contains(SimulatedDisk.directory($0.key)) }
    new.durableNames = new.names
    new.durableDirectories = new.directories
    return SimulatedDisk(new, events)
  }

  /// The disk as it is, without its failures.
  func repaired() -> SimulatedDisk {
    var new = state.withLock { $0 }
    new.locked = []
    return SimulatedDisk(new, [:])
  }

  private static func directory(_ name: String) -> String {
    name.hasPrefix("data/") ? "data" : ""
  }

  private static func apply(
    _ change: Change, _ names: inout [String: File], _ directories: inout Set<String>
  ) {
    switch change {
    case .link(let name, let file): names[name] = file
    case .unlink(let name): names[name] = nil
    case .rename(let old, let new, let file):
      names[old] = nil
      names[new] = file
    case .makeDirectory(let name): directories.insert(name)
    case .removeDirectory(let name): directories.remove(name)
    }
  }

  // MARK: Steps

  private func step(
    _ doing: String, _ name: String, partly: (inout State) -> Void = { _ in },
    _ body: (inout State) throws(ArchiveError) -> Void
  ) throws(ArchiveError) {
    try state.withLock { (state) throws(ArchiveError) in
      if state.isStopped { throw .system(EIO, doing, file: name) }
      state.steps += 1
      var event = events[state.steps]
      if event == nil, keepsFailing, let first = events.keys.min(), state.steps > first {
        event = events[first]
      }
      switch event {
      case .stopBefore:
        state.isStopped = true
        partly(&state)
        throw .system(EIO, doing, file: name)
      case .fail(let number):
        partly(&state)
        throw .system(number, doing, file: name)
      case .stopAfter:
        try body(&state)
        state.isStopped = true
        throw .system(EIO, doing, file: name)
      case nil: try body(&state)
      }
    }
  }

  private func change(_ doing: String, _ name: String, _ change: Change) throws(ArchiveError) {
    try step(doing, name) { (state) throws(ArchiveError) in
      switch change {
      case .link(let name, _), .rename(_, let name, _):
        guard state.names[name] == nil else { throw .system(EEXIST, doing, file: name) }
        guard state.directories.contains(SimulatedDisk.directory(name)) else {
          throw .system(ENOENT, doing, file: name)
        }
      case .unlink(let name):
        guard state.names[name] != nil else { throw .system(ENOENT, doing, file: name) }
      case .removeDirectory(let name):
        guard !state.names.keys.contains(where: { SimulatedDisk.directory($0) == name }) else {
          throw .system(ENOTEMPTY, doing, file: name)
        }
      case .makeDirectory: break
      }
      SimulatedDisk.apply(change, &state.names, &state.directories)
      state.pending.append(change)
    }
  }

  /// All directories at once: what is not synced in one is not in doubt in another.
  private func syncDirectories(_ name: String) throws(ArchiveError) {
    try step("make the directory durable", name) { state in
      state.durableNames = state.names
      state.durableDirectories = state.directories
      state.pending = []
    }
  }

  private func write(_ bytes: [UInt8], to file: File, _ name: String) throws(ArchiveError) {
    try step(
      "write", name, partly: { _ in file.change { $0 += bytes[..<(bytes.count / 2)] } }
    ) { _ in file.change { $0 += bytes } }
  }

  private func sync(_ file: File, _ name: String) throws(ArchiveError) {
    try step("make the file durable", name) { _ in file.sync() }
  }

  // MARK: The storage

  func prepare() throws(ArchiveError) {
    guard state.withLock({ $0.directories.isEmpty }) else {
      throw .system(EEXIST, "create the directory")
    }
    try change("create the directory", "", .makeDirectory(""))
    try repair()
  }

  func repair() throws(ArchiveError) {
    try change("create the directory", "data", .makeDirectory("data"))
    try syncDirectories("data")
  }

  func entries() throws(ArchiveError) -> [StorageEntry] {
    let state = state.withLock { $0 }
    if state.isStopped { throw .system(EIO, "list the directory") }
    guard state.directories.contains("") else { throw .system(ENOENT, "open the directory") }
    return state.directories.filter { !$0.isEmpty }.map {
      StorageEntry(name: $0, kind: .directory, size: 0)
    } + state.names.map { StorageEntry(name: $0.key, kind: .file, size: $0.value.bytes.count) }
  }

  func open(_ name: String) throws(ArchiveError) -> any StorageReader {
    guard let file = state.withLock({ $0.names[name] }) else {
      throw .system(ENOENT, "open the file", file: name)
    }
    return Reader(file.bytes)
  }

  func create(_ name: String) throws(ArchiveError) -> any StorageWriter {
    let file = File()
    try change("create the file", name, .link(ArchiveNames.temporary(name), file))
    return Writer(self, file, name)
  }

  func append(_ name: String) throws(ArchiveError) -> any StorageAppender {
    let file = File()
    try change("create the file", name, .link(name, file))
    let appender = try Appender(self, file, name)
    try syncDirectories(name)
    return appender
  }

  func resume(_ name: String) throws(ArchiveError) -> any StorageAppender {
    guard let file = state.withLock({ $0.names[name] }) else {
      throw .system(ENOENT, "open the file", file: name)
    }
    return try Appender(self, file, name)
  }

  func remove(_ name: String) throws(ArchiveError) {
    try change("remove the file", name, .unlink(name))
    try syncDirectories(name)
  }

  func removePlace() throws(ArchiveError) {
    for name in ["data", ""] { try change("remove the directory", name, .removeDirectory(name)) }
  }

  private final class Reader: StorageReader {
    private let rest: Mutex<ArraySlice<UInt8>>
    let size: Int

    init(_ bytes: [UInt8]) {
      size = bytes.count
      rest = Mutex(bytes[...])
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
      rest.withLock { rest in
        let part = rest.prefix(buffer.count)
        buffer.copyBytes(from: part)
        rest = rest.dropFirst(part.count)
        return part.count
      }
    }
  }

  private final class Writer: StorageWriter {
    private let disk: SimulatedDisk
    private let file: File
    private let name: String
    private let isOpen = Mutex(true)

    init(_ disk: SimulatedDisk, _ file: File, _ name: String) {
      self.disk = disk
      self.file = file
      self.name = name
    }

    deinit { abandon() }

    private func demandOpen(end: Bool) throws(ArchiveError) {
      let wasOpen = isOpen.withLock { isOpen in
        defer { if end { isOpen = false } }
        return isOpen
      }
      if !wasOpen { throw ArchiveError(.io, "the file is closed", file: name) }
    }

    func write(_ bytes: RawSpan) throws(ArchiveError) {
      try demandOpen(end: false)
      try disk.write(bytes.withUnsafeBytes { Array($0) }, to: file, name)
    }

    func commit() throws(ArchiveError) {
      try demandOpen(end: true)
      do throws(ArchiveError) {
        try disk.sync(file, name)
        try disk.change(
          "put the file under its name", name,
          .rename(ArchiveNames.temporary(name), name, file))
      } catch {
        unlink()
        throw error
      }
      try disk.syncDirectories(name)
    }

    func abandon() {
      let wasOpen = isOpen.withLock { isOpen in
        defer { isOpen = false }
        return isOpen
      }
      if wasOpen { unlink() }
    }

    private func unlink() {
      _ = try? disk.change("remove the file", name, .unlink(ArchiveNames.temporary(name)))
    }
  }

  private final class Appender: StorageAppender {
    private let disk: SimulatedDisk
    private let file: File
    private let name: String

    init(_ disk: SimulatedDisk, _ file: File, _ name: String) throws(ArchiveError) {
      let isFree = disk.state.withLock { $0.locked.insert(ObjectIdentifier(file)).inserted }
      self.disk = disk
      self.file = file
      self.name = name
      if !isFree { throw ArchiveError(.locked, "another writes there", file: name) }
    }

    deinit { disk.state.withLock { _ = $0.locked.remove(ObjectIdentifier(file)) } }

    func append(_ bytes: RawSpan) throws(ArchiveError) {
      try disk.write(bytes.withUnsafeBytes { Array($0) }, to: file, name)
      try disk.sync(file, name)
    }

    func truncate(to size: Int) throws(ArchiveError) {
      try disk.step("cut the file", name) { _ in
        file.change { $0.removeSubrange(min(size, $0.count)...) }
      }
      try disk.sync(file, name)
    }
  }
}
