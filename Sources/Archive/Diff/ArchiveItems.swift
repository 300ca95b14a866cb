internal import Digest

/// An archive, or a slice of one, as a side of a comparison.
public struct ArchiveItems: ItemSource {
  public let name: String
  public let parts: [ItemPart]
  public var key: KeySchema { archive.manifest.table.key }
  public var isRepeatable: Bool { true }
  public var readersWanted: Int? { nil }
  /// A table's keys are unique; in an index they are those of the table, and an item that moves while
  /// the index is scanned can be met twice.
  public var hasUniqueKeys: Bool { archive.manifest.source.read.indexName == nil }

  private let archive: Archive
  private let slice: KeySlice?

  /// - Parameter slice: which of the items; nil for all.
  /// - Throws: `ArchiveError` of code `unsupported` for an archive whose items cannot be compared by key.
  public init(_ archive: Archive, slice: KeySlice? = nil) throws(ArchiveError) {
    // Chunks that both sides have are not read: they must at least be there.
    if var problem = try archive.entryProblems(.quick).first {
      problem.hint = problem.hint ?? "dynarc verify \(archive.storage.location) tells more"
      throw problem
    }
    let name = archive.storage.location
    guard archive.manifest.changes == nil else {
      throw ArchiveError(
        .unsupported, "\(name) holds changes between two archives, and no items to compare",
        hint:
          "name one of the two archives instead, or merge the changes into a snapshot by dynarc merge"
      )
    }
    guard !archive.manifest.source.keyless else {
      throw ArchiveError(
        .unsupported,
        "\(name) holds items without keys, and items are compared by their keys",
        hint: "dump without --allow-keyless, with the key attributes in the projection")
    }
    self.archive = archive
    self.slice = slice
    self.name = name
    let isWhole = slice == nil
    parts = archive.manifest.chunks.map {
      ItemPart(
        file: $0.name, contentSHA256: isWhole ? $0.contentSHA256 : nil,
        items: isWhole ? $0.items : nil,
        contentBytes: $0.contentBytes)
    }
  }

  public var origin: ItemOrigin {
    let manifest = archive.manifest
    let side = ChangesSide(
      archiveID: archive.id, sameItemsAs: manifest.sameItemsAs,
      tableName: manifest.source.tableName, tableARN: manifest.source.tableARN,
      tableID: manifest.source.tableID,
      items: manifest.counts.items, startTime: manifest.startTime, endTime: manifest.endTime,
      slice: slice?.words)
    return ItemOrigin(
      side: side, source: manifest.source, table: manifest.table, settings: manifest.settings)
  }

  public func read(
    part: Int, _ detail: ItemDetail, _ body: (borrowing LineBlock) async throws -> Bool
  ) async throws {
    let row = archive.manifest.chunks[part]
    // Only keys tell what belongs to a slice.
    if detail == .keys || slice != nil {
      var reader = try archive.chunk(row)
      while try reader.next() {
        try Task.checkCancellation()
        if let slice { reader.keepLines(of: slice) }
        guard try await body(reader.block) else { return }
      }
      return
    }
    var reader = try archive.lines(row, again: detail == .linesAgain)
    while try reader.next() {
      try Task.checkCancellation()
      guard try await body(reader.block) else { return }
    }
  }
}

extension Archive {
  /// A reader of a chunk's lines that does not look into them.
  func lines(_ row: ChunkRow, again: Bool) throws(ArchiveError) -> LineReader {
    try LineReader(try Archive.openStored(row, in: storage), row, again: again)
  }
}
