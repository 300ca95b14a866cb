extension DiffRun {
  /// The second reading: the items that are not the same, sorted by key.
  func gather(_ wanted: WantedItems) async throws -> [ItemSorter.Output] {
    // Nothing has to be waited for any more: what is no archive has been kept.
    try await forEach(partsWith(wanted), atATime: max(1, options.concurrency)) {
      [self] side, part in
      try await gather(side, part, wanted.items(side, part))
    }
    return sorters.outputs()
  }

  private func gather(_ side: Int, _ part: Int, _ items: WantedItems.Items) async throws {
    let source = sides[side]
    var gatherer = gatherer()
    let file = source.parts[part].file
    var (index, left) = (0, items.count)
    try await source.read(part: part, .linesAgain) { block in
      for line in block.lines {
        if items.contains(index) {
          try gatherer.add(block.bytes.span, line, index: index, isNew: side == 1, file: file)
          left -= 1
        }
        index += 1
      }
      counter.readAgain(block)
      return left > 0
    }
    guard left == 0 else {
      throw ArchiveError(
        .damaged, "it has changed while it was compared", file: file)
    }
    sorters.put(gatherer.sorter)
  }

  /// Brings the images of each item together, and gives out what differs.
  func merge(
    _ found: [ItemSorter.Output], _ each: (borrowing ChangeBatch) throws -> Void
  ) throws -> DiffSummary {
    // A cursor holds a piece of its run and where the items in it are.
    let fanIn = max(4, options.memory / 4 / (512 << 10))
    let runs = try ItemMerge.reduce(found.flatMap(\.runs), to: fanIn, scratch: scratch)
    var cursors = found.map { ItemCursor($0.rest) }
    for run in runs { cursors.append(try ItemCursor(run)) }
    var merge = ItemMerge(cursors)
    var pairs = ImagePairs(sides: sides, filter: options.attributes)
    func giveOut(_ batch: borrowing ChangeBatch) throws {
      try Task.checkCancellation()
      counter.found(batch.changes)
      try each(batch)
    }
    while let cursor = merge.next, let item = cursor.current {
      try pairs.add(cursor.bytes.span, item)
      if pairs.isFull {
        try giveOut(pairs.batch)
        pairs.clear()
      }
      try merge.step()
    }
    try pairs.end()
    if !pairs.batch.changes.isEmpty { try giveOut(pairs.batch) }
    var summary = counter.summary
    summary.bytesSpilled = scratch.bytesWritten
    return summary
  }
}
