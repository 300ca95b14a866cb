internal import Synchronization

/// A source that can be read once, and what came of it, in a temporary file, for when it is asked for
/// again.
struct SpooledItems: ItemSource {

  private let source: any ItemSource
  private let spool: Spool

  init(_ source: any ItemSource, scratch: ScratchSpace) {
    self.source = source
    spool = Spool(scratch, parts: source.parts.count)
  }

  var name: String { source.name }
  var key: KeySchema { source.key }
  var origin: ItemOrigin { source.origin }
  var parts: [ItemPart] { source.parts }
  var isRepeatable: Bool { true }
  var readersWanted: Int? { source.readersWanted }
  var hasUniqueKeys: Bool { source.hasUniqueKeys }

  func read(
    part: Int, _ detail: ItemDetail, _ body: (borrowing LineBlock) async throws -> Bool
  ) async throws {
    if detail == .linesAgain { return try await readAgain(part, body) }
    var writer = try SpoolWriter(spool, part: part)
    try await source.read(part: part, detail) { block in
      try writer.append(block)
      return try await body(block)
    }
    try writer.finish()
  }

  private func readAgain(
    _ part: Int, _ body: (borrowing LineBlock) async throws -> Bool
  ) async throws {
    var block = LineBlock()
    var base = 0
    for frame in spool.frames(of: part) {
      try Task.checkCancellation()
      block.bytes = try spool.content(of: frame)
      block.lines.removeAll(keepingCapacity: true)
      guard block.cutLines(filled: block.bytes.count, base: base) == nil else {
        throw ArchiveError(.io, "a temporary file does not hold what was written to it")
      }
      base += block.bytes.count
      guard try await body(block) else { return }
    }
  }
}

/// Whole lines, compressed, somewhere in a temporary file.
private struct SpoolFrame: Sendable {
  var place: Range<Int>
  var contentBytes: Int
}

/// The temporary file of a source, and what stands where in it.
private final class Spool: Sendable {
  private struct State {
    var file: TemporaryFile?
    var frames: [[SpoolFrame]]
  }

  private let scratch: ScratchSpace
  private let state: Mutex<State>

  init(_ scratch: ScratchSpace, parts: Int) {
    self.scratch = scratch
    state = Mutex(State(frames: Array(repeating: [], count: parts)))
  }

  func frames(of part: Int) -> [SpoolFrame] { state.withLock { $0.frames[part] } }

  private func file() throws(ArchiveError) -> TemporaryFile {
    try state.withLock { (state) throws(ArchiveError) in
      if let file = state.file { return file }
      let file = try TemporaryFile(in: scratch)
      state.file = file
      return file
    }
  }

  func append(_ stored: [UInt8], contentBytes: Int, to part: Int) throws(ArchiveError) {
    let place = try file().append(stored.span.bytes)
    state.withLock {
      $0.frames[part].append(SpoolFrame(place: place, contentBytes: contentBytes))
    }
  }

  func content(of frame: SpoolFrame) throws(ArchiveError) -> [UInt8] {
    var stored = [UInt8](repeating: 0, count: frame.place.count)
    var span = stored.mutableSpan
    let file = try file()
    try span.withUnsafeMutableBytes { (buffer) throws(ArchiveError) in
      try file.read(at: frame.place.lowerBound, into: buffer)
    }
    var content = [UInt8](repeating: 0, count: frame.contentBytes)
    var decompressor = try ZstdDecompressor()
    var target = content.mutableSpan
    let isWhole = try target.withUnsafeMutableBytes { (target) throws(ArchiveError) in
      try stored.span.bytes.withUnsafeBytes { (stored) throws(ArchiveError) in
        let step = try decompressor.step(stored, into: target)
        return step.isComplete && step.produced == target.count
      }
    }
    guard isWhole else {
      throw ArchiveError(.io, "a temporary file does not hold what was written to it")
    }
    return content
  }
}

/// Compresses one part's lines into the temporary file.
private struct SpoolWriter: ~Copyable {
  private static let frameBytes = 1 << 20

  private let spool: Spool
  private let part: Int
  private var compressor: ZstdCompressor
  private var content: [UInt8] = []
  private let output = RawBuffer(byteCount: 128 << 10)

  init(_ spool: Spool, part: Int) throws(ArchiveError) {
    self.spool = spool
    self.part = part
    // The fastest level: what is written is read at most once.
    compressor = try ZstdCompressor(level: 1)
  }

  mutating func append(_ block: borrowing LineBlock) throws(ArchiveError) {
    content += block.bytes[block.content]
    if content.count >= SpoolWriter.frameBytes { try flush() }
  }

  mutating func finish() throws(ArchiveError) {
    if !content.isEmpty { try flush() }
  }

  private mutating func flush() throws(ArchiveError) {
    var stored: [UInt8] = []
    let lines = content
    try lines.span.bytes.withUnsafeBytes { (bytes) throws(ArchiveError) in
      var rest = bytes
      while true {
        let step = try compressor.step(rest, into: output.bytes, end: true)
        stored += output.bytes[..<step.produced]
        rest = UnsafeRawBufferPointer(rebasing: rest[step.consumed...])
        if !step.hasMore { break }
      }
    }
    try spool.append(stored, contentBytes: lines.count, to: part)
    content.removeAll()
  }
}
