import Archive
import JSON

extension TableSchema {
  /// The body of a CreateTable that makes this table under a name: keys, indexes with projections,
  /// billing mode and throughput.
  func createTableRequest(name: String) -> JSONObject {
    var request: JSONObject = [
      "TableName": .string(name), "AttributeDefinitions": definitions(),
      "KeySchema": key.request, "BillingMode": .string(billingMode.rawValue),
    ]
    request["ProvisionedThroughput"] = provisioned?.request
    let local = indexes.filter { $0.kind == .local }.map { JSONValue.object($0.request) }
    let global = indexes.filter { $0.kind == .global }.map { JSONValue.object($0.request) }
    // An empty list is a ValidationException; the member must be absent.
    if !local.isEmpty { request["LocalSecondaryIndexes"] = .array(local) }
    if !global.isEmpty { request["GlobalSecondaryIndexes"] = .array(global) }
    return request
  }

  /// What the keys of the table and its indexes are made of; an attribute that no key has is refused.
  ///
  /// - Parameter others: further attributes, such as those that vector indexes search by.
  func definitions(_ others: [KeyAttribute] = []) -> JSONValue {
    .array(
      TableSchema.distinct(keyAttributes + others).map {
        ["AttributeName": .string($0.name), "AttributeType": .string($0.type.rawValue)]
      })
  }

  /// The attributes of the keys of the table and its indexes, each once, whatever it is for.
  var keyAttributes: [KeyAttribute] {
    TableSchema.distinct(([key] + indexes.map(\.key)).flatMap(\.attributes))
  }

  /// Names are compared by their bytes, as DynamoDB does.
  private static func distinct(_ attributes: [KeyAttribute]) -> [KeyAttribute] {
    var seen: Set<[UInt8]> = []
    return attributes.filter { seen.insert(Array($0.name.utf8)).inserted }
  }
}

extension KeySchema {
  fileprivate var request: JSONValue {
    .array(
      attributes.map {
        ["AttributeName": .string($0.name), "KeyType": .string($0.role.rawValue)]
      })
  }
}

extension Throughput {
  fileprivate var request: JSONValue {
    ["ReadCapacityUnits": JSONValue(read), "WriteCapacityUnits": JSONValue(write)]
  }
}

extension IndexSchema {
  /// What CreateTable and UpdateTable make the index of.
  var request: JSONObject {
    var projected: JSONObject = ["ProjectionType": .string(projection.type)]
    if !projection.nonKeyAttributes.isEmpty {
      projected["NonKeyAttributes"] = .array(projection.nonKeyAttributes.map(JSONValue.string))
    }
    var request: JSONObject = [
      "IndexName": .string(name), "KeySchema": key.request, "Projection": .object(projected),
    ]
    request["ProvisionedThroughput"] = provisioned?.request
    return request
  }
}
