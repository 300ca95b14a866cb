import Archive
import Synchronization

extension LoadJob {
  /// What the state file of this load belongs to.
  func identity(_ table: String, _ existing: ExistingItems) -> LoadCheckpoint.Identity {
    .init(
      archive: chain.id, table: table, work: .load(existing), rules: options.transforms.rules,
      hashKeyCheck: options.transforms.hashKeyCheck)
  }

  /// The rules by which the items differ from those that the source had: the archive's, then the load's.
  var changedBecause: String? {
    let dumped = chain.archives.lazy.map(\.manifest.source.transforms).first { !$0.isEmpty } ?? []
    let rules = dumped + options.transforms.rules
    return rules.isEmpty ? nil : ItemTransforms.words(rules)
  }

  /// Looks for what `run` looks for before it creates, deletes or writes anything. Writes nothing.
  ///
  /// - Throws: what `run` throws before its first request.
  public func rehearse(
    _ plan: LoadPlan, progress: @escaping @Sendable (WriteProgress) -> Void
  ) async throws {
    guard plan.settings.part != .schema else { return }
    _ = try await check(WriteState(items: plan.items, progress: progress))
  }

  /// Checks every file of the archives, and what the rules make of every line that is written.
  ///
  /// - Returns: which lines of a chain are written; nil for all.
  /// - Throws: `ArchiveError`; `TransformError` of code `mismatch` or `collision`; `CancellationError`.
  func check(_ state: WriteState) async throws -> LastingLines? {
    let lasting = try await offPool { [chain] in
      try chain.checkStored()
      return chain.changes.isEmpty ? nil : try LastingLines(chain)
    }
    guard !options.transforms.isEmpty else { return lasting }
    let keys = options.transforms.canCollide(manifest.table.key) ? KeyHashCollector() : nil
    try await forEachChanged(lasting) { block in
      keys?.add(block.lines.map(\.key), in: block.keyBytes)
      state.change { $0.checked += block.lines.count }
    }
    guard let keys else { return lasting }
    let repeated = try await offPool { keys.sorted().repeated }
    guard repeated.count == 0 else { throw try await collision(repeated, lasting) }
    return lasting
  }

  /// Goes through all lines that are written, as the rules make them, from several tasks.
  private func forEachChanged(
    _ lasting: LastingLines?, _ body: @escaping @Sendable (borrowing LineBlock) throws -> Void
  ) async throws {
    let (transforms, key) = (options.transforms, manifest.table.key)
    try await chain.parts.forEachTask(width: options.write.cores) { part in
      var reader = try part.archive.chunk(part.row, storedIsChecked: true)
      var changer = LineTransformer(transforms, key: key)
      while try reader.next() {
        try Task.checkCancellation()
        if let lasting { reader.keepLines(lasting, place: part.place) }
        try changer.change(reader.block)
        try body(changer.block)
      }
    }
  }

  /// The error that names one of the keys that several items get. All is read once more for it.
  private func collision(
    _ repeated: KeyHashSet, _ lasting: LastingLines?
  ) async throws -> any Error {
    let key = manifest.table.key
    let found = Mutex<String?>(nil)
    try await forEachChanged(lasting) { block in
      guard let example = try repeated.example(in: block, key) else { return }
      found.withLock { $0 = example }
    }
    return TransformError.collision(
      repeated.count, example: found.withLock { $0 } ?? "one key")
  }
}
