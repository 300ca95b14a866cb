internal import Digest
public import JSON
internal import Synchronization

/// Writes an archive: chunks under temporary names, journaled as they are finished, then the
/// manifest, then SHA256SUMS, which is the commit.
///
/// Safe to use from many tasks: each owns the `SegmentWriter` of its segment. `commit`, `checkpoint`,
/// `segmentDone` and `finish` wait for the disk; call them where blocking is allowed. The journal is
/// locked for as long as the writer lives: nobody else writes into the archive.
public final class ArchiveWriter: Sendable {
  private struct State {
    var journal: Journal
    /// Segments with a writer.
    var open: Set<Int> = []
    var isFinished = false
    /// Why the journal cannot grow any more: a line behind a torn one would spoil it.
    var failure: ArchiveError?
  }

  let storage: any WritableStorage
  private let appender: any StorageAppender
  private let compression: Compression
  private let limits: ChunkLimits
  private let state: Mutex<State>

  /// What earlier runs did that could not be used, for people.
  public let warnings: [String]
  /// How far earlier runs got; nil for a dump that is new.
  public let resumed: DumpCounts?
  /// When the first run began.
  public let startTime: Timestamp

  /// Creates the archive's directory and its journal.
  ///
  /// - Parameters:
  ///   - parameters: what was asked for, for the journal: no credential, no path.
  /// - Throws: `ArchiveError`; code `exists` where there is anything already.
  public init(
    storage: any WritableStorage, tool: ArchiveTool, startTime: Timestamp, parameters: JSONObject,
    compression: Compression, limits: ChunkLimits = .standard
  ) throws(ArchiveError) {
    self.storage = storage
    self.compression = compression
    self.limits = limits
    self.startTime = startTime
    warnings = []
    resumed = nil
    do throws(ArchiveError) { try storage.prepare() } catch {
      throw ArchiveWriter.namingResume(error, storage)
    }
    appender = try storage.append(ArchiveNames.journal)
    let journal = Journal(tool: tool, startTime: startTime, parameters: parameters)
    try appender.append(journal.firstLine.span.bytes)
    state = Mutex(State(journal: journal))
  }

  /// Goes on with a dump that was cut short.
  ///
  /// Every chunk in the journal is read and checked. The first of a segment that is missing, cut or
  /// altered is dropped with those behind it, and the segment goes on from the key before; `warnings`
  /// tells so. What the journal does not name is removed.
  ///
  /// - Parameters:
  ///   - tool: for the journal, where the first run did not begin one.
  ///   - startTime: likewise.
  ///   - parameters: what is asked for, which must be what the dump was begun with.
  /// - Throws: `ArchiveError`: `missing` where there is nothing, `complete` where the archive has
  ///   been committed, `locked` where another dump writes it, `otherDump` for another table or other
  ///   parameters, `damaged` for a journal that is, `foreign` for files that no dump writes.
  public init(
    resuming storage: any WritableStorage, tool: ArchiveTool, startTime: Timestamp,
    parameters: JSONObject, compression: Compression, limits: ChunkLimits = .standard
  ) throws(ArchiveError) {
    self.storage = storage
    self.compression = compression
    self.limits = limits
    let found = try Resumption(
      storage, begun: Journal(tool: tool, startTime: startTime, parameters: parameters))
    appender = found.appender
    warnings = found.warnings
    resumed = found.journal.counts
    self.startTime = found.journal.startTime
    state = Mutex(State(journal: found.journal))
  }

  private static func namingResume(
    _ error: ArchiveError, _ storage: any WritableStorage
  ) -> ArchiveError {
    // Where it cannot be looked at, the first error is the one to tell.
    guard error.code == .exists, let names = try? storage.entries().map(\.name),
      names.contains(ArchiveNames.journal), !names.contains(ArchiveNames.sums)
    else { return error }
    var error = error
    error.message = "\(storage.location) holds an unfinished dump"
    error.hint = "go on with it by --resume, or choose another name"
    return error
  }

  /// The chunks that stand under their names.
  var rows: [ChunkRow] { state.withLock { $0.journal.rows } }

  /// How far the dump is, over all its runs.
  public var counts: DumpCounts { state.withLock { $0.journal.counts } }

  /// Where a segment goes on.
  public func position(of segment: Int) -> SegmentPosition {
    state.withLock { $0.journal.segments[segment]?.position ?? .start }
  }

  /// The writer of a segment, once for each that is not done.
  public func segment(_ number: Int) throws(ArchiveError) -> SegmentWriter {
    precondition((0...ChunkID.largest).contains(number), "no such segment")
    let next = state.withLock { state -> Int? in
      let segment = state.journal.segments[number] ?? Journal.Segment()
      guard segment.end == nil, state.open.insert(number).inserted else { return nil }
      return segment.nextChunk
    }
    guard let next else { preconditionFailure("segment \(number) is done or has a writer already") }
    return try SegmentWriter(
      number: number, chunk: next, storage: storage, level: compression.level,
      memory: compression.memory, limits: limits)
  }

  /// Makes a chunk durable, puts it under its name and journals it.
  ///
  /// - Parameter reading: of the pages since the segment's last step.
  public func commit(
    _ chunk: FinishedChunk, reading: PageTotals = PageTotals()
  ) throws(ArchiveError) {
    let entry = Journal.Entry(
      row: chunk.row, largestItemBytes: chunk.largestItemBytes, reading: reading,
      lastEvaluatedKey: try chunk.lastEvaluatedKey.map(ArchiveWriter.parse))
    try chunk.file.commit()
    try note(entry, chunk.row.segment)
  }

  /// Notes where a segment goes on, between chunks: pages without items lead far in a filtered scan.
  ///
  /// - Parameter lastEvaluatedKey: the JSON of the key.
  public func checkpoint(
    _ segment: Int, lastEvaluatedKey: [UInt8], reading: PageTotals
  ) throws(ArchiveError) {
    let entry = Journal.Entry(
      row: nil, largestItemBytes: 0, reading: reading,
      lastEvaluatedKey: try ArchiveWriter.parse(lastEvaluatedKey))
    try note(entry, segment)
  }

  private static func parse(_ key: [UInt8]) throws(ArchiveError) -> JSONValue {
    do throws(JSONError) { return try JSONValue.parse(key.span) } catch {
      throw ArchiveError(.badPage, "the LastEvaluatedKey is not JSON: \(error)")
    }
  }

  private func note(_ entry: Journal.Entry, _ segment: Int) throws(ArchiveError) {
    let line = Journal.line(entry, segment: segment)
    // The lock orders the lines; only other commits wait for it.
    try state.withLock { (state) throws(ArchiveError) in
      try append(line, &state)
      try state.journal.add(entry, to: segment)
    }
  }

  private func append(_ line: [UInt8], _ state: inout State) throws(ArchiveError) {
    if let failure = state.failure { throw failure }
    do throws(ArchiveError) { try appender.append(line.span.bytes) } catch {
      state.failure = error
      throw error
    }
  }

  /// Notes that a segment has been read to its end and its last chunk is committed.
  ///
  /// - Parameter reading: of the pages since the segment's last step.
  public func segmentDone(
    _ number: Int, reading: PageTotals = PageTotals()
  ) throws(ArchiveError) {
    let line = Journal.line(segmentDone: number, reading: reading)
    try state.withLock { (state) throws(ArchiveError) in
      try append(line, &state)
      try state.journal.end(number, reading: reading)
      state.open.remove(number)
    }
  }

  /// Commits the archive: writes the manifest, then SHA256SUMS, then removes the journal.
  ///
  /// - Parameter manifest: its chunks, and the counts that follow from them, are filled in here.
  /// - Returns: the archive's id.
  /// - Throws: `ArchiveError`; code `unfinished` where a segment is not done, `damaged` where the
  ///   manifest contradicts itself: nothing is committed then.
  public func finish(_ manifest: Manifest) throws(ArchiveError) -> String {
    let id = try ArchiveWriter.commit(try completed(manifest), to: storage)
    try storage.remove(ArchiveNames.journal)
    return id
  }

  /// Writes the manifest and then SHA256SUMS, behind which the archive is complete.
  ///
  /// - Returns: the archive's id.
  static func commit(
    _ manifest: Manifest, to storage: any WritableStorage
  ) throws(ArchiveError) -> String {
    let text = manifest.serialized
    guard text.count <= Manifest.sizeLimit else {
      throw ArchiveError(
        .unsupported, "the manifest has \(text.count) bytes, more than \(Manifest.sizeLimit)",
        file: ArchiveNames.manifest, hint: "dump into larger chunks")
    }
    // What this version could not read is not committed.
    guard try Manifest(parsing: text.span) == manifest else {
      throw ArchiveError(
        .damaged, "the manifest does not come back as it was written", file: ArchiveNames.manifest)
    }
    var digests = [ArchiveNames.manifest: SHA256.digest(of: text.span.bytes).description]
    for row in manifest.chunks { digests[row.name] = row.sha256.description }
    let sums = Sums(digests).serialized
    try write(text, ArchiveNames.manifest, to: storage)
    try write(sums, ArchiveNames.sums, to: storage)
    return SHA256.digest(of: sums.span.bytes).description
  }

  private func completed(_ manifest: Manifest) throws(ArchiveError) -> Manifest {
    try state.withLock { (state) throws(ArchiveError) in
      precondition(!state.isFinished, "the archive is finished")
      let begun = state.journal.segments.filter { $0.value.position != .done }.keys
      if let open = state.open.union(begun).min() {
        throw ArchiveError(.unfinished, "segment \(open) has not been read to its end")
      }
      state.isFinished = true
      var manifest = manifest
      manifest.chunks = state.journal.rows
      manifest.counts.items = 0
      manifest.counts.contentBytes = 0
      manifest.counts.storedBytes = 0
      for row in manifest.chunks { try manifest.counts.add(row) }
      manifest.counts.largestItemBytes = state.journal.largestItemBytes
      return manifest
    }
  }

  private static func write(
    _ bytes: [UInt8], _ name: String, to storage: any WritableStorage
  ) throws(ArchiveError) {
    let file = try storage.create(name)
    try file.write(bytes.span.bytes)
    try file.commit()
  }
}
