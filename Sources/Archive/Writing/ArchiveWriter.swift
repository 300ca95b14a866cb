internal import Digest
public import JSON
internal import Synchronization

/// Writes an archive: chunks under temporary names, journaled as they are finished, then the
/// manifest, then SHA256SUMS, which is the commit.
///
/// Safe to use from many tasks: each owns the `SegmentWriter` of its segment. `commit` and `finish`
/// wait for the disk; call them where blocking is allowed.
public final class ArchiveWriter: Sendable {
  private struct State {
    var rows: [ChunkRow] = []
    var largestItemBytes = 0
    var open: Set<Int> = []
    var done: Set<Int> = []
    var isFinished = false
  }

  private let storage: any WritableStorage
  private let journal: any StorageAppender
  private let level: Int
  private let limits: ChunkLimits
  private let state = Mutex(State())

  /// Creates the archive's directory and its journal.
  ///
  /// - Parameters:
  ///   - parameters: what was asked for, for the journal: no credential, no path.
  ///   - level: of zstd, 1 to 19.
  /// - Throws: `ArchiveError`; code `exists` where there is anything already.
  public init(
    storage: any WritableStorage, parameters: JSONObject, level: Int,
    limits: ChunkLimits = .standard
  ) throws(ArchiveError) {
    self.storage = storage
    self.level = level
    self.limits = limits
    try storage.prepare()
    journal = try storage.append(ArchiveNames.journal)
    try journal.append(Journal.firstLine(parameters).span.bytes)
  }

  /// The writer of a segment, once for each.
  public func segment(_ number: Int) throws(ArchiveError) -> SegmentWriter {
    precondition((0...ChunkID.largest).contains(number), "no such segment")
    let isNew = state.withLock { $0.open.insert(number).inserted && !$0.done.contains(number) }
    precondition(isNew, "segment \(number) has a writer already")
    return try SegmentWriter(number: number, storage: storage, level: level, limits: limits)
  }

  /// Makes a chunk durable, puts it under its name and journals it.
  public func commit(_ chunk: FinishedChunk) throws(ArchiveError) {
    try chunk.file.commit()
    var key: JSONValue?
    if let bytes = chunk.lastEvaluatedKey {
      do throws(JSONError) { key = try JSONValue.parse(bytes.span) } catch {
        throw ArchiveError(.badPage, "the LastEvaluatedKey is not JSON: \(error)")
      }
    }
    let line = Journal.line(
      chunk.row, largestItemBytes: chunk.largestItemBytes, lastEvaluatedKey: key)
    // The lock orders the lines; only other commits wait for it.
    try state.withLock { (state) throws(ArchiveError) in
      try journal.append(line.span.bytes)
      state.rows.append(chunk.row)
      state.largestItemBytes = max(state.largestItemBytes, chunk.largestItemBytes)
    }
  }

  /// Notes that a segment has been read to its end and its last chunk is committed.
  public func segmentDone(_ number: Int) throws(ArchiveError) {
    try state.withLock { (state) throws(ArchiveError) in
      try journal.append(Journal.line(segmentDone: number).span.bytes)
      state.open.remove(number)
      state.done.insert(number)
    }
  }

  /// Commits the archive: writes the manifest, then SHA256SUMS, then removes the journal.
  ///
  /// - Parameter manifest: its chunks, and the counts that follow from them, are filled in here.
  /// - Returns: the archive's id.
  /// - Throws: `ArchiveError`; code `unfinished` where a segment is not done, `damaged` where the
  ///   manifest contradicts itself: nothing is committed then.
  public func finish(_ manifest: Manifest) throws(ArchiveError) -> String {
    let manifest = try completed(manifest)
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
    try write(text, ArchiveNames.manifest)
    try write(sums, ArchiveNames.sums)
    try storage.remove(ArchiveNames.journal)
    return SHA256.digest(of: sums.span.bytes).description
  }

  private func completed(_ manifest: Manifest) throws(ArchiveError) -> Manifest {
    try state.withLock { (state) throws(ArchiveError) in
      precondition(!state.isFinished, "the archive is finished")
      if let open = state.open.min() {
        throw ArchiveError(.unfinished, "segment \(open) has not been read to its end")
      }
      state.isFinished = true
      var manifest = manifest
      manifest.chunks = state.rows.sorted { $0.id < $1.id }
      manifest.counts.items = 0
      manifest.counts.contentBytes = 0
      manifest.counts.storedBytes = 0
      for row in manifest.chunks { try manifest.counts.add(row) }
      manifest.counts.largestItemBytes = state.largestItemBytes
      return manifest
    }
  }

  private func write(_ bytes: [UInt8], _ name: String) throws(ArchiveError) {
    let file = try storage.create(name)
    try file.write(bytes.span.bytes)
    try file.commit()
  }
}
