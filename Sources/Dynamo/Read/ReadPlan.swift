public import Archive
import JSON

/// A Scan or Query that has been checked against its table: the requests it makes, and how the
/// manifest tells of it.
public struct ReadPlan: Sendable {
  /// What the manifest records.
  public let description: ReadDescription
  /// Whether the items will come without their keys and so cannot be loaded.
  public let isKeyless: Bool
  /// Why items come only in part, for people; nil when they come whole.
  public let partialBecause: String?
  /// Items that the service says there are, to show how far a dump got; nil for a Query.
  public let expectedItems: Int?

  /// Units of a page per item by the service's own counts, which are up to six hours old.
  let unitsPerItem: Double?

  /// From the highest sort key down; for a Query.
  var isReversed = false
  /// The answers hold no items, only how many there are.
  var countsOnly = false

  private let tableName: String

  /// Plans a read.
  ///
  /// - Parameter cores: processors of this machine; four segments each keep them busy.
  /// - Throws: `DynamoError` of code `usage` for whatever does not fit the table.
  public init(
    table: TableDescription, options: ReadOptions, cores: Int
  ) throws(DynamoError) {
    let schema = table.schema
    tableName = schema.name
    var key = schema.key
    var owner = "table \(schema.name)"
    var partial: String?
    if let name = options.index {
      let index = try ReadPlan.index(name, in: schema)
      if index.kind == .global, options.consistent {
        throw DynamoError(
          .usage, "index \(name) is global, and a global index has no consistent reads",
          hint: "leave --consistent out, or read the table or a local index")
      }
      key = index.key
      owner = "index \(name)"
      if index.projection.type != "ALL" {
        partial = "index \(name) projects \(index.projection.words)"
      }
    }
    var names = options.names
    var values = options.values
    var condition: String?
    if !options.partition.isEmpty {
      let slice = try KeyCondition(
        key: key, owner: owner, partition: options.partition, sort: options.sort)
      condition = slice.expression
      for member in slice.names.members { names[member.name] = member.value }
      for member in slice.values.members { values[member.name] = member.value }
    } else if options.sort != nil {
      throw DynamoError(
        .usage, "a condition on the sort key needs the partition key", hint: "add --pk VALUE")
    }
    var keyless = false
    if let projection = options.projection {
      partial = "the projection is \(projection)"
      let missing = schema.key.attributes.map(\.name).filter {
        !ReadPlan.topLevelNames(of: projection, names: options.names).contains($0)
      }
      keyless = !missing.isEmpty
      if keyless, !options.allowKeyless {
        throw DynamoError(
          .usage,
          "the projection leaves out the key attribute(s) \(missing.joined(separator: ", ")), and "
            + "an archive without keys cannot be loaded",
          hint: "add them to --projection, or give --allow-keyless to dump it all the same")
      }
    }
    isKeyless = keyless
    partialBecause = partial

    let size = options.index.flatMap { table.indexSizes[$0] } ?? (table.itemCount, table.sizeBytes)
    expectedItems = condition == nil ? size.0 : nil
    // 4 KB a unit, half price where the read is eventually consistent.
    unitsPerItem =
      size.0 > 0 && size.1 > 0
      ? Double(size.1) / Double(size.0) / (options.consistent ? 4096 : 8192) : nil
    description = ReadDescription(
      operation: condition == nil ? .scan : .query, indexName: options.index,
      keyConditionExpression: condition, filterExpression: options.filter,
      projectionExpression: options.projection,
      expressionAttributeNames: names.members.isEmpty ? nil : names,
      expressionAttributeValues: values.members.isEmpty ? nil : values,
      consistentRead: options.consistent,
      totalSegments: condition == nil
        ? try ReadPlan.segments(asked: options.segments, bytes: size.1, cores: cores) : 1)
  }

  /// The body of the request for a page.
  ///
  /// - Parameters:
  ///   - segment: 0 for a Query.
  ///   - startKey: the `LastEvaluatedKey` object of the page before, as its bytes.
  ///   - limit: items to read at most, before a filter.
  public func request(segment: Int, startKey: [UInt8]?, limit: Int? = nil) -> [UInt8] {
    var body: JSONObject = [
      "TableName": .string(tableName), "ReturnConsumedCapacity": "TOTAL",
      "ConsistentRead": .bool(description.consistentRead),
    ]
    body["Limit"] = limit.map { JSONValue($0) }
    body["IndexName"] = description.indexName.map(JSONValue.string)
    body["KeyConditionExpression"] = description.keyConditionExpression.map(JSONValue.string)
    body["FilterExpression"] = description.filterExpression.map(JSONValue.string)
    body["ProjectionExpression"] = description.projectionExpression.map(JSONValue.string)
    if isReversed { body["ScanIndexForward"] = false }
    if countsOnly { body["Select"] = "COUNT" }
    body["ExpressionAttributeNames"] = description.expressionAttributeNames.map(JSONValue.object)
    body["ExpressionAttributeValues"] = description.expressionAttributeValues.map(JSONValue.object)
    if description.operation == .scan {
      body["Segment"] = JSONValue(segment)
      body["TotalSegments"] = JSONValue(description.totalSegments)
    }
    var bytes = JSONValue.object(body).serialized()
    if let startKey {
      bytes.removeLast()
      bytes.append(contentsOf: ",\"ExclusiveStartKey\":".utf8)
      bytes.append(contentsOf: startKey)
      bytes.append(UInt8(ascii: "}"))
    }
    return bytes
  }

  /// About one segment a gigabyte, and enough to keep every core busy; what the user says wins.
  static func segments(asked: Int?, bytes: Int, cores: Int) throws(DynamoError) -> Int {
    guard let asked else { return min(max(4 * cores, bytes >> 30), 1_000_000) }
    guard (1...1_000_000).contains(asked) else {
      throw DynamoError(
        .usage, "a scan cannot have \(asked) segments",
        hint: "DynamoDB takes 1 to 1,000,000; left out, the table's size decides")
    }
    return asked
  }

  static func index(_ name: String, in schema: TableSchema) throws(DynamoError) -> IndexSchema {
    if let index = schema.index(named: name) { return index }
    let known = schema.indexes.map { "\($0.name) [\($0.key.words)]" }
    throw DynamoError(
      .usage, "table \(schema.name) has no index \"\(name)\"",
      hint: known.isEmpty
        ? "it has no indexes; leave --index out" : "it has: \(known.joined(separator: "; "))")
  }

  /// The attributes that a ProjectionExpression takes whole; nested paths do not count.
  static func topLevelNames(of projection: String, names: JSONObject) -> Set<String> {
    Set(
      projection.split(separator: ",").compactMap { path in
        let path = String(path.filter { !" \t\r\n".contains($0) })
        if path.contains(".") || path.contains("[") { return nil }
        return path.hasPrefix("#") ? names[path]?.string : path
      })
  }
}
