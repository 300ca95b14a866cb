extension ArchiveWriter {
  /// Reads all chunks of all runs once more and looks for keys that two items have; before `finish`.
  ///
  /// - Throws: `TransformError` of code `collision`; `ArchiveError` where a chunk is not as it was written.
  package func checkKeys(_ key: KeySchema) throws {
    let keys = KeyHashCollector()
    try forEachBlock(key) { block in
      keys.add(block.lines.map(\.key), in: block.keyBytes)
      return true
    }
    let repeated = keys.sorted().repeated
    guard repeated.count > 0 else { return }
    var example: String?
    try forEachBlock(key) { block in
      example = try repeated.example(in: block, key)
      return example == nil
    }
    throw TransformError.collision(repeated.count, example: example ?? "one key")
  }

  /// - Parameter body: returns whether to go on.
  private func forEachBlock(
    _ key: KeySchema, _ body: (borrowing LineBlock) throws -> Bool
  ) throws {
    for row in rows {
      var reader = try ChunkReader(
        Archive.openStored(row, in: storage), row, key: key, changes: nil, storedIsChecked: false)
      while try reader.next() { guard try body(reader.block) else { return } }
    }
  }
}
