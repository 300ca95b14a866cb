import Archive
import JSON

/// What a BatchWriteItem answered: which operations of the batch it did not process.
struct BatchAnswer: Sendable {
  /// Indices of the batch's entries that must be sent again.
  var unprocessed: [Int] = []
  /// Write capacity units consumed, of the table and its indexes; nil where the service does not
  /// tell.
  var consumedUnits: Double?

  /// Reads the answer to `batch`.
  ///
  /// What the service echoes is matched to the batch by key; anything that is not of this batch
  /// makes the answer unusable, for then nobody knows what was written.
  ///
  /// - Throws: `DynamoError` of code `badAnswer`.
  init(_ bytes: Span<UInt8>, batch: WriteBatch, key: KeySchema) throws(DynamoError) {
    var scanner = JSONScanner()
    var keys = ItemScanner(key: key)
    do throws(JSONError) {
      try JSONWalk.object(bytes, at: scanner.skipWhitespace(bytes, at: 0), &scanner) {
        name, value, end, scanner throws(JSONError) in
        if name == "ConsumedCapacity" {
          consumedUnits = try BatchAnswer.units(bytes, value..<end)
        }
        guard name == "UnprocessedItems" else { return }
        try JSONWalk.object(bytes, at: value, &scanner) {
          _, list, _, scanner throws(JSONError) in
          try JSONWalk.array(bytes, at: list, &scanner) { entry, _, scanner throws(JSONError) in
            // {"PutRequest":{"Item":{…}}} or {"DeleteRequest":{"Key":{…}}}
            try JSONWalk.object(bytes, at: entry, &scanner) {
              _, request, _, scanner throws(JSONError) in
              try JSONWalk.object(bytes, at: request, &scanner) {
                _, object, _, _ throws(JSONError) in
                unprocessed.append(try BatchAnswer.match(bytes, object, batch, &keys))
              }
            }
          }
        }
      }
    } catch {
      throw DynamoError(.badAnswer, "BatchWriteItem gave an answer that cannot be used: \(error)")
    }
    guard Set(unprocessed).count == unprocessed.count else {
      throw DynamoError(.badAnswer, "BatchWriteItem named one item twice as unprocessed")
    }
    unprocessed.sort()
  }

  private static func match(
    _ bytes: Span<UInt8>, _ object: Int, _ batch: WriteBatch, _ keys: inout ItemScanner
  ) throws(JSONError) -> Int {
    var canonical: [UInt8] = []
    do throws(ItemFault) {
      _ = try keys.scan(bytes, at: object)
      try CanonicalKey.append(bytes, keys, to: &canonical)
    } catch { throw JSONError(.unexpectedByte, at: object) }
    guard let index = batch.index(ofKey: canonical.span) else {
      throw JSONError(.unexpectedByte, at: object)
    }
    return index
  }

  /// The sum of `CapacityUnits` over the tables of a `ConsumedCapacity` list or object.
  static func units(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(JSONError) -> Double {
    let value = try JSONValue.parse(bytes.extracting(range))
    let entries = value.array ?? [value]
    return entries.reduce(0) { $0 + ($1["CapacityUnits"]?.double ?? 0) }
  }
}
