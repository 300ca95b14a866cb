public import Archive
public import JSON

/// A table as DescribeTable tells it, parsed as far as dynarc acts on it, and raw.
public struct TableDescription: Sendable {
  /// Key, indexes and billing.
  public var schema: TableSchema
  /// `ACTIVE`, `CREATING`, `UPDATING`, `DELETING`, …
  public var status: String
  /// Indexes that are not `ACTIVE`, with their status.
  public var pendingIndexes: [(name: String, status: String)]
  /// Amazon resource name.
  public var arn: String?
  /// The id that changes when a table is deleted and made anew.
  public var id: String?
  /// Items by the service's count, which is up to six hours old.
  public var itemCount: Int
  /// Stored bytes by the service's count, which is up to six hours old.
  public var sizeBytes: Int
  /// The same two for each index, by name.
  public var indexSizes: [String: (items: Int, bytes: Int)]
  /// The whole `Table` object as the service sent it.
  public var raw: JSONObject

  /// Reads the `Table` object of an answer.
  ///
  /// - Throws: `DynamoError` of code `badAnswer` naming what is missing.
  public init(table: JSONObject) throws(DynamoError) {
    raw = table
    var types: [String: KeyType] = [:]
    for definition in table["AttributeDefinitions"]?.array ?? [] {
      guard let name = definition["AttributeName"]?.string,
        let type = definition["AttributeType"]?.string.flatMap(KeyType.init(rawValue:))
      else { throw TableDescription.bad("AttributeDefinitions") }
      types[name] = type
    }
    guard let name = table["TableName"]?.string else { throw TableDescription.bad("TableName") }
    let key = try TableDescription.key(table["KeySchema"], types)
    status = table["TableStatus"]?.string ?? "ACTIVE"
    arn = table["TableArn"]?.string
    id = table["TableId"]?.string
    itemCount = table["ItemCount"]?.int ?? 0
    sizeBytes = table["TableSizeBytes"]?.int ?? 0
    // BillingModeSummary is absent for tables that were always provisioned.
    let billing =
      table["BillingModeSummary"]?["BillingMode"]?.string.flatMap(BillingMode.init(rawValue:))
      ?? .provisioned

    var indexes: [IndexSchema] = []
    pendingIndexes = []
    indexSizes = [:]
    for (member, kind) in [
      ("LocalSecondaryIndexes", IndexSchema.Kind.local), ("GlobalSecondaryIndexes", .global),
    ] {
      for index in table[member]?.array ?? [] {
        guard let name = index["IndexName"]?.string else { throw TableDescription.bad(member) }
        let projection = index["Projection"]
        indexes.append(
          IndexSchema(
            name: name, kind: kind, key: try TableDescription.key(index["KeySchema"], types),
            projection: Projection(
              type: projection?["ProjectionType"]?.string ?? "ALL",
              nonKeyAttributes: (projection?["NonKeyAttributes"]?.array ?? []).compactMap(\.string)
            ),
            provisioned: kind == .global && billing == .provisioned
              ? TableDescription.throughput(index["ProvisionedThroughput"]) : nil))
        if let status = index["IndexStatus"]?.string, status != "ACTIVE" {
          pendingIndexes.append((name, status))
        }
        indexSizes[name] = (index["ItemCount"]?.int ?? 0, index["IndexSizeBytes"]?.int ?? 0)
      }
    }
    for index in table["VectorIndexes"]?.array ?? [] {
      if let name = index["IndexName"]?.string, let status = index["IndexStatus"]?.string,
        status != "ACTIVE"
      {
        pendingIndexes.append((name, status))
      }
    }
    schema = TableSchema(
      name: name, key: key, indexes: indexes, billingMode: billing,
      provisioned: billing == .provisioned
        ? TableDescription.throughput(table["ProvisionedThroughput"]) : nil)
  }

  /// The account in the ARN (`arn:aws:dynamodb:REGION:ACCOUNT:table/NAME`).
  public var accountID: String? { arnField(4) }
  /// The region in the ARN.
  public var region: String? { arnField(3) }

  private func arnField(_ index: Int) -> String? {
    let fields = (arn ?? "").split(separator: ":", omittingEmptySubsequences: false)
    return fields.count > 5 && !fields[index].isEmpty ? String(fields[index]) : nil
  }

  private static func key(
    _ schema: JSONValue?, _ types: [String: KeyType]
  ) throws(DynamoError) -> KeySchema {
    var attributes: [KeyAttribute] = []
    for element in schema?.array ?? [] {
      guard let name = element["AttributeName"]?.string, let type = types[name],
        let role = element["KeyType"]?.string.flatMap(KeyAttribute.Role.init(rawValue:))
      else { throw bad("KeySchema") }
      attributes.append(KeyAttribute(name: name, type: type, role: role))
    }
    let key = KeySchema(
      attributes.filter { $0.role == .hash } + attributes.filter { $0.role == .range })
    guard !key.partition.isEmpty else { throw bad("KeySchema") }
    return key
  }

  private static func throughput(_ value: JSONValue?) -> Throughput? {
    guard let read = value?["ReadCapacityUnits"]?.int,
      let write = value?["WriteCapacityUnits"]?.int, read > 0, write > 0
    else { return nil }
    return Throughput(read: read, write: write)
  }

  private static func bad(_ member: String) -> DynamoError {
    DynamoError(.badAnswer, "DescribeTable answered without a usable \(member)")
  }
}

extension KeySchema {
  /// `customer_id (S, partition key), order_id (S, sort key)`
  public var words: String {
    attributes.map {
      "\($0.name) (\($0.type.rawValue), \($0.role == .hash ? "partition" : "sort") key)"
    }.joined(separator: ", ")
  }
}
