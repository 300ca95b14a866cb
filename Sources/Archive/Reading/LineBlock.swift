internal import Glibc

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

  public init() {}
}

extension LineBlock {
  /// Finds the whole lines of a snapshot in the first bytes, without looking into them.
  ///
  /// - Parameters:
  ///   - filled: how many bytes mean anything.
  ///   - base: where they stand in the content.
  /// - Returns: the offset of a line that has not the shape of one; nil where all have.
  mutating func cutLines(filled: Int, base: Int) -> Int? {
    // A second reference, not a copy: reading the bytes may not overlap with writing other members.
    let bytes = bytes
    return bytes.withUnsafeBytes { buffer in
      var start = 0
      while start < filled, let first = buffer.baseAddress,
        let found = memchr(first + start, 0x0A, filled - start)
      {
        let end = UnsafeRawPointer(found) - first
        guard end - start >= LineFormat.overhead + 1,
          buffer.loadUnaligned(fromByteOffset: start, as: UInt64.self) == LineFormat.prefixWord,
          buffer[end - 1] == UInt8(ascii: "}")
        else { return start }
        lines.append(
          Line(
            item: start + 8..<end - 1, line: start..<end, contentOffset: base + start, key: 0..<0))
        start = end + 1
      }
      content = 0..<start
      return nil
    }
  }
}
