internal import Digest

/// Reads a chunk's file and gives out its content: one zstd frame, hashed on both sides, bounded by
/// what its row declares.
struct FrameReader: ~Copyable, Sendable {
  /// What is read from the file at a time.
  private static let inputBytes = 128 << 10

  /// Which of a chunk's digests are checked.
  enum Digests {
    case all, stored, content, none

    var hasStored: Bool { self == .all || self == .stored }
    var hasContent: Bool { self == .all || self == .content }
  }

  let row: ChunkRow
  /// Bytes of content given out.
  private(set) var produced = 0
  /// Whether the frame and the file have ended and everything held.
  private(set) var isFinished = false

  private let file: any StorageReader
  private let input: RawBuffer
  /// The part of `input` not yet decompressed.
  private var pending = 0..<0
  private var stored = 0
  private var isFrameComplete = false
  private var decompressor: ZstdDecompressor
  private let digests: Digests
  private var contentHash: SHA256
  private var storedHash: SHA256

  init(
    _ file: any StorageReader, _ row: ChunkRow, digests: Digests = .all
  ) throws(ArchiveError) {
    guard file.size == row.storedBytes else {
      throw ArchiveError(
        .damaged, "the file has \(file.size) bytes, not \(row.storedBytes)", file: row.name)
    }
    decompressor = try ZstdDecompressor()
    input = RawBuffer(byteCount: FrameReader.inputBytes)
    contentHash = SHA256()
    storedHash = SHA256()
    self.file = file
    self.row = row
    self.digests = digests
  }

  /// Decompresses on.
  ///
  /// - Returns: how much of `target` is filled; less than all of it only at the end.
  mutating func read(into target: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
    guard !isFinished else { return 0 }
    var filled = 0
    while filled < target.count {
      if pending.isEmpty { try readInput() }
      if isFinished { break }
      // One byte beyond what is declared would be given out, so that it is noticed, and no more.
      let declared = row.contentBytes - produced
      let room = declared < target.count - filled ? declared + 1 : target.count - filled
      let space = UnsafeMutableRawBufferPointer(rebasing: target[filled..<filled + room])
      let step: ZstdDecompressor.Step
      do throws(ArchiveError) {
        step = try decompressor.step(
          UnsafeRawBufferPointer(rebasing: input.bytes[pending]), into: space)
      } catch {
        throw fault(error.message)
      }
      pending = pending.lowerBound + step.consumed..<pending.upperBound
      filled += step.produced
      produced += step.produced
      guard produced <= row.contentBytes else {
        throw fault("the content is larger than the \(row.contentBytes) bytes declared")
      }
      isFrameComplete = step.isComplete
      guard !isFrameComplete || pending.isEmpty else { throw trailingBytes }
    }
    if digests.hasContent {
      contentHash.update(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: target[..<filled])))
    }
    if isFinished { try checkContent() }
    return filled
  }

  /// Reads on in the file; at its end, checks what can be known of it.
  private mutating func readInput() throws(ArchiveError) {
    let isStart = stored == 0
    var count = 0
    // A header needs 18 bytes at once; a storage may hand out fewer at a time.
    repeat {
      let read = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: input.bytes[count...]))
      if read == 0 { break }
      count += read
    } while isStart && count < 18
    let bytes = UnsafeRawBufferPointer(rebasing: input.bytes[..<count])
    if digests.hasStored { storedHash.update(RawSpan(_unsafeBytes: bytes)) }
    stored += count
    guard stored <= row.storedBytes else { throw fault("the file grew while it was read") }
    pending = 0..<count
    if isStart, let what = ZstdDecompressor.headerFault(bytes, contentBytes: row.contentBytes) {
      throw fault(what)
    }
    if count == 0 {
      guard isFrameComplete else { throw fault("the file ends inside its zstd frame") }
      isFinished = true
    } else if isFrameComplete {
      throw trailingBytes
    }
  }

  private var trailingBytes: ArchiveError { fault("there are bytes behind the zstd frame") }

  private mutating func checkContent() throws(ArchiveError) {
    guard produced == row.contentBytes else {
      throw fault("the content has \(produced) bytes, not the \(row.contentBytes) declared")
    }
    guard !digests.hasStored || storedHash.finish() == row.sha256 else {
      throw fault("the file's SHA-256 is not the one in the manifest")
    }
    guard !digests.hasContent || contentHash.finish() == row.contentSHA256 else {
      throw fault("the content's SHA-256 is not the one in the manifest")
    }
  }

  /// Says, behind a failure, whether the file is still the one that was written: read to its end
  /// and hashed, it tells a damaged disk from a faulty writer. Of no use for reading any more.
  mutating func isFileIntact() -> Bool {
    // Whoever leaves the stored bytes unhashed knows of them already.
    guard digests.hasStored else { return true }
    do throws(ArchiveError) {
      while stored <= row.storedBytes {
        let read = try file.read(into: input.bytes)
        if read == 0 { break }
        storedHash.update(
          RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: input.bytes[..<read])))
        stored += read
      }
    } catch { return false }
    return storedHash.finish() == row.sha256
  }

  private func fault(_ what: String) -> ArchiveError {
    ArchiveError(.damaged, what, file: row.name, offset: produced)
  }
}
