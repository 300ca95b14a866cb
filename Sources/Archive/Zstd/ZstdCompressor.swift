internal import CZstd

/// One zstd compression context, used frame after frame (RFC 8878; zstd 1.4 or later).
struct ZstdCompressor: ~Copyable, @unchecked Sendable {
  // A context may move between threads as long as one at a time uses it, and this value cannot be
  // copied.
  private let context: OpaquePointer

  /// Sizes of content that zstd can be told to expect, 0 for any: the smaller, the smaller the window
  /// and the tables that it chooses for a level. Below these the ratio suffers.
  private static let sizeHints: [UInt64] = [0, 1 << 20, 1 << 19, 1 << 18]

  /// The sizes to expect in order to stay within some memory: the largest that does, else the
  /// smallest there is.
  static func sizeHint(level: Int, memory: Int) -> UInt64 {
    sizeHints.first { hint in
      let parameters = ZSTD_getCParams(Int32(level), hint, 0)
      return ZSTD_estimateCStreamSize_usingCParams(parameters) <= memory
    } ?? sizeHints[sizeHints.count - 1]
  }

  /// Bytes that the context takes.
  var memory: Int { ZSTD_sizeof_CCtx(context) }

  /// Frames carry a checksum and no dictionary, and are compressed on the calling thread.
  ///
  /// - Parameters:
  ///   - level: 1 to 19.
  ///   - memory: bytes that the context should take at most; see `sizeHint`.
  init(level: Int, memory: Int = .max) throws(ArchiveError) {
    guard (1...19).contains(level) else {
      throw ArchiveError(.unsupported, "the zstd level \(level) is not within 1 to 19")
    }
    guard let context = ZSTD_createCCtx() else {
      throw ArchiveError(.io, "there is no memory for a compressor")
    }
    do throws(ArchiveError) {
      try check(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level)))
      try check(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1))
      let hint = ZstdCompressor.sizeHint(level: level, memory: memory)
      // ZSTD_c_srcSizeHint
      if hint > 0 {
        try check(ZSTD_CCtx_setParameter(context, ZSTD_c_experimentalParam7, Int32(hint)))
      }
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
