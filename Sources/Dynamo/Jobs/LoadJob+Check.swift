import Archive

extension LoadJob {
  /// What the state file of this load belongs to.
  func identity(_ table: String, _ existing: ExistingItems) -> LoadCheckpoint.Identity {
    .init(
      archive: chain.id, table: table, work: .load(existing), rules: options.transforms.rules,
      hashKeyCheck: options.transforms.hashKeyCheck)
  }

  /// The rules by which the items differ from those that the source had.
  var changedBecause: String? {
    let dumped = chain.archives.lazy.map(\.manifest.source.transforms).first { !$0.isEmpty }
    let words = [
      dumped.map(ItemTransforms.words), options.transforms.isEmpty ? nil : options.transforms.words,
    ]
    let given = words.compactMap(\.self)
    return given.isEmpty ? nil : given.joined(separator: "; ")
  }

  /// Looks for what `run` would find before it creates, deletes or writes anything; so does not `run`.
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
    let transforms = options.transforms
    guard !transforms.isEmpty else { return lasting }
    let key = manifest.table.key
    let keys = transforms.canCollide(key) ? KeyHashCollector() : nil
    try await chain.parts.forEachTask(width: options.write.cores) { part in
      var reader = try part.archive.chunk(part.row, storedIsChecked: true)
      var changer = LineTransformer(transforms, key: key)
      while try reader.next() {
        try Task.checkCancellation()
        if let lasting { reader.keepLines(lasting, place: part.place) }
        try changer.change(reader.block)
        let block = changer.block
        keys?.add(block.lines.map(\.key), in: block.keyBytes)
        state.change { $0.checked += block.lines.count }
      }
    }
    if let keys { try await offPool { try keys.sorted().checkUnique(transforms) } }
    return lasting
  }
}
