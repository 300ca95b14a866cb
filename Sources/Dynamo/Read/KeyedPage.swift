import Archive
import JSON

/// A page whose items have been validated, with their keys.
struct KeyedPage: Sendable {
  /// An item of the page.
  struct Entry: Sendable {
    /// The item's object in the page's bytes.
    var object: Range<Int>
    /// Its canonical key in `canonical`.
    var key: Range<Int>
  }

  let page: Page
  private(set) var entries: [Entry] = []
  /// Canonical keys, one behind the other.
  private(set) var canonical: [UInt8] = []
  var bytes: [UInt8] { page.bytes }

  /// - Parameter scanner: of the table's key, be it that the page is an index's.
  /// - Throws: `ArchiveError` of code `badPage`.
  init(_ page: consuming Page, _ scanner: inout ItemScanner) throws(ArchiveError) {
    entries.reserveCapacity(page.cutter.items.count)
    do throws(ItemFault) {
      for item in page.cutter.items {
        _ = try scanner.scan(page.bytes.span, at: item.range.lowerBound)
        let start = canonical.count
        try CanonicalKey.append(page.bytes.span, scanner, to: &canonical)
        entries.append(Entry(object: item.range, key: start..<canonical.count))
      }
    } catch { throw ArchiveError(.badPage, "an item does not hold to the table: \(error)") }
    self.page = page
  }
}

extension PageReader {
  /// Goes through a segment; while `body` is at a page the next one travels.
  ///
  /// - Parameters:
  ///   - key: the table's.
  ///   - stop: after it no page is begun.
  func forEachPage(
    of segment: Int, key: KeySchema, stop: StopSignal, _ body: (KeyedPage) async throws -> Void
  ) async throws {
    var scanner = ItemScanner(key: key)
    var page: Page? = try await self.page(segment, startKey: nil)
    // Taken, so that a page does not stay in memory while the next one travels.
    while let current = page.take() {
      if stop.isRequested { return }
      let startKey = current.lastEvaluatedKey
      async let upcoming = startKey == nil ? nil : self.page(segment, startKey: startKey)
      let keyed = try KeyedPage(current, &scanner)
      try await body(keyed)
      gate.client.recycle(keyed.page.bytes)
      page = try await upcoming
    }
  }
}

extension ReadOptions {
  /// The same items, and nothing of them but the key.
  ///
  /// - Parameter key: the table's.
  func keysOnly(_ key: KeySchema) -> ReadOptions {
    var options = self
    let placeholders = key.attributes.indices.map { "#dynarcKey\($0)" }
    for (placeholder, attribute) in zip(placeholders, key.attributes) {
      options.names[placeholder] = .string(attribute.name)
    }
    options.projection = placeholders.joined(separator: ",")
    return options
  }
}

extension ReadPlan {
  /// A read of nothing but the keys of a table's items, consistent where that can be had.
  ///
  /// - Parameter read: which items.
  /// - Throws: `DynamoError` of code `usage` for whatever does not fit the table.
  static func keys(
    of table: TableDescription, _ read: ReadOptions = ReadOptions(), cores: Int
  ) throws(DynamoError) -> ReadPlan {
    var options = read.keysOnly(table.schema.key)
    options.consistent =
      read.index.flatMap { table.schema.index(named: $0) }?.kind != .global
    return try ReadPlan(table: table, options: options, cores: cores)
  }
}

extension ReadPlan {
  /// Segments in an order in which those that are read at a time lie far apart: what comes of neighbours
  /// would be written into one partition.
  var spreadSegments: [Int] {
    ChunkOrder.interleaved(Array(0..<description.totalSegments)) { $0 }
  }
}
