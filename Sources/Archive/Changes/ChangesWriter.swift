internal import Digest

/// Writes the changes that a comparison gives out as an archive of kind `changes`, with the commit of a
/// snapshot: chunks, the manifest, then SHA256SUMS, each durable before the next.
///
/// It waits for the disk; use it where blocking is allowed. What it has written when it is dropped before
/// `finish` is an unfinished archive, which every reader refuses.
public struct ChangesWriter: ~Copyable, Sendable {
  private let storage: any WritableStorage
  private let oldImages: OldImages?
  private var segment: SegmentWriter
  private var rows: [ChunkRow] = []
  private var counts = Counts()
  private var canonical = CanonicalItem()
  private var line: [UInt8] = []
  private var form: [UInt8] = []

  /// Creates the archive's directory.
  ///
  /// - Parameter oldImages: what lines tell of the items before.
  /// - Throws: `ArchiveError`; code `exists` where there is anything already.
  public init(
    storage: any WritableStorage, oldImages: OldImages?, compression: Compression,
    limits: ChunkLimits = .standard
  ) throws(ArchiveError) {
    let segment = try SegmentWriter(
      number: 0, chunk: 0, storage: storage, level: compression.level, memory: compression.memory,
      limits: limits)
    try storage.prepare()
    self.storage = storage
    self.oldImages = oldImages
    self.segment = segment
  }

  /// Appends changes.
  public mutating func append(_ batch: borrowing ChangeBatch) throws(ArchiveError) {
    for change in batch.changes {
      line.removeAll(keepingCapacity: true)
      let object = change.new ?? change.key
      line += change.new == nil ? "{\"Keys\":".utf8 : "{\"Item\":".utf8
      line += batch.bytes[object]
      if let old = change.old { try appendOld(batch.bytes, old) }
      line += "}\n".utf8
      try segment.append(line: line, largestItem: max(object.count, change.old?.count ?? 0))
      if segment.isChunkFull { try endChunk() }
    }
  }

  private mutating func appendOld(_ bytes: [UInt8], _ old: Range<Int>) throws(ArchiveError) {
    switch oldImages {
    case .images:
      line += ",\"Old\":".utf8
      line += bytes[old]
    case .digests:
      form.removeAll(keepingCapacity: true)
      try canonical.append(bytes.span, old, to: &form)
      line += ",\"OldSha256\":\"\(SHA256.digest(of: form.span.bytes))\"".utf8
    case nil: break
    }
  }

  private mutating func endChunk() throws(ArchiveError) {
    guard let chunk = try segment.finishChunk(lastEvaluatedKey: nil) else { return }
    try chunk.file.commit()
    rows.append(chunk.row)
    try counts.add(chunk.row)
    counts.largestItemBytes = max(counts.largestItemBytes, chunk.largestItemBytes)
  }

  /// Commits the archive.
  ///
  /// - Parameters:
  ///   - from: where the old items came from.
  ///   - to: where the new ones did.
  ///   - summary: of the comparison that gave out the changes.
  /// - Returns: the archive's id.
  /// - Throws: `ArchiveError`; code `damaged` where changes and summary disagree.
  public consuming func finish(
    tool: ArchiveTool, from: ItemOrigin, to: ItemOrigin, _ summary: DiffSummary
  ) throws(ArchiveError) -> String {
    try endChunk()
    counts.scannedItems = counts.items
    var description = ChangesDescription(
      from: from.side, to: to.side, oldImages: oldImages, added: summary.added,
      removed: summary.removed, changed: summary.changed)
    description.from.items = summary.old.items
    description.to.items = summary.new.items
    let manifest = Manifest(
      tool: tool, source: to.source, startTime: to.side.startTime, endTime: to.side.endTime,
      table: to.table, settings: to.settings, counts: counts, chunks: rows, changes: description)
    return try ArchiveWriter.commit(manifest, to: storage)
  }
}
