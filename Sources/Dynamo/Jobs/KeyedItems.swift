import Archive

/// Items that are to be put, with their canonical keys, in buffers that they share.
struct KeyedItems {
  private(set) var bytes: [UInt8]
  private(set) var entries: [KeyedPage.Entry]
  private(set) var canonical: [UInt8]

  /// The items of a page.
  init(_ page: KeyedPage) {
    (bytes, entries, canonical) = (page.bytes, page.entries, page.canonical)
  }

  /// The items that were found by their keys.
  init(_ answer: ItemFetcher.Answer) {
    (bytes, canonical) = (answer.bytes, answer.batch.canonical)
    entries = answer.content.found.map { found in
      KeyedPage.Entry(object: found.item, key: answer.batch.entries[found.key].key)
    }
  }

  /// Makes them what rules make of them.
  ///
  /// - Parameter changer: nil where they stay as they are.
  /// - Throws: what `LineTransformer.append` throws.
  mutating func change(by changer: inout LineTransformer?) throws {
    guard changer != nil else { return }
    changer?.begin()
    for entry in entries { try changer?.append(bytes.span.extracting(entry.object)) }
    guard let block = changer?.block else { return }
    (bytes, canonical) = (block.bytes, block.keyBytes)
    entries = block.lines.map { KeyedPage.Entry(object: $0.item, key: $0.key) }
  }
}
