internal import Digest
internal import JSON

/// What is left of a dump that was cut short, taken over by its next run: locked, checked and
/// cleared of what does not count.
struct Resumption {
  let appender: any StorageAppender
  var journal: Journal
  /// What had to be given up, for people.
  var warnings: [String] = []

  /// Takes an unfinished dump over.
  ///
  /// - Parameter begun: the journal to begin where the first run did not get as far as that.
  /// - Throws: `ArchiveError`: `missing`, `complete`, `locked`, `otherDump`, `damaged`, `foreign`,
  ///   or what the storage throws. Nothing has been changed then, but by `complete`, which removes
  ///   a journal left over.
  init(_ storage: any WritableStorage, begun: Journal) throws(ArchiveError) {
    let names = try Resumption.entries(storage).map(\.name)
    if names.contains(ArchiveNames.journal) {
      appender = try storage.resume(ArchiveNames.journal)
    } else {
      if names.contains(ArchiveNames.sums) { throw try Resumption.complete(storage) }
      try storage.repair()
      appender = try storage.append(ArchiveNames.journal)
    }
    // Only now is it sure that nobody else changes anything.
    let entries = try Resumption.entries(storage)
    if entries.contains(where: { $0.name == ArchiveNames.sums }) {
      let complete = try Resumption.complete(storage)
      try storage.remove(ArchiveNames.journal)
      throw complete
    }
    try storage.repair()
    let bytes = try storage.contents(ArchiveNames.journal, limit: Journal.sizeLimit)
    if let found = try Journal(parsing: bytes.span) {
      try Resumption.compare(found, begun)
      journal = found
      if bytes.count > found.length { try appender.truncate(to: found.length) }
    } else {
      journal = begun
      if let chunk = entries.first(where: { ChunkID(name: $0.name) != nil }) {
        throw Journal.fault("the journal has no whole first line, and there is \(chunk.name)")
      }
      try appender.truncate(to: 0)
      let line = begun.firstLine
      try appender.append(line.span.bytes)
      journal.grow(by: line.count)
    }
    try dropDamaged(storage)
    try clear(storage, entries)
  }

  /// What is there.
  ///
  /// - Throws: `ArchiveError` of code `foreign` for anything that no dump leaves behind.
  static func entries(
    _ storage: any WritableStorage
  ) throws(ArchiveError) -> [StorageEntry] {
    let entries: [StorageEntry]
    do throws(ArchiveError) { entries = try storage.entries() } catch {
      var error = error
      if error.code == .missing {
        error.message = "there is no dump to go on with at \(storage.location)"
        error.hint = "check the path, or begin a dump without --resume"
      }
      throw error
    }
    let own = [ArchiveNames.journal, ArchiveNames.manifest, ArchiveNames.sums]
    for entry in entries.sorted(by: { $0.name < $1.name }) {
      let isOwn =
        entry.name == ArchiveNames.data
        ? entry.kind == .directory
        : entry.kind == .file
          && (own.contains(entry.name) || ArchiveNames.isTemporary(entry.name)
            || ChunkID(name: entry.name) != nil)
      guard isOwn else {
        throw ArchiveError(
          .foreign,
          "it is nothing that a dump leaves behind, and \(storage.location) is left alone",
          file: entry.name, hint: "find out who put it there, and move it away")
      }
    }
    return entries
  }

  /// The error for an archive that has been committed.
  private static func complete(_ storage: any WritableStorage) throws(ArchiveError) -> ArchiveError
  {
    // What does not open is no finished dump; its journal may be needed to find out why.
    _ = try Archive.open(storage)
    return ArchiveError(
      .complete, "\(storage.location) is complete, there is nothing to go on with",
      hint: "verify it with dynarc verify, or dump into another directory")
  }

  private static func compare(_ journal: Journal, _ asked: Journal) throws(ArchiveError) {
    guard let found = Journal.difference(journal.parameters, asked.parameters) else { return }
    throw ArchiveError(
      .otherDump,
      "the dump was begun with \(found.member) \(text(found.begun)), and now it is "
        + text(found.asked), file: ArchiveNames.journal,
      hint: "go on with the same table and options, or dump into another directory")
  }

  private static func text(_ value: JSONValue?) -> String {
    value.map { String(decoding: $0.serialized(), as: UTF8.self) } ?? "unset"
  }

  /// Checks each chunk that the journal names. The first of a segment that is not what was written
  /// ends what is left of the segment.
  private mutating func dropDamaged(_ storage: any WritableStorage) throws(ArchiveError) {
    for (_, segment) in journal.segments.sorted(by: { $0.key < $1.key }) {
      for case let row? in segment.entries.map(\.row) {
        do throws(ArchiveError) { try Archive.checkStored(row, in: storage) } catch {
          guard error.code == .damaged || error.code == .missing else { throw error }
          try drop(row, because: error, storage)
          break
        }
      }
    }
  }

  private mutating func drop(
    _ row: ChunkRow, because fault: ArchiveError, _ storage: any WritableStorage
  ) throws(ArchiveError) {
    // First the journal: a row without a file would be found again, a file without a row is nothing.
    let line = Journal.line(dropped: row.id)
    try appender.append(line.span.bytes)
    journal.grow(by: line.count)
    let rows = try journal.drop(row.id)
    let items = rows.reduce(0) { $0 + $1.items }
    warnings.append(
      "\(fault); \(rows.count) chunk(s) of segment \(row.segment) with \(items) items are read again"
    )
  }

  /// Removes what the journal does not name.
  private func clear(
    _ storage: any WritableStorage, _ entries: [StorageEntry]
  ) throws(ArchiveError) {
    let kept = Set(journal.rows.map(\.name)).union([ArchiveNames.journal, ArchiveNames.data])
    for entry in entries where !kept.contains(entry.name) { try storage.remove(entry.name) }
  }
}

extension ArchiveError.Code {
  /// A dump that is asked to go on has been finished.
  public static let complete = Self(rawValue: "complete")
  /// The unfinished dump that is there was asked for something else.
  public static let otherDump = Self(rawValue: "other-dump")
  /// There is something that does not belong to an archive.
  public static let foreign = Self(rawValue: "foreign")
}
