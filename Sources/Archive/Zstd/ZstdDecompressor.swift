internal import CZstd

/// Decompresses one zstd frame (RFC 8878), no more, within bounded memory.
struct ZstdDecompressor: ~Copyable, @unchecked Sendable {
  // A context may move between threads as long as one at a time uses it, and this value cannot be
  // copied.
  private let context: OpaquePointer

  /// The largest window a frame may ask for, as a power of two: 128 MiB, zstd's own bound.
  static let windowLogLimit: Int32 = 27

  init() throws(ArchiveError) {
    guard let context = ZSTD_createDCtx() else {
      throw ArchiveError(.io, "there is no memory for a decompressor")
    }
    let code = ZSTD_DCtx_setParameter(
      context, ZSTD_d_windowLogMax, ZstdDecompressor.windowLogLimit)
    guard ZSTD_isError(code) == 0 else {
      ZSTD_freeDCtx(context)
      throw ArchiveError(.io, "zstd refuses its window limit: \(ZstdDecompressor.name(code))")
    }
    self.context = context
  }

  deinit { ZSTD_freeDCtx(context) }

  /// What is wrong with a frame's header, read from the file's first bytes; nil when nothing is.
  ///
  /// - Parameters:
  ///   - head: at least the first 18 bytes of the file, or the whole of it.
  ///   - contentBytes: the declared size of the content.
  static func headerFault(_ head: UnsafeRawBufferPointer, contentBytes: Int) -> String? {
    var header = ZSTD_frameHeader()
    let code = ZSTD_getFrameHeader(&header, head.baseAddress, head.count)
    guard ZSTD_isError(code) == 0 else { return "it does not start with a zstd frame" }
    guard code == 0 else { return "it ends inside the header of its zstd frame" }
    guard header.frameType == ZSTD_frame else { return "it starts with a skippable frame" }
    guard header.windowSize <= 1 << windowLogLimit else {
      return "its frame asks for a window of \(header.windowSize) bytes"
    }
    guard header.checksumFlag == 1 else { return "its frame has no checksum" }
    guard header.dictID == 0 else { return "its frame asks for a dictionary" }
    guard
      header.frameContentSize == UInt64.max
        || header.frameContentSize == UInt64(exactly: contentBytes)
    else { return "its frame holds \(header.frameContentSize) bytes, not \(contentBytes)" }
    return nil
  }

  /// What one step did.
  struct Step {
    /// Bytes of the input taken in.
    var consumed: Int
    /// Bytes of the output filled.
    var produced: Int
    /// Whether the frame is complete and its checksum held.
    var isComplete: Bool
  }

  /// Takes in some input and gives out what is ready.
  ///
  /// - Throws: `ArchiveError` of code `damaged`, without a file.
  mutating func step(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(ArchiveError) -> Step {
    var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
    var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
    let left = ZSTD_decompressStream(context, &target, &source)
    guard ZSTD_isError(left) == 0 else {
      throw ArchiveError(
        .damaged, "the zstd frame does not decompress: \(ZstdDecompressor.name(left))")
    }
    return Step(consumed: source.pos, produced: target.pos, isComplete: left == 0)
  }

  private static func name(_ code: Int) -> String { String(cString: ZSTD_getErrorName(code)) }
}
