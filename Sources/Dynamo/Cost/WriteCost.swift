public import Archive

/// What putting items into a table costs by the size rules, item by item: the table, and each index that
/// an item has all key attributes of (Developer Guide, "Capacity unit consumption for writes").
///
/// It is exact for items that replace nothing. One that replaces a larger one costs what that is worth.
public struct WriteCost: Sendable, Equatable {
  /// The table, or one of its indexes.
  public struct Part: Sendable, Equatable {
    /// The index's name; nil for the table.
    public var index: String?
    public var items = 0
    /// Names and values (`StoredSize`).
    public var bytes = 0
    /// One for each KB of each item that is begun.
    public var writeUnits = 0

    /// What is paid for as storage: 100 bytes more for each item (DynamoDB's pricing page, and
    /// Developer Guide, "Storage considerations" of indexes).
    public var billedBytes: Int { bytes + 100 * items }
  }

  /// The table first, then its indexes.
  public private(set) var parts: [Part]
  private let indexes: [Index]

  /// UTF-8: names are compared by their bytes.
  private struct Index: Sendable, Equatable {
    var keys: [[UInt8]]
    /// Nil for all attributes.
    var projected: [[UInt8]]?
  }

  public init(_ schema: TableSchema) {
    parts = [Part()] + schema.indexes.map { Part(index: $0.name) }
    let tableKeys = schema.key.attributes.map { Array($0.name.utf8) }
    indexes = schema.indexes.map { index in
      let keys = index.key.attributes.map { Array($0.name.utf8) }
      let others = tableKeys + index.projection.nonKeyAttributes.map { Array($0.utf8) }
      return Index(keys: keys, projected: index.projection.type == "ALL" ? nil : keys + others)
    }
  }

  /// Of all of them together.
  public var writeUnits: Int { parts.reduce(0) { $0 + $1.writeUnits } }
  public var billedBytes: Int { parts.reduce(0) { $0 + $1.billedBytes } }

  /// Counts an item.
  ///
  /// - Parameter item: the bytes of its object, which a reader of lines has validated.
  public mutating func add(_ bytes: Span<UInt8>, _ item: Range<Int>) {
    var whole = 0
    var found = Array(repeating: 0, count: indexes.count)
    var sizes = found
    let indexes = indexes
    StoredSize.attributes(bytes, item) { name, value in
      let size = name.count + value
      whole += size
      for (place, index) in indexes.enumerated() {
        if index.keys.has(name) { found[place] += 1 }
        if index.projected?.has(name) ?? true { sizes[place] += size }
      }
    }
    count(whole, in: 0)
    for (place, index) in indexes.enumerated() where found[place] == index.keys.count {
      count(sizes[place], in: place + 1)
    }
  }

  /// Counts what another one has, which is of the same table.
  public mutating func add(_ other: WriteCost) {
    for (place, part) in other.parts.enumerated() {
      parts[place].items += part.items
      parts[place].bytes += part.bytes
      parts[place].writeUnits += part.writeUnits
    }
  }

  private mutating func count(_ bytes: Int, in place: Int) {
    parts[place].items += 1
    parts[place].bytes += bytes
    parts[place].writeUnits += max((bytes + 1023) / 1024, 1)
  }
}

extension [[UInt8]] {
  fileprivate func has(_ name: Span<UInt8>) -> Bool {
    for candidate in self where candidate.count == name.count {
      if name.withUnsafeBufferPointer({ $0.elementsEqual(candidate) }) { return true }
    }
    return false
  }
}
