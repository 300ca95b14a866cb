/// What to do with an item in a batch.
package enum WriteKind: Sendable {
  /// Put an item; entries are made of `{"Item":{…}}` lines.
  case put
  /// Delete by key; entries are made of key objects.
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
    /// The item or key object inside.
    var object: Range<Int>
    /// The canonical key in `keys`.
    var key: Range<Int>
  }

  /// The request body, complete.
  package fileprivate(set) var body: [UInt8]
  /// Canonical keys, one behind the other.
  fileprivate(set) var keys: [UInt8] = []
  fileprivate(set) var entries: [Entry] = []

  /// Its size as write capacity counts it, by the bytes on the wire: each item by itself, in whole
  /// KB.
  var kilobytes: Int { entries.reduce(0) { $0 + BatchBuilder.kilobytes($1.object.count) } }

  /// The entry that has a canonical key.
  func index(ofKey key: Span<UInt8>) -> Int? {
    entries.firstIndex { entry in
      guard entry.key.count == key.count else { return false }
      for offset in 0..<key.count where keys[entry.key.lowerBound + offset] != key[offset] {
        return false
      }
      return true
    }
  }

  /// A batch of some of the entries, in their order.
  func subset(_ indices: some Sequence<Int>, builder: BatchBuilder) -> WriteBatch {
    var part = builder
    part.reset()
    for index in indices {
      let entry = entries[index]
      part.append(
        entry: body.span.extracting(entry.range),
        objectOffset: entry.object.lowerBound - entry.range.lowerBound,
        objectLength: entry.object.count, key: keys.span.extracting(entry.key))
    }
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
  }

  /// Whether nothing has been added since the last `take()`.
  var isEmpty: Bool { batch.entries.isEmpty }

  /// Adds an operation where it fits; otherwise says no, and the batch must be taken first.
  ///
  /// - Parameters:
  ///   - payload: a line `{"Item":{…}}` for a put, a key object for a delete.
  ///   - object: the item or key object in `payload`.
  ///   - key: its canonical key.
  package mutating func add(
    _ kind: WriteKind, payload: Span<UInt8>, object: Range<Int>, key: Span<UInt8>
  ) -> Bool {
    let opening: StaticString =
      switch kind {
      case .put: #"{"PutRequest":"#
      case .delete: #"{"DeleteRequest":{"Key":"#
      }
    let closing: StaticString = kind == .put ? "}" : "}}"
    let length = opening.utf8CodeUnitCount + payload.count + closing.utf8CodeUnitCount
    let kilobytes = kilobytes + BatchBuilder.kilobytes(object.count)
    guard batch.entries.count < BatchBuilder.maximumEntries,
      isEmpty || kilobytes <= maximumKilobytes ?? .max,
      isEmpty
        || batch.body.count + 1 + length + BatchBuilder.tail.count <= BatchBuilder.maximumBytes,
      isEmpty || batch.index(ofKey: key) == nil
    else { return false }
    self.kilobytes = kilobytes
    separate()
    let start = batch.body.count
    append(opening)
    let payloadStart = batch.body.count
    append(payload)
    append(closing)
    record(
      start..<batch.body.count,
      (payloadStart + object.lowerBound)..<(payloadStart + object.upperBound), key)
    return true
  }

  /// The batch, complete; nil when it is empty.
  package mutating func take() -> WriteBatch? {
    guard !isEmpty else { return nil }
    let full = close()
    reset()
    return full
  }

  fileprivate mutating func reset() {
    batch = WriteBatch(body: head)
    kilobytes = 0
  }

  /// An item's size in whole KB.
  fileprivate static func kilobytes(_ bytes: Int) -> Int { (bytes + 1023) / 1024 }

  fileprivate func close() -> WriteBatch {
    var full = batch
    full.body.append(contentsOf: BatchBuilder.tail)
    return full
  }

  fileprivate mutating func append(
    entry: Span<UInt8>, objectOffset: Int, objectLength: Int, key: Span<UInt8>
  ) {
    separate()
    let start = batch.body.count
    append(entry)
    let object = start + objectOffset
    record(start..<batch.body.count, object..<(object + objectLength), key)
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

  private mutating func record(_ range: Range<Int>, _ object: Range<Int>, _ key: Span<UInt8>) {
    let keyStart = batch.keys.count
    key.withUnsafeBufferPointer { batch.keys.append(contentsOf: $0) }
    batch.entries.append(
      WriteBatch.Entry(range: range, object: object, key: keyStart..<batch.keys.count))
  }
}
