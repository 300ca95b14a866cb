internal import CLinux
internal import Glibc
internal import Synchronization

/// A regular file being read.
final class LocalReader: StorageReader {
  let size: Int
  private let descriptor: Descriptor
  private let name: String

  init(_ place: borrowing Place, _ name: String) throws(ArchiveError) {
    // Without O_NONBLOCK, a pipe in the place of a file would hold the open for ever.
    let number = openat(
      place.directory.number, place.leaf, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    if number < 0, errno == ELOOP {
      throw ArchiveError(.damaged, "it is a symbolic link, not a regular file", file: name)
    }
    descriptor = try Descriptor(number, "open the file", file: name)
    self.name = name
    let status = try descriptor.status(file: name)
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw ArchiveError(.damaged, "it is not a regular file", file: name)
    }
    size = Int(status.st_size)
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
    while true {
      let count = Glibc.read(descriptor.number, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      if errno != EINTR { throw .system(errno, "read", file: name) }
    }
  }
}

/// A file under a temporary name, until it is committed.
final class LocalWriter: StorageWriter {
  /// The open file; nil once it is committed or abandoned.
  private let file: Mutex<Descriptor?>
  private let place: Place
  private let name: String

  init(_ place: consuming Place, _ name: String) throws(ArchiveError) {
    let number = openat(
      place.directory.number, place.temporaryLeaf,
      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    file = Mutex(try Descriptor(number, "create the file", file: name))
    self.place = place
    self.name = name
  }

  deinit { abandon() }

  func write(_ bytes: RawSpan) throws(ArchiveError) {
    try file.withLock { (descriptor) throws(ArchiveError) in
      switch descriptor {
      case .some(let open): try open.write(bytes, file: name)
      case .none: throw closed
      }
    }
  }

  func commit() throws(ArchiveError) {
    guard let open = file.withLock({ $0.take() }) else { throw closed }
    do throws(ArchiveError) {
      try open.sync(file: name)
      try open.close(file: name)
      try rename()
    } catch {
      unlinkTemporary()
      throw error
    }
    try place.directory.syncDirectory(file: name)
  }

  func abandon() {
    let open = file.withLock { $0.take() }
    if open != nil { unlinkTemporary() }
  }

  private var closed: ArchiveError {
    ArchiveError(.io, "the file has been committed or abandoned before", file: name)
  }

  private func unlinkTemporary() {
    // What is left over cannot be taken for a file of the archive, so a failure is no more.
    _ = unlinkat(place.directory.number, place.temporaryLeaf, 0)
  }

  /// Puts the file under its name unless something stands there.
  private func rename() throws(ArchiveError) {
    let directory = place.directory.number
    let temporary = place.temporaryLeaf
    if dynarc_rename_exclusively(directory, temporary, place.leaf) == 0 { return }
    // Some network file systems have no such rename; a hard link does not replace either.
    guard errno == EINVAL || errno == ENOSYS else {
      throw .system(errno, "put the file under its name", file: name)
    }
    guard linkat(directory, temporary, directory, place.leaf, 0) == 0 else {
      throw .system(errno, "put the file under its name", file: name)
    }
    unlinkTemporary()
  }
}

/// A file that grows by durable steps, locked by flock(2) while it is open.
final class LocalAppender: StorageAppender {
  private let descriptor: Descriptor
  private let name: String

  convenience init(creating place: borrowing Place, _ name: String) throws(ArchiveError) {
    try self.init(place, name, flags: O_CREAT | O_EXCL, "create the file")
    try place.directory.syncDirectory(file: name)
  }

  convenience init(resuming place: borrowing Place, _ name: String) throws(ArchiveError) {
    // Without O_NONBLOCK, a pipe in the place of the file would hold the open for ever.
    try self.init(place, name, flags: O_NONBLOCK, "open the file")
  }

  private init(
    _ place: borrowing Place, _ name: String, flags: Int32, _ doing: String
  ) throws(ArchiveError) {
    let number = openat(
      place.directory.number, place.leaf,
      O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC | flags, 0o600)
    descriptor = try Descriptor(number, doing, file: name)
    self.name = name
    try descriptor.lock(file: name)
    let status = try descriptor.status(file: name)
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw ArchiveError(.damaged, "it is not a regular file", file: name)
    }
    // Whoever held the lock may have removed the file before letting go of it.
    guard status.st_nlink > 0 else { throw .system(ENOENT, doing, file: name) }
  }

  // A process that is being forked shares the lock until it executes another program; closing the
  // descriptor here would not end it there.
  deinit { descriptor.unlock() }

  func append(_ bytes: RawSpan) throws(ArchiveError) {
    try descriptor.write(bytes, file: name)
    try descriptor.sync(file: name)
  }

  func truncate(to size: Int) throws(ArchiveError) {
    guard ftruncate(descriptor.number, size) == 0 else {
      throw .system(errno, "cut the file", file: name)
    }
    try descriptor.sync(file: name)
  }
}
