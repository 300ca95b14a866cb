import Archive
import JSON

/// Keys for one BatchGetItem, none twice: the service refuses more than 100, and a key that stands there
/// twice (API reference, BatchGetItem).
struct KeyBatch: Sendable {
  /// What the service takes.
  static let maximumKeys = 100

  /// Key objects `{"id":{"S":"a"}}` and canonical keys, one behind the other.
  private(set) var objects: [UInt8] = []
  private(set) var canonical: [UInt8] = []
  private(set) var entries: [KeyedPage.Entry] = []
  private var places: [[UInt8]: Int] = [:]
  private let limit: Int

  /// - Parameter limit: keys at most.
  init(limit: Int = maximumKeys) { self.limit = min(max(limit, 1), KeyBatch.maximumKeys) }

  var count: Int { entries.count }

  /// Adds a key where it fits; otherwise says no, and the batch must be taken first.
  mutating func add(_ object: Span<UInt8>, key: Span<UInt8>) -> Bool {
    guard count < limit else { return false }
    let bytes = key.withUnsafeBufferPointer { Array($0) }
    guard places[bytes] == nil else { return false }
    places[bytes] = count
    let (start, keyStart) = (objects.count, canonical.count)
    object.withUnsafeBufferPointer { objects.append(contentsOf: $0) }
    canonical += bytes
    entries.append(.init(object: start..<objects.count, key: keyStart..<canonical.count))
    return true
  }

  /// The batch, complete, and an empty one in its place; nil when it is empty.
  mutating func take() -> KeyBatch? {
    guard count > 0 else { return nil }
    defer { self = KeyBatch(limit: limit) }
    return self
  }

  /// Which key one is.
  func index(ofKey key: [UInt8]) -> Int? { places[key] }

  /// A batch of some of the keys, in their order.
  func subset(_ indices: [Int]) -> KeyBatch {
    var part = KeyBatch(limit: limit)
    for index in indices {
      _ = part.add(
        objects.span.extracting(entries[index].object),
        key: canonical.span.extracting(entries[index].key))
    }
    return part
  }

  /// The request for their items as they are now.
  func request(quotedTable: [UInt8]) -> [UInt8] {
    var body = Array(#"{"RequestItems":{"#.utf8) + quotedTable + Array(#":{"Keys":["#.utf8)
    for (index, entry) in entries.enumerated() {
      if index > 0 { body.append(UInt8(ascii: ",")) }
      body += objects[entry.object]
    }
    body += #"],"ConsistentRead":true}},"ReturnConsumedCapacity":"TOTAL"}"#.utf8
    return body
  }
}

/// What a BatchGetItem answered about each key of a batch.
struct BatchGetAnswer: Sendable {
  /// Items that are there: the key's index in the batch, and the item's object in the answer.
  private(set) var found: [(key: Int, item: Range<Int>)] = []
  /// Indices of keys that must be asked for again.
  private(set) var unprocessed: [Int] = []
  /// Indices of keys of which the table has no item.
  private(set) var absent: [Int] = []
  /// Read capacity units; nil where the service does not tell.
  private(set) var consumedUnits: Double?

  /// Reads the answer to a batch.
  ///
  /// That an item is not there follows from its absence in the answer, so the answer must be complete
  /// beyond doubt: the table's list must be there, and nothing in it that was not asked for.
  ///
  /// - Throws: `DynamoError` of code `badAnswer`.
  init(
    _ bytes: Span<UInt8>, batch: KeyBatch, table: String, key: KeySchema
  ) throws(DynamoError) {
    var scanner = JSONScanner()
    var keys = ItemScanner(key: key)
    var told = [Bool](repeating: false, count: batch.count)
    var hasResponses = false
    var hasTable = false
    do throws(JSONError) {
      let start = scanner.skipWhitespace(bytes, at: 0)
      let end = try JSONWalk.object(bytes, at: start, &scanner) {
        name, value, end, scanner throws(JSONError) in
        switch name {
        case "ConsumedCapacity":
          consumedUnits = try BatchAnswer.units(bytes, value..<end)
        case "Responses":
          guard !hasResponses else { throw JSONError(.duplicateName, at: value) }
          hasResponses = true
          try JSONWalk.object(bytes, at: value, &scanner) {
            name, list, _, scanner throws(JSONError) in
            guard name == table, !hasTable else { throw JSONError(.unexpectedByte, at: list) }
            hasTable = true
            try JSONWalk.array(bytes, at: list, &scanner) { item, end, _ throws(JSONError) in
              let index = try BatchGetAnswer.match(bytes, item, batch, &keys, &told)
              found.append((index, item..<end))
            }
          }
        case "UnprocessedKeys":
          // {"Orders":{"Keys":[…],"ConsistentRead":true}}
          try JSONWalk.object(bytes, at: value, &scanner) {
            _, request, _, scanner throws(JSONError) in
            try JSONWalk.object(bytes, at: request, &scanner) {
              name, list, _, scanner throws(JSONError) in
              guard name == "Keys" else { return }
              try JSONWalk.array(bytes, at: list, &scanner) { object, _, _ throws(JSONError) in
                unprocessed.append(
                  try BatchGetAnswer.match(bytes, object, batch, &keys, &told))
              }
            }
          }
        default: break
        }
      }
      guard scanner.skipWhitespace(bytes, at: end) == bytes.count else {
        throw JSONError(.trailingBytes, at: end)
      }
    } catch {
      throw DynamoError(.badAnswer, "BatchGetItem gave an answer that cannot be used: \(error)")
    }
    absent = told.indices.filter { !told[$0] }
    guard absent.isEmpty || hasTable else {
      throw DynamoError(.badAnswer, "BatchGetItem answered without the items of \(table)")
    }
    unprocessed.sort()
  }

  /// Which key of the batch an item or key object is of; each may be told of once.
  private static func match(
    _ bytes: Span<UInt8>, _ object: Int, _ batch: KeyBatch, _ keys: inout ItemScanner,
    _ told: inout [Bool]
  ) throws(JSONError) -> Int {
    var canonical: [UInt8] = []
    do throws(ItemFault) {
      _ = try keys.scan(bytes, at: object)
      try CanonicalKey.append(bytes, keys, to: &canonical)
    } catch { throw JSONError(.unexpectedByte, at: object) }
    guard let index = batch.index(ofKey: canonical), !told[index] else {
      throw JSONError(.unexpectedByte, at: object)
    }
    told[index] = true
    return index
  }
}
