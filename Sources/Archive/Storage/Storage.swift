/// Where an archive lives, as a reader needs it.
///
/// Names are relative and use `/`: `manifest.json`, `data/00000-000000.ndjson.zst`. They are
/// dynarc's own, never taken from a manifest unchecked.
public protocol ReadableStorage: Sendable {
  /// What people call the place, for messages.
  var location: String { get }

  /// Everything there: the top level and what stands in `data/`. Links are listed, not followed.
  ///
  /// - Throws: `ArchiveError`; code `missing` where there is no such place.
  func entries() throws(ArchiveError) -> [StorageEntry]

  /// Opens a file for one sequential reading.
  ///
  /// - Throws: `ArchiveError`; code `missing` where there is no such file, `damaged` where it is no
  ///   regular file.
  func open(_ name: String) throws(ArchiveError) -> any StorageReader
}

/// One thing in a storage.
public struct StorageEntry: Sendable, Hashable {
  /// What it is; a symbolic link is `other`.
  public enum Kind: Sendable { case file, directory, other }

  public var name: String
  public var kind: Kind
  /// Bytes, for files.
  public var size: Int

  public init(name: String, kind: Kind, size: Int) {
    self.name = name
    self.kind = kind
    self.size = size
  }
}

/// One file, read from its start to its end. Closed when the last reference goes.
public protocol StorageReader: AnyObject, Sendable {
  /// Bytes of the file when it was opened.
  var size: Int { get }
  /// Reads on.
  ///
  /// - Returns: how many bytes were read, 0 only at the end of the file or for an empty buffer.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int
}

/// Where an archive can be written.
public protocol WritableStorage: ReadableStorage {
  /// Creates the place, empty.
  ///
  /// - Throws: `ArchiveError`; code `exists` where anything is there, even an empty directory.
  func prepare() throws(ArchiveError)

  /// Completes what a `prepare` that was cut short has left, in a place that is there.
  func repair() throws(ArchiveError)

  /// Starts a file, which nobody sees under its name before it is committed.
  func create(_ name: String) throws(ArchiveError) -> any StorageWriter

  /// Starts a file that grows by durable steps, visible from its first byte. It is locked for as
  /// long as its appender lives, and no longer than its process.
  ///
  /// - Throws: `ArchiveError`; code `exists` where there is such a file.
  func append(_ name: String) throws(ArchiveError) -> any StorageAppender

  /// Locks such a file again, to go on behind its end.
  ///
  /// - Throws: `ArchiveError`; code `missing` where there is none, `locked` where somebody else has
  ///   locked it.
  func resume(_ name: String) throws(ArchiveError) -> any StorageAppender

  /// Removes a file, durably.
  func remove(_ name: String) throws(ArchiveError)

  /// Removes the place, where there is nothing in it; the opposite of `prepare`.
  func removePlace() throws(ArchiveError)
}

/// A file being written. Dropped without a commit it is abandoned.
public protocol StorageWriter: AnyObject, Sendable {
  func write(_ bytes: RawSpan) throws(ArchiveError)
  /// Makes the file durable and puts it under its name, once.
  ///
  /// - Throws: `ArchiveError`; code `exists` where a file of that name stands: it is left alone.
  func commit() throws(ArchiveError)
  /// Removes what was written; does nothing behind a commit.
  func abandon()
}

/// A file that grows, locked against everybody else.
public protocol StorageAppender: AnyObject, Sendable {
  /// Appends bytes; they are durable when this returns.
  func append(_ bytes: RawSpan) throws(ArchiveError)
  /// Cuts off what is behind the first `size` bytes, durably.
  func truncate(to size: Int) throws(ArchiveError)
}

extension ArchiveError.Code {
  /// A file or place that should be there is not.
  public static let missing = Self(rawValue: "missing")
  /// Somebody else is writing there.
  public static let locked = Self(rawValue: "locked")
}

extension ReadableStorage {
  /// The whole of a small file.
  ///
  /// - Parameter limit: bytes; a larger file is `damaged`.
  func contents(_ name: String, limit: Int) throws(ArchiveError) -> [UInt8] {
    let file = try open(name)
    guard file.size <= limit else {
      throw ArchiveError(
        .damaged, "the file has \(file.size) bytes, more than the \(limit) allowed", file: name)
    }
    var bytes = [UInt8](repeating: 0, count: file.size)
    var filled = 0
    while filled < bytes.count {
      let read = try Self.read(file, into: &bytes, at: filled)
      guard read > 0 else {
        throw ArchiveError(.damaged, "the file shrank while it was read", file: name)
      }
      filled += read
    }
    return bytes
  }

  private static func read(
    _ file: any StorageReader, into bytes: inout [UInt8], at start: Int
  ) throws(ArchiveError) -> Int {
    var span = bytes.mutableSpan
    return try span.withUnsafeMutableBytes { (buffer) throws(ArchiveError) in
      try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[start...]))
    }
  }
}
