internal import CLinux
internal import Glibc
internal import Synchronization

/// A directory for what does not fit into memory.
final class ScratchSpace: Sendable {
  let directory: String
  private let written = Mutex(0)

  init(directory: String) { self.directory = directory }

  /// Bytes that have been written there.
  var bytesWritten: Int { written.withLock { $0 } }

  fileprivate func count(_ bytes: Int) { written.withLock { $0 += bytes } }
}

/// A file without a name: it is gone when its process is, however that ends. Appended to and read from
/// any thread.
final class TemporaryFile: Sendable {
  private let descriptor: Descriptor
  private let space: ScratchSpace
  private let end = Mutex(0)
  private var directory: String { space.directory }

  /// - Throws: `ArchiveError`.
  init(in space: ScratchSpace) throws(ArchiveError) {
    self.space = space
    let directory = space.directory
    let unnamed = dynarc_open_unnamed(directory)
    if unnamed >= 0 {
      descriptor = try Descriptor(unnamed, "create a temporary file", file: nil)
      return
    }
    guard errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL else {
      throw TemporaryFile.failure("create a temporary file", directory)
    }
    // A file system that has no unnamed files: one with a name for a moment.
    var random = SystemRandomNumberGenerator()
    let path = "\(directory)/.dynarc-\(String(random.next() as UInt64, radix: 36))"
    let named = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard named >= 0 else { throw TemporaryFile.failure("create a temporary file", directory) }
    descriptor = try Descriptor(named, "create a temporary file", file: nil)
    guard unlink(path) == 0 else { throw TemporaryFile.failure("unlink \(path)", directory) }
  }

  private static func failure(_ doing: String, _ directory: String) -> ArchiveError {
    var error = ArchiveError.system(errno, "\(doing) in \(directory)")
    error.hint = error.hint ?? "name another directory by TMPDIR"
    return error
  }

  /// Appends bytes.
  ///
  /// - Returns: where they stand.
  func append(_ bytes: RawSpan) throws(ArchiveError) -> Range<Int> {
    let count = bytes.byteCount
    let start = end.withLock { end in
      defer { end += count }
      return end
    }
    try bytes.withUnsafeBytes { (buffer) throws(ArchiveError) in
      var done = 0
      while done < count {
        let rest = UnsafeRawBufferPointer(rebasing: buffer[done...])
        let written = pwrite(descriptor.number, rest.baseAddress, rest.count, off_t(start + done))
        if written < 0, errno == EINTR { continue }
        guard written >= 0 else {
          throw TemporaryFile.failure("write a temporary file", directory)
        }
        done += written
      }
    }
    space.count(count)
    return start..<start + count
  }

  /// Reads bytes that were appended, as many as there is room for.
  func read(at start: Int, into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) {
    var done = 0
    while done < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let count = pread(descriptor.number, rest.baseAddress, rest.count, off_t(start + done))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        if count == 0 { throw ArchiveError(.io, "a temporary file in \(directory) was cut") }
        throw TemporaryFile.failure("read a temporary file", directory)
      }
      done += count
    }
  }
}
