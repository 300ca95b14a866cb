/// Reads a snapshot chunk's lines without looking into them: for comparing them byte by byte, where
/// equal lines need no grammar, and for reading again what has been read before.
///
/// The file's SHA-256 is checked, and the frame, the number and the shape of the lines; `ChunkReader` is
/// the one validator of what is in them.
struct LineReader: ~Copyable {
  private static let blockBytes = 256 << 10

  private(set) var block = LineBlock()

  private let row: ChunkRow
  private var frame: FrameReader
  private var filled = 0
  private var base = 0
  private var items = 0

  /// - Parameter again: the chunk has been read before, and its digest held.
  init(_ file: any StorageReader, _ row: ChunkRow, again: Bool) throws(ArchiveError) {
    self.row = row
    frame = try FrameReader(file, row, digests: again ? .none : .stored)
    block.bytes = [UInt8](repeating: 0, count: LineReader.blockBytes)
  }

  /// Reads the next run of lines into `block`.
  ///
  /// - Returns: false behind the last line, when every check has held.
  mutating func next() throws(ArchiveError) -> Bool {
    carry()
    while true {
      filled += try LineReader.fill(&block.bytes, from: filled, &frame)
      try cut()
      if !block.lines.isEmpty { return true }
      if frame.isFinished {
        guard filled == 0 else { throw fault(0, "the last line has no line feed") }
        guard items == row.items else {
          throw fault(0, "the chunk has \(items) items, not the \(row.items) in the manifest")
        }
        return false
      }
      guard filled < ArchiveLimits.lineBytes else {
        throw fault(0, "the line is longer than \(ArchiveLimits.lineBytes) bytes")
      }
      block.bytes.append(contentsOf: repeatElement(0, count: block.bytes.count))
    }
  }

  /// Moves the start of an unfinished line to the front of the buffer.
  private mutating func carry() {
    let start = block.content.upperBound
    let rest = start..<filled
    if start > 0, !rest.isEmpty {
      block.bytes.withUnsafeMutableBytes {
        $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer($0)[rest]))
      }
    }
    filled = rest.count
    base += start
    block.content = 0..<0
    block.lines.removeAll(keepingCapacity: true)
  }

  private static func fill(
    _ bytes: inout [UInt8], from start: Int, _ frame: inout FrameReader
  ) throws(ArchiveError) -> Int {
    var span = bytes.mutableSpan
    return try span.withUnsafeMutableBytes { (buffer) throws(ArchiveError) in
      try frame.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[start...]))
    }
  }

  private mutating func cut() throws(ArchiveError) {
    let wrong = block.cutLines(filled: filled, base: base)
    items += block.lines.count
    if let wrong { throw fault(wrong, "the line is not \(LineFormat.prefix), an item and a brace") }
  }

  /// A fault of the line that starts at an offset in the block.
  private func fault(_ offset: Int, _ what: String) -> ArchiveError {
    ArchiveError(.damaged, what, file: row.name, offset: base + offset)
  }
}
