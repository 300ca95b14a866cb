/// The last state of a chain as a side of a comparison.
public struct ChainItems: ItemSource {
  public let name: String
  public let parts: [ItemPart]
  public let origin: ItemOrigin
  public var key: KeySchema { chain.base.manifest.table.key }
  public var isRepeatable: Bool { true }
  public var readersWanted: Int? { nil }
  public var hasUniqueKeys: Bool { chain.base.manifest.source.read.indexName == nil }

  private let chain: ArchiveChain
  private let chunks: [ArchivePart]
  private let lasting: LastingLines

  /// Reads the changes; the snapshot is read when it is compared.
  ///
  /// - Throws: what `LastingLines` throws; `ArchiveError` of code `damaged` for files that are not there.
  public init(_ chain: ArchiveChain) throws {
    try chain.checkEntries()
    self.chain = chain
    lasting = try LastingLines(chain)
    name = (chain.changes.last ?? chain.base).storage.location
    chunks = chain.parts
    // How many of a chunk's items last is known when they have been read.
    parts = chunks.map {
      ItemPart(
        file: "\($0.archive.storage.location)/\($0.row.name)", items: $0.row.items,
        contentBytes: $0.row.contentBytes)
    }
    let last = chain.last
    let side = ChangesSide(
      archiveID: chain.names[0], sameItemsAs: Array(chain.names.dropFirst()),
      tableName: last.source.tableName, tableARN: last.source.tableARN,
      tableID: last.source.tableID, items: chain.items, startTime: last.startTime,
      endTime: last.endTime)
    origin = ItemOrigin(
      side: side, source: last.source, table: last.table, settings: last.settings)
  }

  public func read(
    part: Int, _ detail: ItemDetail, _ body: (borrowing LineBlock) async throws -> Bool
  ) async throws {
    // Only keys tell what lasts, so that they are found whatever is asked for.
    let part = chunks[part]
    var reader = try part.reader()
    while try part.next(&reader) {
      try Task.checkCancellation()
      reader.keepLines(lasting, place: part.place)
      guard try await body(reader.block) else { return }
    }
  }
}
