/// What went wrong with an archive, an item in it, or the storage that holds it.
public struct ArchiveError: Error, Sendable, Equatable {
  /// The kind of failure. More may come; switch with a `default`.
  public struct Code: RawRepresentable, Hashable, Sendable {
    /// A stable word, the same in `--json` output.
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Nothing there, or something that is no archive.
    public static let notAnArchive = Code(rawValue: "not-an-archive")
    /// A dump that has not been committed: no SHA256SUMS.
    public static let unfinished = Code(rawValue: "unfinished")
    /// There is something already where an archive should be created.
    public static let exists = Code(rawValue: "exists")
    /// The archive contradicts itself: digests, sizes, counts, grammar.
    public static let damaged = Code(rawValue: "damaged")
    /// A format version or a required feature that this dynarc does not know.
    public static let unsupported = Code(rawValue: "unsupported")
    /// The operating system refused; `errno` says why.
    public static let io = Code(rawValue: "io")
    /// A page or an item as the service sent it does not hold to JSON or to the API.
    public static let badPage = Code(rawValue: "bad-page")
  }

  /// The kind of failure.
  public var code: Code
  /// What happened, in one sentence without a full stop.
  public var message: String
  /// The file, relative to the archive, where one is concerned.
  public var file: String?
  /// Offset in bytes: into the decompressed content for a chunk, into the file for others.
  public var offset: Int?
  /// What to do next.
  public var hint: String?
  /// The operating system's error number behind an `io` failure.
  public var errno: Int32?

  /// Creates an error.
  public init(
    _ code: Code, _ message: String, file: String? = nil, offset: Int? = nil, hint: String? = nil,
    errno: Int32? = nil
  ) {
    self.code = code
    self.message = message
    self.file = file
    self.offset = offset
    self.hint = hint
    self.errno = errno
  }
}

extension ArchiveError: CustomStringConvertible {
  /// `data/00000-000000.ndjson.zst: byte 120: what happened`
  public var description: String {
    var text = ""
    if let file { text += "\(file): " }
    if let offset { text += "byte \(offset): " }
    return text + message
  }
}
