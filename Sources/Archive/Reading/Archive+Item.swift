extension Archive {
  /// Finds an item by its key: chunk by chunk, up to the first that holds it.
  ///
  /// - Parameter slice: of that item (`KeySlice.init(item:partition:sort:)`).
  /// - Returns: the item's object, typed JSON, of a chunk that has been checked to its end; nil where
  ///   all have been and none holds it.
  /// - Throws: `ArchiveError` of code `damaged` for a chunk on the way, of code `unsupported` for an
  ///   archive of changes or without keys; `CancellationError`.
  public func item(_ slice: KeySlice) throws -> [UInt8]? {
    guard manifest.changes == nil else {
      throw ArchiveError(
        .unsupported, "\(storage.location) holds changes, and no items to be found by their keys",
        hint: "ask the snapshot, or merge the changes into one by dynarc merge")
    }
    guard !manifest.source.keyless else {
      throw ArchiveError(
        .unsupported, "\(storage.location) holds items without keys, so none is found by its key",
        hint: "look through them with: dynarc cat \(storage.location)")
    }
    for row in manifest.chunks {
      var reader = try chunk(row)
      var found: [UInt8]?
      while try reader.next() {
        try Task.checkCancellation()
        reader.keepLines(of: slice)
        guard found == nil, let line = reader.block.lines.first else { continue }
        found = Array(reader.block.bytes[line.item])
      }
      if let found { return found }
    }
    return nil
  }
}
