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
