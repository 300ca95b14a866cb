internal import JSON

/// Reads a chunk's lines and checks everything the archive says of it.
///
/// The one validator: `verify`, `load` and whatever else reads lines go through it. Memory is
/// bounded: a block of 128 KiB, which grows to a line's limit only where a line needs it.
public struct ChunkReader: ~Copyable, Sendable {
  // A few requests' worth: whoever reads on takes a processor for a short while only, and what was read
  // stays in its cache until it is sent (docs/performance.md).
  private static let blockBytes = 128 << 10

  /// The lines of the last `next`.
  public private(set) var block = LineBlock()
  /// Lines read so far.
  public private(set) var items = 0

  private let row: ChunkRow
  private var frame: FrameReader
  private var scanner: ItemScanner
  private var changes: ChangeLineScanner?
  /// Bytes of content in `block.bytes`, complete lines and the start of the next.
  private var filled = 0
  /// Where `block.bytes` starts in the content.
  private var base = 0
  private var failure: ArchiveError?

  /// - Parameter changes: of an archive of that kind.
  init(
    _ file: any StorageReader, _ row: ChunkRow, key: KeySchema, changes: ChangesDescription?,
    storedIsChecked: Bool
  ) throws(ArchiveError) {
    self.row = row
    self.changes = changes.map { ChangeLineScanner($0, key: key) }
    frame = try FrameReader(file, row, digests: storedIsChecked ? .content : .all)
    scanner = ItemScanner(key: key)
    block.bytes = [UInt8](repeating: 0, count: ChunkReader.blockBytes)
  }

  /// Reads the next run of lines into `block`.
  ///
  /// - Returns: false behind the last line, when every check of the chunk has held: sizes, digests,
  ///   the number of lines, one frame and nothing behind it.
  /// - Throws: `ArchiveError` of code `damaged` with the file and the offset in the content, or what
  ///   the storage throws. Later calls throw the same.
  public mutating func next() throws(ArchiveError) -> Bool {
    if let failure { throw failure }
    do throws(ArchiveError) { return try advance() } catch {
      var error = error
      if error.code == .damaged, !frame.isFinished, !frame.isFileIntact() {
        error.message += "; the file is not the one the archive was written with"
        error.hint = "restore the file from a copy; its SHA-256 must be \(row.sha256)"
      }
      failure = error
      throw error
    }
  }

  /// Drops the lines of the block that do not belong to a slice.
  mutating func keepLines(of slice: KeySlice) {
    let keys = block.keyBytes
    block.lines.removeAll { !slice.contains(keys.span.extracting($0.key)) }
  }

  /// Drops the lines of the block that hold no item of a chain's last state.
  ///
  /// - Parameter place: of the archive in the chain.
  public mutating func keepLines(_ lasting: LastingLines, place: Int) {
    var kept = 0
    for index in block.lines.indices where lasting.keeps(index, of: block, place: place) {
      block.lines[kept] = block.lines[index]
      if place > 0 { block.changes[kept] = block.changes[index] }
      kept += 1
    }
    block.lines.removeLast(block.lines.count - kept)
    if place > 0 { block.changes.removeLast(block.changes.count - kept) }
  }

  private mutating func advance() throws(ArchiveError) -> Bool {
    carry()
    var searched = 0
    while true {
      filled += try ChunkReader.fill(&block.bytes, from: filled, &frame)
      if let end = ChunkReader.lastLineEnd(block.bytes.span, searched..<filled) {
        block.content = 0..<end + 1
        break
      }
      searched = filled
      if frame.isFinished {
        guard filled == 0 else { throw fault(at: 0, "the last line has no line feed") }
        try checkCount()
        return false
      }
      guard filled < ArchiveLimits.lineBytes else { throw longLine(at: 0) }
      block.bytes.append(contentsOf: repeatElement(0, count: block.bytes.count))
    }
    try validate()
    return true
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
    block.keyBytes.removeAll(keepingCapacity: true)
    block.changes.removeAll(keepingCapacity: true)
  }

  private static func fill(
    _ bytes: inout [UInt8], from start: Int, _ frame: inout FrameReader
  ) throws(ArchiveError) -> Int {
    var span = bytes.mutableSpan
    return try span.withUnsafeMutableBytes { (buffer) throws(ArchiveError) in
      try frame.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[start...]))
    }
  }

  private static func lastLineEnd(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
    var i = range.upperBound
    while i > range.lowerBound {
      i -= 1
      if bytes[i] == 0x0A { return i }
    }
    return nil
  }

  private mutating func validate() throws(ArchiveError) {
    // A second reference, not a copy: reading the bytes may not overlap with writing other members.
    let bytes = block.bytes
    do throws(LineFault) {
      try ChunkReader.validate(
        bytes.span.extracting(block.content), base: base, &scanner, &block.lines,
        &block.keyBytes, &changes, &block.changes)
    } catch {
      items += block.lines.count
      throw fault(at: error.offset, error.message)
    }
    items += block.lines.count
  }

  /// What is wrong with a line, and where it starts in the block.
  private struct LineFault: Error {
    var offset: Int
    var message: String
  }

  private static func validate(
    _ bytes: Span<UInt8>, base: Int, _ scanner: inout ItemScanner, _ lines: inout [Line],
    _ keys: inout [UInt8], _ changeScanner: inout ChangeLineScanner?,
    _ changes: inout [LineChange]
  ) throws(LineFault) {
    var start = 0
    while start < bytes.count {
      let isDelete = changeScanner != nil && ChangeLineScanner.isDelete(bytes, at: start)
      guard isDelete || hasPrefix(bytes, at: start) else {
        throw LineFault(offset: start, message: wrongStart(bytes, at: start))
      }
      let item = start + LineFormat.prefix.utf8CodeUnitCount
      let keyStart = keys.count
      var end: Int
      do throws(ItemFault) {
        end = try scanner.scan(bytes, at: item)
        try CanonicalKey.append(bytes, scanner, to: &keys)
      } catch {
        throw LineFault(offset: start, message: describe(error, lineStart: start))
      }
      let object = item..<end
      if changeScanner != nil {
        end = try scan(
          &changeScanner, bytes, object, isDelete, keys.span.extracting(keyStart..<keys.count),
          &changes)
      }
      guard end + 1 < bytes.count, bytes[end] == UInt8(ascii: "}"), bytes[end + 1] == 0x0A else {
        throw LineFault(
          offset: start, message: "byte \(end - start) of the line is not the brace that ends it")
      }
      guard !scanner.sawLineBreak else {
        throw LineFault(offset: start, message: "a line break stands inside the line")
      }
      guard end + 2 - start <= ArchiveLimits.lineBytes else {
        throw LineFault(offset: start, message: longLineMessage)
      }
      lines.append(
        Line(
          item: object, line: start..<end + 1, contentOffset: base + start,
          key: keyStart..<keys.count))
      start = end + 2
    }
  }

  /// Takes what follows on the object of a line of changes.
  ///
  /// - Returns: the offset of the brace that ends the line.
  @inline(never)
  private static func scan(
    _ scanner: inout ChangeLineScanner?, _ bytes: Span<UInt8>, _ object: Range<Int>,
    _ isDelete: Bool, _ key: Span<UInt8>, _ changes: inout [LineChange]
  ) throws(LineFault) -> Int {
    let start = object.lowerBound - LineFormat.prefix.utf8CodeUnitCount
    do throws(ChangeLineScanner.Fault) {
      guard
        let (change, end) = try scanner?.scan(bytes, behind: object, isDelete: isDelete, key: key)
      else { return object.upperBound }
      changes.append(change)
      return end
    } catch {
      let message =
        switch error {
        case .item(let fault): "in the old item, \(describe(fault, lineStart: start))"
        case .other(let text): text
        }
      throw LineFault(offset: start, message: message)
    }
  }

  private static func hasPrefix(_ bytes: Span<UInt8>, at start: Int) -> Bool {
    // The shortest line, `{"Item":{}}` and its line feed, is longer than the prefix.
    guard bytes.count - start >= 8 else { return false }
    return bytes.bytes.unsafeLoadUnaligned(fromByteOffset: start, as: UInt64.self)
      == LineFormat.prefixWord
  }

  private static func wrongStart(_ bytes: Span<UInt8>, at start: Int) -> String {
    bytes[start] == 0x0A ? "the line is blank" : "the line does not start with \(LineFormat.prefix)"
  }

  private static func describe(_ fault: ItemFault, lineStart: Int) -> String {
    guard case .json(let error) = fault else { return fault.description }
    return "\(error.code.rawValue) at byte \(error.offset - lineStart) of the line"
  }

  private static let longLineMessage =
    "the line is longer than \(ArchiveLimits.lineBytes) bytes"

  private func longLine(at offset: Int) -> ArchiveError {
    fault(at: offset, ChunkReader.longLineMessage)
  }

  /// A fault of the line that starts at `offset` in the block.
  private func fault(at offset: Int, _ what: String) -> ArchiveError {
    ArchiveError(.damaged, "line \(items + 1): \(what)", file: row.name, offset: base + offset)
  }

  private func checkCount() throws(ArchiveError) {
    guard items == row.items else {
      throw ArchiveError(
        .damaged, "the chunk has \(items) items, not the \(row.items) in the manifest",
        file: row.name, offset: base)
    }
  }
}
