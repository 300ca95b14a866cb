import Archive
import JSON

extension DynamoClient {
  /// Reads one item by its key.
  ///
  /// - Parameters:
  ///   - partition: the value of the partition key: strings as they are, numbers as they are spelled,
  ///     binaries in base64.
  ///   - sort: of the sort key, where the table has one.
  ///   - consistent: a strongly consistent read, which costs twice as much.
  /// - Returns: the item's object, typed JSON; nil where there is none.
  /// - Throws: `DynamoError` of code `usage` for values that do not fit the key, of code `badAnswer`;
  ///   what the call threw.
  public func item(
    of table: TableDescription, partition: String, sort: String?, consistent: Bool = false
  ) async throws -> [UInt8]? {
    let schema = table.schema.key
    var key = JSONObject()
    for (attribute, value) in zip(schema.attributes, [partition] + (sort.map { [$0] } ?? [])) {
      key[attribute.name] = try attribute.value(value)
    }
    let keyObject = JSONValue.object(key).serialized()
    var scanner = ItemScanner(key: schema)
    var canonicalKey: [UInt8] = []
    do throws(ItemFault) {
      _ = try scanner.scan(keyObject.span, at: 0)
      try CanonicalKey.append(keyObject.span, scanner, to: &canonicalKey)
    } catch {
      throw DynamoError(
        .usage, "\(error)", hint: "the key of \(table.schema.name) is \(schema.words)")
    }
    let request: JSONValue = [
      "TableName": .string(table.schema.name), "Key": .object(key),
      "ConsistentRead": .bool(consistent),
    ]
    let response = try await call("GetItem", request.serialized())
    return try ItemAnswer(response, "Item", key: schema, canonicalKey: canonicalKey).item
  }
}
