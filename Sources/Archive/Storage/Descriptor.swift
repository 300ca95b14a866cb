internal import Glibc

/// An open file descriptor, closed with its owner.
struct Descriptor: ~Copyable, Sendable {
  let number: Int32

  /// Takes what `open` and the like returned; `number` is negative on failure.
  ///
  /// - Throws: `ArchiveError` from `errno`.
  init(_ number: Int32, _ doing: String, file: String?) throws(ArchiveError) {
    guard number >= 0 else { throw .system(errno, doing, file: file) }
    self.number = number
  }

  deinit { _ = Glibc.close(number) }

  /// Closes it now, for those who must know whether that went well.
  consuming func close(file: String) throws(ArchiveError) {
    let number = number
    discard self
    guard Glibc.close(number) == 0 else { throw .system(errno, "close the file", file: file) }
  }

  /// Writes all the bytes.
  borrowing func write(_ bytes: RawSpan, file: String) throws(ArchiveError) {
    try bytes.withUnsafeBytes { (buffer) throws(ArchiveError) in
      var rest = buffer[...]
      while !rest.isEmpty {
        let written = Glibc.write(
          number, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if written < 0 {
          if errno == EINTR { continue }
          throw ArchiveError.system(errno, "write", file: file)
        }
        rest = rest.dropFirst(written)
      }
    }
  }

  /// What the system says of the file.
  borrowing func status(file: String) throws(ArchiveError) -> stat {
    var status = stat()
    guard fstat(number, &status) == 0 else { throw .system(errno, "look at the file", file: file) }
    return status
  }

  /// Locks the file against other descriptors until this one is closed or its process ends.
  ///
  /// - Throws: `ArchiveError`; code `locked` where another has locked it.
  borrowing func lock(file: String) throws(ArchiveError) {
    while flock(number, LOCK_EX | LOCK_NB) != 0 {
      if errno == EINTR { continue }
      guard errno == EWOULDBLOCK else { throw .system(errno, "lock the file", file: file) }
      throw ArchiveError(
        .locked, "another process is writing this archive", file: file,
        hint: "wait until it has ended; dynarc info tells how far it is")
    }
  }

  /// Gives a lock back that the file may have.
  borrowing func unlock() { _ = flock(number, LOCK_UN) }

  /// Makes what was written durable.
  borrowing func sync(file: String) throws(ArchiveError) {
    guard fsync(number) == 0 else { throw .system(errno, "make the file durable", file: file) }
  }

  /// Makes a directory's entries durable, where its file system knows how.
  borrowing func syncDirectory(file: String) throws(ArchiveError) {
    // Some network file systems answer EINVAL: they keep no entries back.
    if fsync(number) != 0, errno != EINVAL {
      throw .system(errno, "make the directory durable", file: file)
    }
  }
}
