import Archive

/// A page as it came, cut.
struct Page: Sendable {
  let bytes: [UInt8]
  let cutter: PageCutter
  let lastEvaluatedKey: [UInt8]?
  /// Nil where the service does not tell.
  let consumedUnits: Double?

  /// - Parameter countsOnly: whether it was asked for without its items.
  init(_ body: [UInt8], countsOnly: Bool = false) throws {
    var cutter = PageCutter(countsOnly: countsOnly)
    try cutter.cut(body.span)
    bytes = body
    lastEvaluatedKey = cutter.lastEvaluatedKey.map { Array(body[$0]) }
    consumedUnits = try cutter.consumedCapacity.map { try BatchAnswer.units(body.span, $0) }
    self.cutter = cutter
  }

  /// Items in it, or of which it tells the number.
  var itemCount: Int { cutter.count ?? 0 }
  /// Items read, those included that a filter held back.
  var scannedItems: Int { cutter.scannedCount ?? itemCount }
}

/// A segment on its way into the archive: its writer, and what has been read since its last step in
/// the journal.
struct SegmentOutput: ~Copyable {
  private let archive: ArchiveWriter
  private var writer: SegmentWriter
  private var reading = PageTotals()
  /// Where the segment goes on behind the last page appended; nil behind its end.
  private var lastEvaluatedKey: [UInt8]?
  /// Nil where items are written as they come.
  private var transformer: ItemTransformer?
  private var changed: [UInt8] = []

  var number: Int { writer.number }

  /// - Parameter key: of the items, to name one by; empty where they may lack it.
  init(
    _ segment: Int, of archive: ArchiveWriter, _ transforms: ItemTransforms, key: KeySchema
  ) throws(ArchiveError) {
    self.archive = archive
    writer = try archive.segment(segment)
    transformer = transforms.isEmpty ? nil : ItemTransformer(transforms, key: key)
  }

  /// - Throws: `ArchiveError`; `TransformError` of code `mismatch`.
  mutating func append(_ page: borrowing Page) throws {
    if transformer == nil {
      for item in page.cutter.items { try writer.append(page.bytes.span, item) }
    } else {
      for item in page.cutter.items {
        changed.removeAll(keepingCapacity: true)
        try transformer?.append(page.bytes.span.extracting(item.range), to: &changed)
        // A second reference, not a copy: reading the bytes may not overlap with writing other members.
        let bytes = changed
        try writer.append(
          bytes.span, PageCutter.Item(range: 0..<bytes.count, hasLineBreak: item.hasLineBreak))
      }
    }
    reading.scannedItems += page.scannedItems
    reading.consumedReadUnits += page.consumedUnits ?? 0
    lastEvaluatedKey = page.lastEvaluatedKey
  }

  /// Ends the chunk where it is full or the segment at its end.
  mutating func endChunkIfDue() async throws {
    if lastEvaluatedKey == nil || writer.isChunkFull { _ = try await endChunk() }
  }

  /// Makes durable how far the segment is, in the middle of it.
  mutating func checkpoint() async throws {
    if try await endChunk() { return }
    guard let key = lastEvaluatedKey, reading != PageTotals() else { return }
    let (archive, number, reading) = (archive, number, take())
    try await offPool {
      try archive.checkpoint(number, lastEvaluatedKey: key, reading: reading)
    }
  }

  /// Notes that the segment has been read to its end.
  mutating func end() async throws {
    let (archive, number, reading) = (archive, number, take())
    try await offPool { try archive.segmentDone(number, reading: reading) }
  }

  /// Ends the chunk that is being written.
  ///
  /// - Returns: false where there is none.
  private mutating func endChunk() async throws -> Bool {
    guard let chunk = try writer.finishChunk(lastEvaluatedKey: lastEvaluatedKey) else {
      return false
    }
    let (archive, reading) = (archive, take())
    try await offPool { try archive.commit(chunk, reading: reading) }
    return true
  }

  private mutating func take() -> PageTotals {
    defer { reading = PageTotals() }
    return reading
  }
}
