import Glibc

/// The lines of a load's own files, the state and the rejected items: each is durable when `append`
/// returns, and stands there whole or not at all.
///
/// It works on a descriptor that belongs to somebody else, and answers with what `errno` was; 0 is
/// success.
enum LineFile {
  private static let block = 64 << 10

  /// Appends a line and waits for the disk. What a failure, such as a full disk, has left of it is
  /// cut off again, or the next line would be glued to it.
  static func append(_ line: [UInt8], to descriptor: Int32) -> Int32 {
    let start = lseek(descriptor, 0, SEEK_END)
    guard start >= 0 else { return errno }
    let problem = write(line, to: descriptor)
    if problem != 0 { _ = ftruncate(descriptor, start) }
    return problem
  }

  /// Cuts off what a crash has left of a last line.
  static func cutTornLine(_ descriptor: Int32) -> Int32 {
    var end = lseek(descriptor, 0, SEEK_END)
    guard end >= 0 else { return errno }
    var bytes = [UInt8](repeating: 0, count: block)
    while end > 0 {
      let start = max(end - block, 0)
      let count = pread(descriptor, &bytes, end - start, start)
      if count < 0, errno == EINTR { continue }
      guard count == end - start else { return count < 0 ? errno : EIO }
      if let newline = bytes[..<count].lastIndex(of: 0x0A) {
        end = start + newline + 1
        break
      }
      end = start
    }
    return ftruncate(descriptor, end) == 0 ? 0 : errno
  }

  private static func write(_ line: [UInt8], to descriptor: Int32) -> Int32 {
    var start = 0
    while start < line.count {
      let count = line.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress.map { $0 + start }, line.count - start)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { return errno }
      start += count
    }
    return fdatasync(descriptor) == 0 ? 0 : errno
  }
}
