internal import JSON

extension DiffRun {
  /// The second reading: the items that are not the same, sorted by key.
  func gather() async throws -> [ItemSorter.Output] {
    let parts = partsToRead.enumerated().map { side, parts in
      parts.filter { wanted.items(side, $0).count > 0 }
    }
    let pool = SorterPool(
      limit: options.memory / 2 / max(1, options.concurrency), scratch: scratch)
    _ = try await forEach(DiffRun.interleaved(parts)) { [self] side, part in
      try await gather(side, part, pool)
    }
    return pool.outputs()
  }

  private func gather(_ side: Int, _ part: Int, _ pool: SorterPool) async throws {
    let source = sides[side]
    let items = wanted.items(side, part)
    var sorter = pool.take()
    var scanner = ItemScanner(key: source.key)
    var (canonical, ordered): ([UInt8], [UInt8]) = ([], [])
    var (index, left) = (0, items.count)
    try await source.read(part: part, .linesAgain) { block in
      let bytes = block.bytes.span
      for line in block.lines {
        defer { index += 1 }
        guard items.contains(index) else { continue }
        canonical.removeAll(keepingCapacity: true)
        ordered.removeAll(keepingCapacity: true)
        do throws(ItemFault) {
          let end = try scanner.scan(bytes, at: line.item.lowerBound)
          guard end == line.item.upperBound, !scanner.sawLineBreak else {
            throw .json(.init(.trailingBytes, at: end))
          }
          try CanonicalKey.append(bytes, scanner, to: &canonical)
        } catch {
          throw ArchiveError(
            .damaged, "item \(index + 1): \(error)", file: source.parts[part].file,
            offset: line.contentOffset)
        }
        OrderedKey.append(canonical.span, to: &ordered)
        try sorter.add(key: ordered.span, item: bytes.extracting(line.item), isNew: side == 1)
        left -= 1
      }
      counter.readAgain(block)
      return left > 0
    }
    guard left == 0 else {
      throw ArchiveError(
        .damaged, "it has changed while it was compared", file: source.parts[part].file)
    }
    pool.put(sorter)
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
