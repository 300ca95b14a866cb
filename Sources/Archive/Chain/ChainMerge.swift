internal import Digest
internal import Synchronization

/// How far a merge is.
public struct MergeProgress: Sendable, Equatable {
  /// Items written.
  public var items = 0
  /// Items that there will be.
  public var expectedItems: Int
  /// Bytes of their lines.
  public var contentBytes = 0
}

/// What a merge made.
public struct MergeSummary: Sendable {
  /// The new snapshot's id.
  public var id: String
  public var manifest: Manifest
  /// Chunks of the base that were taken over as they are.
  public var chunksCopied: Int
  /// Items that came from the changes.
  public var itemsChanged: Int
}

/// Writes the last state of a chain as a snapshot.
///
/// A chunk of the base that no change touches is taken over byte by byte, so that a comparison with the
/// base does not read it; of the others the lines that last are compressed anew, in their segment. What
/// the changes put stands at the end of the last segment. The commit is that of a dump; there is no journal, and
/// what is left of a merge that did not end is of no use.
public struct ChainMerge: Sendable {
  private let chain: ArchiveChain
  private let storage: any WritableStorage
  private let tool: ArchiveTool
  private let compression: Compression
  private let limits: ChunkLimits
  private let concurrency: Int

  /// Creates the new archive's directory.
  ///
  /// - Parameter concurrency: segments that are written at the same time.
  /// - Throws: `ArchiveError`; code `exists` where there is anything already.
  public init(
    _ chain: ArchiveChain, to storage: any WritableStorage, tool: ArchiveTool, level: Int,
    limits: ChunkLimits = .standard, concurrency: Int
  ) throws(ArchiveError) {
    self.chain = chain
    self.storage = storage
    self.tool = tool
    self.limits = limits
    self.concurrency = max(1, concurrency)
    compression = Compression(level: level, segmentsInFlight: self.concurrency)
    try chain.checkEntries()
    try storage.prepare()
  }

  /// Merges.
  ///
  /// - Parameter progress: called now and then, from any task.
  /// - Throws: `ArchiveError`: `damaged`, also where there are not as many items as the last changes tell
  ///   of, or what the storage throws; `CancellationError`. Nothing is committed then.
  public func run(
    progress: @escaping @Sendable (MergeProgress) -> Void = { _ in }
  ) async throws -> MergeSummary {
    let lasting = try LastingLines(chain)
    let output = MergeOutput(expectedItems: chain.items, report: progress)
    var rows = Dictionary(grouping: chain.base.manifest.chunks, by: \.segment)
    let last = rows.keys.max() ?? 0
    rows[last, default: []] += []
    let puts = chain.parts.filter { $0.place > 0 }
    let work = rows.keys.sorted().map { number in
      let base = (rows[number] ?? []).sorted { $0.id.number < $1.id.number }
        .map { ArchivePart(archive: chain.base, place: 0, row: $0) }
      return (number, base, number == last ? puts : [])
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      var next = work.makeIterator()
      func start() {
        guard let (number, base, puts) = next.next() else { return }
        group.addTask { try write(number, base, puts, lasting, output) }
      }
      for _ in 0..<concurrency { start() }
      while try await group.next() != nil { start() }
    }
    return try commit(output)
  }

  /// Writes one segment.
  private func write(
    _ number: Int, _ base: [ArchivePart], _ puts: [ArchivePart], _ lasting: LastingLines,
    _ output: MergeOutput
  ) throws {
    var segment = try SegmentWriter(
      number: number, chunk: 0, storage: storage, level: compression.level,
      memory: compression.memory, limits: limits)
    for part in base {
      if let largest = try largestItem(ofUntouched: part, lasting) {
        let id = segment.skipChunk()
        try copy(part, to: id)
        try output.add(part.row, as: id, largest: largest)
      } else {
        try append(part, lasting, to: &segment, output)
        try output.end(&segment)
      }
    }
    for part in puts { try append(part, lasting, to: &segment, output) }
    try output.end(&segment)
  }

  /// Reads a chunk of the base, up to the first item that does not last, or with every check.
  ///
  /// - Returns: the bytes of its largest item; nil if not all of its items last.
  private func largestItem(
    ofUntouched part: ArchivePart, _ lasting: LastingLines
  ) throws -> Int? {
    var reader = try part.reader()
    var largest = 0
    while try part.next(&reader) {
      try Task.checkCancellation()
      for (index, line) in reader.block.lines.enumerated() {
        guard lasting.keeps(index, of: reader.block, place: 0) else { return nil }
        largest = max(largest, line.item.count)
      }
    }
    return largest
  }

  /// Takes over a chunk's file as it is.
  private func copy(_ part: ArchivePart, to id: ChunkID) throws(ArchiveError) {
    let source = try Archive.openStored(part.row, in: part.archive.storage)
    let target = try storage.create(id.name)
    let buffer = RawBuffer(byteCount: 128 << 10)
    var hash = SHA256()
    while true {
      let count = try source.read(into: buffer.bytes)
      if count == 0 { break }
      let bytes = RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count]))
      hash.update(bytes)
      try target.write(bytes)
    }
    guard hash.finish() == part.row.sha256 else {
      throw ArchiveError(.damaged, "the file changed while it was read", file: part.row.name)
        .located(in: part.archive)
    }
    try target.commit()
  }

  /// Appends the items of a chunk that last.
  private func append(
    _ part: ArchivePart, _ lasting: LastingLines, to segment: inout SegmentWriter,
    _ output: MergeOutput
  ) throws {
    var reader = try part.reader()
    while try part.next(&reader) {
      try Task.checkCancellation()
      reader.keepLines(lasting, place: part.place)
      for line in reader.block.lines {
        try segment.append(
          reader.block.bytes.span, PageCutter.Item(range: line.item, hasLineBreak: false))
        if segment.isChunkFull { try output.end(&segment) }
      }
      if part.place > 0 { output.changed(reader.block.lines.count) }
    }
  }

  private func commit(_ output: MergeOutput) throws(ArchiveError) -> MergeSummary {
    let made = output.made
    guard made.counts.items == chain.items else {
      throw ArchiveError(
        .damaged,
        "the chain comes to \(made.counts.items) items, and its last archive tells of \(chain.items)",
        hint:
          "dynarc verify checks each archive; where they are sound, the changes were not made of "
          + "this snapshot")
    }
    var manifest = chain.last
    manifest.changes = nil
    manifest.tool = tool
    manifest.sameItemsAs = chain.names
    manifest.source.read.totalSegments = chain.base.manifest.source.read.totalSegments
    manifest.chunks = made.rows.sorted {
      ($0.segment, $0.id.number) < ($1.segment, $1.id.number)
    }
    manifest.counts = made.counts
    manifest.counts.scannedItems = made.counts.items
    let id = try ArchiveWriter.commit(manifest, to: storage)
    return MergeSummary(
      id: id, manifest: manifest, chunksCopied: made.copied, itemsChanged: made.changed)
  }
}

/// What the segments of a merge have written.
private final class MergeOutput: Sendable {
  struct Made: Sendable {
    var rows: [ChunkRow] = []
    var counts = Counts()
    var copied = 0
    var changed = 0
  }

  private let state = Mutex(Made())
  private let expectedItems: Int
  private let report: @Sendable (MergeProgress) -> Void

  init(expectedItems: Int, report: @escaping @Sendable (MergeProgress) -> Void) {
    self.expectedItems = expectedItems
    self.report = report
  }

  var made: Made { state.withLock { $0 } }

  /// Ends a segment's chunk, if there is anything in it.
  func end(_ segment: inout SegmentWriter) throws(ArchiveError) {
    guard let chunk = try segment.finishChunk(lastEvaluatedKey: nil) else { return }
    try chunk.file.commit()
    try add(chunk.row, largest: chunk.largestItemBytes)
  }

  /// Takes note of a chunk of the base that was taken over.
  func add(_ row: ChunkRow, as id: ChunkID, largest: Int) throws(ArchiveError) {
    var row = row
    row.id = id
    try add(row, largest: largest)
    state.withLock { $0.copied += 1 }
  }

  func changed(_ items: Int) { state.withLock { $0.changed += items } }

  private func add(_ row: ChunkRow, largest: Int) throws(ArchiveError) {
    let progress = try state.withLock { (made) throws(ArchiveError) in
      made.rows.append(row)
      try made.counts.add(row)
      made.counts.largestItemBytes = max(made.counts.largestItemBytes, largest)
      return MergeProgress(
        items: made.counts.items, expectedItems: expectedItems,
        contentBytes: made.counts.contentBytes)
    }
    report(progress)
  }
}
