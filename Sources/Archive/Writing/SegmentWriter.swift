internal import Digest
internal import JSON

/// Writes one segment's items into chunk after chunk.
///
/// One task owns it. Appending copies an item's bytes into a staging buffer and, whenever that is
/// full, hashes it, compresses it and writes what comes out; nothing is allocated for an item.
public struct SegmentWriter: ~Copyable, Sendable {
  /// What is handed to the compressor at a time.
  private static let stagingBytes = 16 << 10
  /// What is taken from the compressor at a time: room for a whole block, into which zstd then writes
  /// without touching a buffer of its own. It is borrowed while a segment drains, so that 64 segments
  /// that take turns on two threads need two of them.
  private static let outputBytes = ZstdCompressor.blockBound

  /// The segment, counted from 0.
  public let number: Int
  /// Items in the chunk so far.
  public private(set) var items = 0
  /// Bytes of lines in the chunk so far.
  public var contentBytes: Int { drained + filled }
  /// Bytes of the chunk's file so far; the compressor holds some more.
  public private(set) var storedBytes = 0

  /// Whether the chunk should end with the page that is being appended.
  public var isChunkFull: Bool {
    contentBytes >= limits.contentBytes || storedBytes >= limits.storedBytes
  }

  private let storage: any WritableStorage
  private let limits: ChunkLimits
  private var chunk: Int
  private var file: (any StorageWriter)?
  private var largestItem = 0
  /// Bytes of lines that have left the staging buffer.
  private var drained = 0
  /// Bytes of lines in the staging buffer.
  private var filled = 0
  private let staging = RawBuffer(byteCount: SegmentWriter.stagingBytes)
  private var compacted: [UInt8] = []
  private var compressor: ZstdCompressor
  private var contentHash = SHA256()
  private var storedHash = SHA256()

  init(
    number: Int, chunk: Int, storage: any WritableStorage, level: Int, memory: Int,
    limits: ChunkLimits
  ) throws(ArchiveError) {
    self.number = number
    self.chunk = chunk
    self.storage = storage
    self.limits = limits
    compressor = try ZstdCompressor(level: level, memory: memory)
  }

  /// Appends an item of a page as a line.
  ///
  /// - Throws: `ArchiveError`: code `badPage` for an item that is longer than a line may be,
  ///   otherwise what the storage throws. The writer is of no use behind an error.
  public mutating func append(
    _ page: Span<UInt8>, _ item: PageCutter.Item
  ) throws(ArchiveError) {
    if item.hasLineBreak {
      compacted.removeAll(keepingCapacity: true)
      JSONText.compact(page.extracting(item.range), into: &compacted)
      // A copy of the reference, since appending may not overlap with reading a member.
      let line = compacted
      try append(item: line.span.bytes)
    } else {
      try append(item: page.extracting(item.range).bytes)
    }
  }

  /// Appends a line of any kind as it is, its line feed included.
  ///
  /// - Parameter largestItem: bytes of the largest item on it.
  mutating func append(line: [UInt8], largestItem size: Int) throws(ArchiveError) {
    guard line.count <= ArchiveLimits.lineBytes else {
      throw ArchiveError(
        .badPage, "a line has \(line.count) bytes, more than an archive's line can hold")
    }
    if file == nil { file = try storage.create(ChunkID(segment: number, number: chunk).name) }
    try line.span.bytes.withUnsafeBytes { (bytes) throws(ArchiveError) in try put(bytes) }
    items += 1
    if size > largestItem { largestItem = size }
  }

  private mutating func append(item: RawSpan) throws(ArchiveError) {
    let size = item.byteCount
    guard size <= ArchiveLimits.lineBytes - LineFormat.overhead else {
      throw ArchiveError(
        .badPage, "an item has \(size) bytes of JSON, more than an archive's line can hold")
    }
    if file == nil { file = try storage.create(ChunkID(segment: number, number: chunk).name) }
    try item.withUnsafeBytes { (bytes) throws(ArchiveError) in
      if filled + size + LineFormat.overhead <= staging.bytes.count {
        let target = staging.bytes.baseAddress.unsafelyUnwrapped + filled
        target.storeBytes(of: LineFormat.prefixWord, as: UInt64.self)
        (target + 8).copyMemory(
          from: bytes.baseAddress.unsafelyUnwrapped, byteCount: size)
        (target + 8 + size).storeBytes(of: LineFormat.suffixWord, as: UInt16.self)
        filled += size + LineFormat.overhead
      } else {
        try withUnsafeBytes(of: LineFormat.prefixWord) { (prefix) throws(ArchiveError) in
          try put(prefix)
        }
        try put(bytes)
        try withUnsafeBytes(of: LineFormat.suffixWord) { (suffix) throws(ArchiveError) in
          try put(suffix)
        }
      }
    }
    items += 1
    if size > largestItem { largestItem = size }
  }

  /// Leaves the next chunk to somebody who writes it in another way; between chunks only.
  mutating func skipChunk() -> ChunkID {
    precondition(file == nil, "a chunk is being written")
    defer { chunk += 1 }
    return ChunkID(segment: number, number: chunk)
  }

  /// Copies bytes into the staging buffer, draining it whenever it is full.
  private mutating func put(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      if filled == staging.bytes.count { try drain(end: false) }
      let part = rest.prefix(staging.bytes.count - filled)
      UnsafeMutableRawBufferPointer(rebasing: staging.bytes[filled...])
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: part))
      filled += part.count
      rest = rest.dropFirst(part.count)
    }
  }

  /// Hashes, compresses and writes what is staged.
  ///
  /// - Parameter end: whether the frame ends here.
  private mutating func drain(end: Bool) throws(ArchiveError) {
    guard let file else { return }
    let staged = UnsafeRawBufferPointer(rebasing: staging.bytes[..<filled])
    contentHash.update(RawSpan(_unsafeBytes: staged))
    let output = RawBuffer(byteCount: SegmentWriter.outputBytes)
    var rest = staged
    while true {
      let step = try compressor.step(rest, into: output.bytes, end: end)
      if step.produced > 0 {
        let bytes = RawSpan(
          _unsafeBytes: UnsafeRawBufferPointer(rebasing: output.bytes[..<step.produced]))
        storedHash.update(bytes)
        try file.write(bytes)
        storedBytes += step.produced
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[step.consumed...])
      if end ? !step.hasMore : rest.isEmpty { break }
    }
    drained += filled
    filled = 0
  }

  /// Ends the chunk, if any items were appended since the last one ended.
  ///
  /// - Parameter lastEvaluatedKey: the JSON of where the segment goes on; nil behind its end.
  /// - Returns: the chunk, for `ArchiveWriter.commit`; nil where there is nothing to end.
  public mutating func finishChunk(
    lastEvaluatedKey: [UInt8]?
  ) throws(ArchiveError) -> FinishedChunk? {
    guard let file else { return nil }
    try drain(end: true)
    let finished = FinishedChunk(
      row: ChunkRow(
        id: ChunkID(segment: number, number: chunk), items: items, contentBytes: drained,
        storedBytes: storedBytes, sha256: storedHash.finish(), contentSHA256: contentHash.finish()),
      largestItemBytes: largestItem, lastEvaluatedKey: lastEvaluatedKey, file: file)
    self.file = nil
    chunk += 1
    items = 0
    largestItem = 0
    drained = 0
    storedBytes = 0
    return finished
  }
}
