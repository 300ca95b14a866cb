internal import CZstd

/// One zstd compression context, used frame after frame (RFC 8878; zstd 1.4 or later).
struct ZstdCompressor: ~Copyable, @unchecked Sendable {
  // A context may move between threads as long as one at a time uses it, and this value cannot be
  // copied.
  private let context: OpaquePointer

  /// Frames carry a checksum and no dictionary, and are compressed on the calling thread.
  ///
  /// - Parameter level: 1 to 19.
  init(level: Int) throws(ArchiveError) {
    guard (1...19).contains(level) else {
      throw ArchiveError(.unsupported, "the zstd level \(level) is not within 1 to 19")
    }
    guard let context = ZSTD_createCCtx() else {
      throw ArchiveError(.io, "there is no memory for a compressor")
    }
    do throws(ArchiveError) {
      try check(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level)))
      try check(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1))
    } catch {
      ZSTD_freeCCtx(context)
      throw error
    }
    self.context = context
  }

  deinit { ZSTD_freeCCtx(context) }

  /// What one step did.
  struct Step {
    /// Bytes of the input taken in.
    var consumed: Int
    /// Bytes of the output filled.
    var produced: Int
    /// At the end of a frame: whether more output is waiting.
    var hasMore: Bool
  }

  /// Takes in some input and gives out what is ready.
  ///
  /// - Parameter end: whether the input ends the frame; then call until `hasMore` is false.
  mutating func step(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, end: Bool
  ) throws(ArchiveError) -> Step {
    var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
    var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
    let left = ZSTD_compressStream2(
      context, &target, &source, end ? ZSTD_e_end : ZSTD_e_continue)
    try check(left)
    return Step(consumed: source.pos, produced: target.pos, hasMore: left > 0)
  }
}

private func check(_ code: Int) throws(ArchiveError) {
  guard ZSTD_isError(code) == 0 else {
    throw ArchiveError(.io, "zstd cannot compress: \(String(cString: ZSTD_getErrorName(code)))")
  }
}
