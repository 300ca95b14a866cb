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

/// How chunks are compressed.
public struct Compression: Sendable, Equatable {
  /// What the compressors of all segments in flight take together, in bytes. A segment's takes
  /// 1.7 MB at level 3 where there is room for that, and 1.2 MB where there is not.
  public static let memoryForAll = 64 << 20

  /// The level of zstd, 1 to 19.
  public var level: Int
  /// Bytes that a segment's compressor should take at most.
  public var memory: Int

  /// - Parameter segmentsInFlight: segments that are written at the same time.
  public init(level: Int, segmentsInFlight: Int = 1) {
    self.level = level
    memory = Compression.memoryForAll / max(1, segmentsInFlight)
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
