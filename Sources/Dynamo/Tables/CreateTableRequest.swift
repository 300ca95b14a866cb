import Archive
import JSON

extension TableSchema {
  /// The body of a CreateTable that makes this table under a name: keys, indexes with projections,
  /// billing mode and throughput.
  func createTableRequest(name: String) -> JSONValue {
    var definitions: [JSONValue] = []
    var seen: Set<String> = []
    for attribute in ([key] + indexes.map(\.key)).flatMap(\.attributes)
    where seen.insert(attribute.name).inserted {
      definitions.append([
        "AttributeName": .string(attribute.name), "AttributeType": .string(attribute.type.rawValue),
      ])
    }
    var request: JSONObject = [
      "TableName": .string(name), "AttributeDefinitions": .array(definitions),
      "KeySchema": key.request, "BillingMode": .string(billingMode.rawValue),
    ]
    request["ProvisionedThroughput"] = provisioned?.request
    let local = indexes.filter { $0.kind == .local }.map(\.request)
    let global = indexes.filter { $0.kind == .global }.map(\.request)
    // An empty list is a ValidationException; the member must be absent.
    if !local.isEmpty { request["LocalSecondaryIndexes"] = .array(local) }
    if !global.isEmpty { request["GlobalSecondaryIndexes"] = .array(global) }
    return .object(request)
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
  fileprivate var request: JSONValue {
    var projected: JSONObject = ["ProjectionType": .string(projection.type)]
    if !projection.nonKeyAttributes.isEmpty {
      projected["NonKeyAttributes"] = .array(projection.nonKeyAttributes.map(JSONValue.string))
    }
    var request: JSONObject = [
      "IndexName": .string(name), "KeySchema": key.request, "Projection": .object(projected),
    ]
    request["ProvisionedThroughput"] = provisioned?.request
    return .object(request)
  }
}
