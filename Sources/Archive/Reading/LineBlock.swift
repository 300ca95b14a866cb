/// One line of a block.
public struct Line: Sendable, Equatable {
  /// The item's object, in the block's `bytes`.
  public var item: Range<Int>
  /// The whole line without its line feed, in the block's `bytes`.
  public var line: Range<Int>
  /// Where the line starts in the chunk's content.
  public var contentOffset: Int
  /// The canonical form of the item's key (`CanonicalKey`), in the block's `keyBytes`; empty in an
  /// archive without keys.
  public var key: Range<Int>
}

/// A run of complete, validated lines. `ChunkReader` fills the same one again and again.
public struct LineBlock: Sendable {
  /// A buffer of which only `content` means anything.
  public internal(set) var bytes: [UInt8] = []
  /// The run of lines in `bytes`, line feeds included.
  public internal(set) var content: Range<Int> = 0..<0
  public internal(set) var lines: [Line] = []
  public internal(set) var keyBytes: [UInt8] = []
  /// In an archive of kind `changes`, one for each line; empty in a snapshot.
  public internal(set) var changes: [LineChange] = []
}
