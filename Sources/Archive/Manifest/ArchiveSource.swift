internal import Digest
public import JSON

/// How the items were read.
public struct ReadDescription: Sendable, Equatable {
  /// The operation of the service.
  public enum Operation: String, Sendable { case scan = "Scan", query = "Query" }

  public var operation: Operation
  public var indexName: String?
  /// The expressions as the service got them.
  public var keyConditionExpression: String?
  public var filterExpression: String?
  public var projectionExpression: String?
  public var expressionAttributeNames: JSONObject?
  /// Values in the service's typed JSON.
  public var expressionAttributeValues: JSONObject?
  public var consistentRead: Bool
  /// Segments of the scan; 1 for a query.
  public var totalSegments: Int
  /// Members that this version does not know, kept.
  public var unknown: JSONObject

  public init(
    operation: Operation, indexName: String? = nil, keyConditionExpression: String? = nil,
    filterExpression: String? = nil, projectionExpression: String? = nil,
    expressionAttributeNames: JSONObject? = nil, expressionAttributeValues: JSONObject? = nil,
    consistentRead: Bool = false, totalSegments: Int = 1, unknown: JSONObject = JSONObject()
  ) {
    self.operation = operation
    self.indexName = indexName
    self.keyConditionExpression = keyConditionExpression
    self.filterExpression = filterExpression
    self.projectionExpression = projectionExpression
    self.expressionAttributeNames = expressionAttributeNames
    self.expressionAttributeValues = expressionAttributeValues
    self.consistentRead = consistentRead
    self.totalSegments = totalSegments
    self.unknown = unknown
  }
}

/// Where the items came from. It holds no credential, path or host name.
public struct ArchiveSource: Sendable, Equatable {
  public var tableName: String
  public var tableARN: String?
  public var tableID: String?
  public var accountID: String?
  public var region: String?
  public var read: ReadDescription
  /// Whether the items may lack key attributes, so that they cannot be loaded.
  public var keyless: Bool
  /// The rules by which items were changed; none where they are as they were read.
  public var transforms: [ItemTransforms.Rule]
  /// Tells one hash key from another (`ItemTransforms.hashKeyCheck`).
  public var hashKeyCheck: String?
  /// Members that this version does not know, kept.
  public var unknown: JSONObject

  public init(
    tableName: String, tableARN: String? = nil, tableID: String? = nil, accountID: String? = nil,
    region: String? = nil, read: ReadDescription, keyless: Bool = false,
    transforms: ItemTransforms = .none, unknown: JSONObject = JSONObject()
  ) {
    self.tableName = tableName
    self.tableARN = tableARN
    self.tableID = tableID
    self.accountID = accountID
    self.region = region
    self.read = read
    self.keyless = keyless
    self.transforms = transforms.rules
    hashKeyCheck = transforms.hashKeyCheck
    self.unknown = unknown
  }
}

extension ReadDescription {
  init(_ fields: Fields) throws(ArchiveError) {
    self.init(
      operation: try fields.word("operation"), indexName: try fields.optionalString("indexName"),
      keyConditionExpression: try fields.optionalString("keyConditionExpression"),
      filterExpression: try fields.optionalString("filterExpression"),
      projectionExpression: try fields.optionalString("projectionExpression"),
      expressionAttributeNames: try fields.optionalObject("expressionAttributeNames"),
      expressionAttributeValues: try fields.optionalObject("expressionAttributeValues"),
      consistentRead: try fields.bool("consistentRead"),
      totalSegments: try fields.int("totalSegments", atLeast: 1),
      unknown: fields.object.removing([
        "operation", "indexName", "keyConditionExpression", "filterExpression",
        "projectionExpression", "expressionAttributeNames", "expressionAttributeValues",
        "consistentRead", "totalSegments",
      ]))
  }

  var json: JSONObject {
    var object: JSONObject = ["operation": .string(operation.rawValue)]
    object.add("indexName", indexName.map(JSONValue.string))
    object.add("keyConditionExpression", keyConditionExpression.map(JSONValue.string))
    object.add("filterExpression", filterExpression.map(JSONValue.string))
    object.add("projectionExpression", projectionExpression.map(JSONValue.string))
    object.add("expressionAttributeNames", expressionAttributeNames.map(JSONValue.object))
    object.add("expressionAttributeValues", expressionAttributeValues.map(JSONValue.object))
    object.add("consistentRead", .bool(consistentRead))
    object.add("totalSegments", JSONValue(totalSegments))
    object.add(unknown)
    return object
  }
}

extension ArchiveSource {
  init(_ fields: Fields) throws(ArchiveError) {
    self.init(
      tableName: try fields.name("tableName"), tableARN: try fields.optionalString("tableArn"),
      tableID: try fields.optionalString("tableId"),
      accountID: try fields.optionalString("accountId"),
      region: try fields.optionalString("region"),
      read: try ReadDescription(try fields.fields("read")),
      keyless: try fields.optional("keyless", "true or false", \.bool) ?? false,
      unknown: fields.object.removing([
        "tableName", "tableArn", "tableId", "accountId", "region", "read", "keyless", "transforms",
        "hashKeyCheck",
      ]))
    (transforms, hashKeyCheck) = try fields.transforms()
  }

  /// As the manifest and the journal have it.
  public var json: JSONObject {
    var object: JSONObject = ["tableName": .string(tableName)]
    object.add("tableArn", tableARN.map(JSONValue.string))
    object.add("tableId", tableID.map(JSONValue.string))
    object.add("accountId", accountID.map(JSONValue.string))
    object.add("region", region.map(JSONValue.string))
    object.add("read", .object(read.json))
    if keyless { object.add("keyless", true) }
    object.add(transforms, hashKeyCheck: hashKeyCheck)
    object.add(unknown)
    return object
  }
}

extension ReadDescription {
  /// Whether another reading asks for the same items in the same form, be it in other segments.
  public func selectsSame(as other: ReadDescription) -> Bool {
    indexName == other.indexName && keyConditionExpression == other.keyConditionExpression
      && filterExpression == other.filterExpression
      && projectionExpression == other.projectionExpression
      && expressionAttributeNames == other.expressionAttributeNames
      && expressionAttributeValues == other.expressionAttributeValues
  }
}
