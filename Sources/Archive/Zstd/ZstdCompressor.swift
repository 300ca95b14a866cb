internal import CZstd

/// One zstd compression context, used frame after frame (RFC 8878; zstd 1.4 or later).
struct ZstdCompressor: ~Copyable, @unchecked Sendable {
  // A context may move between threads as long as one at a time uses it, and this value cannot be
  // copied.
  private let context: OpaquePointer

  /// What is set beside the level; zero leaves it to the level.
  struct Tuning: Equatable {
    /// The size of content to expect: zstd chooses window and tables for it.
    var sizeHint: UInt64 = 0
    /// Powers of two: of the window's bytes and of the tables' entries.
    var windowLog: Int32 = 0
    var chainLog: Int32 = 0
    var hashLog: Int32 = 0
  }

  /// What to try for a level, from the one with the best ratio to the one with the least memory.
  ///
  /// Level 3, the default, has a tuning of its own. Several compressors take turns on a processor, and
  /// zstd's own tables (768 KB, beside a window of 2 MB) do not stay in its cache: smaller ones take a
  /// sixth less time and store between 0.5% less and 2.5% more (docs/performance.md).
  private static func tunings(level: Int) -> [Tuning] {
    if level == 3 {
      return [
        Tuning(windowLog: 19, chainLog: 15, hashLog: 16),
        Tuning(windowLog: 18, chainLog: 13, hashLog: 15),
      ]
    }
    return [0, 1 << 20, 1 << 19, 1 << 18].map { Tuning(sizeHint: $0) }
  }

  /// The first tuning that stays within some memory, else the one with the least.
  static func tuning(level: Int, memory: Int) -> Tuning {
    let tunings = tunings(level: level)
    return tunings.first { tuning in
      var parameters = ZSTD_getCParams(Int32(level), tuning.sizeHint, 0)
      if tuning.windowLog > 0 {
        parameters.windowLog = UInt32(tuning.windowLog)
        parameters.chainLog = UInt32(tuning.chainLog)
        parameters.hashLog = UInt32(tuning.hashLog)
      }
      return ZSTD_estimateCStreamSize_usingCParams(parameters) <= memory
    } ?? tunings[tunings.count - 1]
  }

  /// Bytes that the context takes.
  var memory: Int { ZSTD_sizeof_CCtx(context) }

  /// Frames carry a checksum and no dictionary, and are compressed on the calling thread.
  ///
  /// - Parameters:
  ///   - level: 1 to 19.
  ///   - memory: bytes that the context should take at most; see `tuning`.
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
      let tuning = ZstdCompressor.tuning(level: level, memory: memory)
      // ZSTD_c_srcSizeHint
      if tuning.sizeHint > 0 {
        try check(
          ZSTD_CCtx_setParameter(context, ZSTD_c_experimentalParam7, Int32(tuning.sizeHint)))
      }
      // Zero is zstd's word, too, for leaving them to the level.
      try check(ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, tuning.windowLog))
      try check(ZSTD_CCtx_setParameter(context, ZSTD_c_chainLog, tuning.chainLog))
      try check(ZSTD_CCtx_setParameter(context, ZSTD_c_hashLog, tuning.hashLog))
    } catch {
      ZSTD_freeCCtx(context)
      throw error
    }
    self.context = context
  }

  deinit { ZSTD_freeCCtx(context) }

  /// An output of so many bytes takes any block at once, without zstd's own buffer between.
  static var blockBound: Int { ZSTD_CStreamOutSize() }

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
