internal import Synchronization

/// Compares the items of two sides by their keys, in bounded memory.
///
/// 1. Parts that both sides have, by the digest of their content, are left out: they hold the same items.
/// 2. The other parts are read, and of each item a hash of its bytes is kept. Items with the same bytes
///    on both sides are the same (`PartitionJoin`).
/// 3. The parts that hold any of the other items are read again. Those items are validated and sorted by
///    key (`ItemSorter`), which brings the two images of an item together.
/// 4. Images are compared in their canonical form (`CanonicalItem`), and what differs is given out, in
///    the order of the keys.
public struct Diff: Sendable {
  let sides: [any ItemSource]
  let options: DiffOptions

  /// - Throws: `ArchiveError` of code `usage` where the key schemas differ.
  public init(
    old: any ItemSource, new: any ItemSource, options: DiffOptions
  ) throws(ArchiveError) {
    guard old.key == new.key else {
      throw ArchiveError(
        .usage,
        "the keys differ: \(old.name) has \(old.key.typedWords), \(new.name) has "
          + new.key.typedWords, hint: "only items of one key can be compared")
    }
    sides = [old, new]
    self.options = options
  }

  /// Compares, and writes an archive of the changes.
  ///
  /// - Parameters:
  ///   - writer: of the archive.
  ///   - each: called as in `run`, when the batch has been written.
  /// - Returns: what it came to, and the archive's id.
  /// - Throws: as `run`; `ArchiveError` where the archive cannot be written. It is not committed then.
  public func write(
    _ writer: consuming ChangesWriter, tool: ArchiveTool,
    progress: @escaping @Sendable (DiffProgress) -> Void = { _ in },
    _ each: (borrowing ChangeBatch) throws -> Void = { _ in }
  ) async throws -> (summary: DiffSummary, id: String) {
    let summary = try await run(progress: progress) { batch in
      try writer.append(batch)
      try each(batch)
    }
    let id = try writer.finish(
      tool: tool, from: sides[0].origin, to: sides[1].origin, summary)
    return (summary, id)
  }
  /// Compares.
  ///
  /// - Parameters:
  ///   - progress: called now and then, from any task.
  ///   - each: called with the changes in their order, a batch at a time, on this task; what it throws
  ///     ends the comparison.
  /// - Returns: what it came to.
  /// - Throws: `ArchiveError`: `duplicateKey` where one side has two items of one key, `damaged`, or
  ///   what sources and the temporary directory throw; `CancellationError`.
  public func run(
    progress: @escaping @Sendable (DiffProgress) -> Void = { _ in },
    _ each: (borrowing ChangeBatch) throws -> Void
  ) async throws -> DiffSummary {
    let run = DiffRun(sides: sides, options: options, progress: progress)
    let wanted = try await run.withoutRespelled(try run.join(try await run.read()))
    let found = try await run.gather(wanted)
    return try run.merge(found, each)
  }
}

extension KeySchema {
  /// `customer (S) and number (N)`
  var typedWords: String {
    attributes.map { "\($0.name) (\($0.type.rawValue))" }.joined(separator: " and ")
  }
}

extension ArchiveError.Code {
  /// Two items of one side have the same key.
  public static let duplicateKey = Self(rawValue: "duplicate-key")
}
