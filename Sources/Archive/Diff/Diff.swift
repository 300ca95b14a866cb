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
        "the keys differ: \(old.name) has \(Diff.words(old.key)), \(new.name) has "
          + Diff.words(new.key), hint: "only items of one key can be compared")
    }
    sides = [old, new]
    self.options = options
  }

  private static func words(_ key: KeySchema) -> String {
    key.attributes.map { "\($0.name) (\($0.type.rawValue))" }.joined(separator: " and ")
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

extension ArchiveError.Code {
  /// Two items of one side have the same key.
  public static let duplicateKey = Self(rawValue: "duplicate-key")
}
