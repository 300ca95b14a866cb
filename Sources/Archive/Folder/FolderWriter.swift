internal import Glibc
internal import Synchronization

/// Writes a folder's index, atomically, and keeps every other writer out for as long as it lives.
///
/// The lock (flock) is on the index itself: each new index is locked before it takes the old one's place, so
/// whoever holds the lock of what stands under the name is the one that writes. All calls wait for the disk.
public final class FolderWriter: Sendable {
  private struct State: ~Copyable {
    var index: FolderIndex
    /// The index's file, open and locked.
    var file: Descriptor
  }

  private static let draft = ArchiveNames.temporary(FolderIndex.fileName)

  public let directory: String
  /// Whether an earlier run had begun the folder.
  public let isResumed: Bool
  private let root: Descriptor
  private let state: Mutex<State>

  /// Creates a folder, or takes one over.
  ///
  /// - Parameters:
  ///   - index: what to begin with, where nobody has begun yet.
  ///   - resume: whether the folder must be there, or must not.
  /// - Throws: `ArchiveError`: `exists`, `missing`, `locked` where another process writes into it, `unsupported`
  ///   where it would lie in an archive, `notAnArchive` for a directory that is something else, `damaged`.
  public init(_ directory: String, _ index: FolderIndex, resume: Bool) throws(ArchiveError) {
    self.directory = directory
    let storage = LocalStorage(directory: directory)
    if resume {
      try FolderWriter.check(storage)
    } else {
      try FolderWriter.makeRoot(storage)
    }
    let root = try storage.openRoot()
    let held = try FolderWriter.lock(root, directory)
    isResumed = held.isIndex
    if held.isIndex {
      let index = try ArchiveFolder.open(directory).index
      try FolderWriter.refuseStrangers(index, directory)
      state = Mutex(State(index: index, file: held.file))
    } else {
      var empty = index
      empty.tables = []
      try FolderWriter.refuseStrangers(empty, directory)
      try storage.makeChild(FolderIndex.archives)
      let file = try FolderWriter.publish(index, held.file, root)
      state = Mutex(State(index: index, file: file))
    }
    self.root = root
  }

  // A process that is being forked shares the lock until it executes another program; closing the
  // descriptor here would not end it there.
  deinit { state.withLock { $0.file.unlock() } }

  /// The index as it was last written.
  public var index: FolderIndex { state.withLock { $0.index } }

  /// Writes the index with a table's new state.
  public func set(
    _ tableState: TableState, of table: String, at time: Timestamp
  ) throws(ArchiveError) {
    try change(at: time) { index in
      guard let place = index.tables.firstIndex(where: { $0.name == table }) else { return }
      index.tables[place].state = tableState
    }
  }

  /// Writes the index as it is, with the time of writing.
  public func touch(at time: Timestamp) throws(ArchiveError) { try change(at: time) { _ in } }

  private func change(
    at time: Timestamp, _ edit: (inout FolderIndex) -> Void
  ) throws(ArchiveError) {
    try state.withLock { (state) throws(ArchiveError) in
      var index = state.index
      edit(&index)
      index.updateTime = time
      let draft = try FolderWriter.openDraft(root)
      // Whoever finds no index looks whether it may begin one, and lets go at once.
      while flock(draft.number, LOCK_EX) != 0 {
        guard errno == EINTR else {
          throw .system(errno, "lock the file", file: FolderWriter.draft)
        }
      }
      state.file = try FolderWriter.publish(index, draft, root)
      state.index = index
    }
  }

  /// Removes what was begun and holds nothing: journals without a chunk, directories, and the index.
  public func discard() {
    for table in index.tables {
      let path = ArchiveFolder.path(of: table.name, in: directory)
      unlink("\(path)/\(ArchiveNames.journal)")
      rmdir("\(path)/\(ArchiveNames.data)")
      rmdir(path)
    }
    guard rmdir("\(directory)/\(FolderIndex.archives)") == 0 else { return }
    unlink("\(directory)/\(FolderIndex.fileName)")
    rmdir(directory)
  }

  // MARK: Locking

  private static func makeRoot(_ storage: LocalStorage) throws(ArchiveError) {
    do throws(ArchiveError) { try storage.makeRoot() } catch {
      var error = error
      if error.code == .exists, ArchiveFolder.isAt(storage.directory) {
        error.message = "\(storage.directory) is a folder of archives already"
        error.hint = "go on with it by --resume, if it is not complete; or choose another name"
      }
      throw error
    }
  }

  /// Refuses a folder with archives of which the index does not know: it is not the one they were dumped with.
  private static func refuseStrangers(
    _ index: FolderIndex, _ directory: String
  ) throws(ArchiveError) {
    let folder = ArchiveFolder(directory: directory, index: index)
    guard let stranger = try folder.strangeArchives().first else { return }
    throw ArchiveError(
      .foreign, "\(directory)/\(stranger) is not in the folder's index, and nothing is written",
      hint: "restore index.json from a copy, or move that directory away")
  }

  /// Refuses what no dump of several tables leaves behind.
  private static func check(_ storage: LocalStorage) throws(ArchiveError) {
    let names: [String]
    do throws(ArchiveError) { names = try storage.entries().map(\.name) } catch {
      var error = error
      if error.code == .missing {
        error.message = "there is no dump to go on with at \(storage.directory)"
        error.hint = "check the path, or begin a dump without --resume"
      }
      throw error
    }
    let own = [FolderIndex.fileName, FolderIndex.archives, draft]
    guard let other = names.sorted().first(where: { !own.contains($0) }) else { return }
    let isArchive = [ArchiveNames.sums, ArchiveNames.journal].contains(where: names.contains)
    throw ArchiveError(
      isArchive ? .notAnArchive : .foreign,
      isArchive
        ? "\(storage.directory) is an archive of one table, and no folder of archives"
        : "\(other) is nothing that a dump of several tables leaves behind, and \(storage.directory) is left alone",
      hint: isArchive
        ? "name its table to go on with it, or another directory"
        : "find out who put it there, and move it away")
  }

  /// A file that is locked: the index, or the draft of the first one.
  private struct Held: ~Copyable {
    let file: Descriptor
    let isIndex: Bool
  }

  /// Locks the index; where there is none, the draft of the first one.
  private static func lock(
    _ root: borrowing Descriptor, _ directory: String
  ) throws(ArchiveError) -> Held {
    while true {
      let name = FolderIndex.fileName
      let number = openat(root.number, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
      if number >= 0 || errno != ENOENT {
        let file = try Descriptor(number, "open the file", file: name)
        try hold(file, directory)
        if try isCurrent(file, name, root) { return Held(file: file, isIndex: true) }
      } else {
        let file = try openDraft(root)
        try hold(file, directory)
        let isFirst = faccessat(root.number, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0
        if isFirst, try isCurrent(file, draft, root) { return Held(file: file, isIndex: false) }
      }
    }
  }

  private static func hold(
    _ file: borrowing Descriptor, _ directory: String
  ) throws(ArchiveError) {
    do throws(ArchiveError) { try file.lock(file: FolderIndex.fileName) } catch {
      guard error.code == .locked else { throw error }
      throw ArchiveError(
        .locked, "another process is dumping into \(directory)",
        hint: "wait until it has ended; dynarc info \(directory) tells how far it is")
    }
  }

  /// Whether a file still stands under its name: it may have been replaced before it was locked.
  private static func isCurrent(
    _ file: borrowing Descriptor, _ name: String, _ root: borrowing Descriptor
  ) throws(ArchiveError) -> Bool {
    let mine = try file.status(file: name)
    guard mine.st_mode & S_IFMT == S_IFREG else {
      throw ArchiveError(.damaged, "it is not a regular file", file: name)
    }
    var there = stat()
    return fstatat(root.number, name, &there, AT_SYMLINK_NOFOLLOW) == 0
      && mine.st_ino == there.st_ino && mine.st_dev == there.st_dev
  }

  // MARK: Writing

  private static func openDraft(_ root: borrowing Descriptor) throws(ArchiveError) -> Descriptor {
    try Descriptor(
      openat(root.number, draft, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o600),
      "create the file", file: draft)
  }

  /// Puts an index in the place of what is there, whole or not at all.
  ///
  /// - Parameter file: the draft, locked. What a crash has left in it goes.
  /// - Returns: the same file, which is the index now.
  private static func publish(
    _ index: FolderIndex, _ file: consuming Descriptor, _ root: borrowing Descriptor
  ) throws(ArchiveError) -> Descriptor {
    let bytes = index.serialized
    guard bytes.count <= FolderIndex.sizeLimit, index.tables.count <= FolderIndex.tableLimit else {
      throw ArchiveError(
        .unsupported, "so many tables are too many for one folder",
        hint: "dump them in parts, by patterns")
    }
    guard ftruncate(file.number, 0) == 0 else { throw .system(errno, "cut the file", file: draft) }
    try file.write(bytes.span.bytes, file: draft)
    try file.sync(file: draft)
    guard renameat(root.number, draft, root.number, FolderIndex.fileName) == 0 else {
      throw .system(errno, "put the file under its name", file: FolderIndex.fileName)
    }
    try root.syncDirectory(file: FolderIndex.fileName)
    return file
  }
}
