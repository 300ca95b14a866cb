/// The format's bounds on what an archive may hold.
public enum ArchiveLimits {
  /// The longest line, its line feed included: 8 MiB. An item of 400 KB can be 3 MB of JSON.
  public static let lineBytes = 8 << 20
}

/// When a chunk is full: whichever comes first.
public struct ChunkLimits: Sendable, Equatable {
  /// Bytes of lines.
  public var contentBytes: Int
  /// Bytes of the compressed file.
  public var storedBytes: Int

  /// 32 MiB of lines, 16 MiB compressed.
  public static let standard = ChunkLimits(contentBytes: 32 << 20, storedBytes: 16 << 20)

  public init(contentBytes: Int, storedBytes: Int) {
    self.contentBytes = contentBytes
    self.storedBytes = storedBytes
  }
}

/// A chunk that is written but stands under no name yet; dropped, it is gone.
public struct FinishedChunk: Sendable {
  public let row: ChunkRow
  /// Bytes of the largest item in it.
  public let largestItemBytes: Int
  let lastEvaluatedKey: [UInt8]?
  let file: any StorageWriter
}
