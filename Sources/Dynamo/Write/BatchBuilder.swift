/// What to do with an item in a batch.
package enum WriteKind: Sendable {
  /// Put an item.
  case put
  /// Delete the item of a key object.
  case delete
}

/// Up to 25 puts or deletes as the body of one BatchWriteItem, spliced from slices.
///
/// The entries keep their own bytes and canonical keys, so that what the service did not process
/// is sent again from here and never from the service's echo of it.
package struct WriteBatch: Sendable {
  /// One operation.
  struct Entry: Sendable {
    /// `{"PutRequest":{"Item":{…}}}` in the body.
    var range: Range<Int>
    /// What it asks for.
    var kind: WriteKind
    /// The item or key object inside.
    var object: Range<Int>
    /// The canonical key in `keys`.
    var key: Range<Int>
    /// A hash of the key, so that few are compared.
    var keyHash: UInt64
  }

  /// The request body, complete.
  package fileprivate(set) var body: [UInt8]
  /// Canonical keys, one behind the other.
  fileprivate(set) var keys: [UInt8] = []
  fileprivate(set) var entries: [Entry] = []

  /// Its size as write capacity counts it, by the bytes on the wire: each item by itself, in whole
  /// KB.
  var kilobytes: Int { entries.reduce(0) { $0 + BatchBuilder.kilobytes($1.object.count) } }

  /// Its deletes, but for some of its entries.
  func deletes(without left: [Int]) -> Int {
    entries.count { $0.kind == .delete } - left.count { entries[$0].kind == .delete }
  }

  /// The entry that has a canonical key.
  func index(ofKey key: Span<UInt8>) -> Int? { index(ofKey: key, WriteBatch.hash(key)) }

  fileprivate func index(ofKey key: Span<UInt8>, _ hash: UInt64) -> Int? {
    for index in entries.indices where entries[index].keyHash == hash {
      let candidate = entries[index].key
      guard candidate.count == key.count else { continue }
      var offset = 0
      while offset < key.count, keys[candidate.lowerBound + offset] == key[offset] { offset += 1 }
      if offset == key.count { return index }
    }
    return nil
  }

  /// Eight bytes at a time; whoever makes keys of one hash only makes us compare them.
  fileprivate static func hash(_ key: Span<UInt8>) -> UInt64 {
    let bytes = key.bytes
    var hash = UInt64(truncatingIfNeeded: bytes.byteCount)
    var i = 0
    func mix(_ word: UInt64) {
      let (high, low) = (hash ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
      hash = high ^ low
    }
    while i + 8 <= bytes.byteCount {
      mix(bytes.unsafeLoadUnaligned(fromByteOffset: i, as: UInt64.self))
      i += 8
    }
    var rest: UInt64 = 0
    while i < bytes.byteCount {
      rest = rest << 8 | UInt64(bytes.unsafeLoad(fromByteOffset: i, as: UInt8.self))
      i += 1
    }
    mix(rest)
    return hash
  }

  /// A batch of some of the entries, in their order.
  func subset(_ indices: some Sequence<Int>, builder: BatchBuilder) -> WriteBatch {
    var part = builder
    part.begin(like: self)
    for index in indices { part.append(entries[index], of: self) }
    return part.close()
  }
}

/// Fills batches: at most 25 operations, at most 16 MB on the wire, no key twice. The service
/// rejects a whole batch that breaks one of these (API reference, BatchWriteItem).
package struct BatchBuilder: Sendable {
  /// Limits of the service.
  static let maximumEntries = 25
  static let maximumBytes = 16_000_000

  private let head: [UInt8]
  private static let tail = Array(#"]},"ReturnConsumedCapacity":"TOTAL"}"#.utf8)
  private let maximumKilobytes: Int?
  private var batch: WriteBatch
  private var kilobytes = 0

  /// Creates a builder for a table.
  ///
  /// - Parameters:
  ///   - quotedTable: its name as a JSON string.
  ///   - maximumKilobytes: `WriteBatch.kilobytes` of a batch of several items at most, where
  ///     a budget makes large batches too lumpy.
  package init(quotedTable: [UInt8], maximumKilobytes: Int? = nil) {
    self.maximumKilobytes = maximumKilobytes
    head = Array(#"{"RequestItems":{"#.utf8) + quotedTable + Array(":[".utf8)
    batch = WriteBatch(body: head)
    batch.entries.reserveCapacity(BatchBuilder.maximumEntries)
  }

  /// Whether nothing has been added since the last `take()`.
  var isEmpty: Bool { batch.entries.isEmpty }

  /// Adds an operation where it fits; otherwise says no, and the batch must be taken first.
  ///
  /// - Parameters:
  ///   - object: the item to put, or the key object of the item to delete.
  ///   - key: its canonical key.
  package mutating func add(
    _ kind: WriteKind, _ object: Span<UInt8>, key: Span<UInt8>
  ) -> Bool {
    let opening: StaticString =
      switch kind {
      case .put: #"{"PutRequest":{"Item":"#
      case .delete: #"{"DeleteRequest":{"Key":"#
      }
    let closing: StaticString = "}}"
    let length = opening.utf8CodeUnitCount + object.count + closing.utf8CodeUnitCount
    let kilobytes = kilobytes + BatchBuilder.kilobytes(object.count)
    let hash = WriteBatch.hash(key)
    guard batch.entries.count < BatchBuilder.maximumEntries,
      isEmpty || kilobytes <= maximumKilobytes ?? .max,
      isEmpty
        || batch.body.count + 1 + length + BatchBuilder.tail.count <= BatchBuilder.maximumBytes,
      isEmpty || batch.index(ofKey: key, hash) == nil
    else { return false }
    self.kilobytes = kilobytes
    separate()
    let start = batch.body.count
    append(opening)
    let objectStart = batch.body.count
    append(object)
    let objectEnd = batch.body.count
    append(closing)
    record(
      WriteBatch.Entry(
        range: start..<batch.body.count, kind: kind, object: objectStart..<objectEnd,
        key: batch.keys.count..<batch.keys.count + key.count, keyHash: hash), key)
    return true
  }

  /// The batch, complete; nil when it is empty.
  package mutating func take() -> WriteBatch? { isEmpty ? nil : close() }

  /// Begins anew, with room for as much as another batch holds: neighbours are of one size, and what
  /// grows step by step is copied at each.
  fileprivate mutating func begin(like other: WriteBatch) {
    batch = WriteBatch(body: [])
    batch.body.reserveCapacity(other.body.count + other.body.count / 8)
    batch.body += head
    batch.keys.reserveCapacity(other.keys.count + other.keys.count / 8)
    batch.entries.reserveCapacity(BatchBuilder.maximumEntries)
    kilobytes = 0
  }

  /// An item's size in whole KB.
  fileprivate static func kilobytes(_ bytes: Int) -> Int { (bytes + 1023) / 1024 }

  fileprivate mutating func close() -> WriteBatch {
    batch.body.append(contentsOf: BatchBuilder.tail)
    let full = batch
    begin(like: full)
    return full
  }

  fileprivate mutating func append(_ entry: WriteBatch.Entry, of other: WriteBatch) {
    separate()
    let shift = batch.body.count - entry.range.lowerBound
    append(other.body.span.extracting(entry.range))
    let keyStart = batch.keys.count
    record(
      WriteBatch.Entry(
        range: entry.range.lowerBound + shift..<entry.range.upperBound + shift, kind: entry.kind,
        object: entry.object.lowerBound + shift..<entry.object.upperBound + shift,
        key: keyStart..<keyStart + entry.key.count, keyHash: entry.keyHash),
      other.keys.span.extracting(entry.key))
  }

  private mutating func separate() {
    if !isEmpty { batch.body.append(UInt8(ascii: ",")) }
  }

  private mutating func append(_ text: StaticString) {
    batch.body.append(
      contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  private mutating func append(_ bytes: Span<UInt8>) {
    bytes.withUnsafeBufferPointer { batch.body.append(contentsOf: $0) }
  }

  private mutating func record(_ entry: WriteBatch.Entry, _ key: Span<UInt8>) {
    key.withUnsafeBufferPointer { batch.keys.append(contentsOf: $0) }
    batch.entries.append(entry)
  }
}
