internal import JSON

extension TableSchema {
  /// Reads the manifest's `table`; its name stands in `source`.
  init(_ fields: Fields, name: String) throws(ArchiveError) {
    var indexes: [IndexSchema] = []
    for index in try fields.each("indexes") { indexes.append(try IndexSchema(index)) }
    self.init(
      name: name, key: try KeySchema(fields, "keySchema"), indexes: indexes,
      billingMode: try fields.word("billingMode"), provisioned: try Throughput(in: fields))
  }

  var json: JSONObject {
    var object: JSONObject = [
      "keySchema": key.json, "indexes": .array(indexes.map { .object($0.json) }),
      "billingMode": .string(billingMode.rawValue),
    ]
    object.add("provisionedThroughput", provisioned?.json)
    return object
  }
}

extension KeySchema {
  init(_ fields: Fields, _ name: String) throws(ArchiveError) {
    var attributes: [KeyAttribute] = []
    for attribute in try fields.each(name) {
      attributes.append(
        KeyAttribute(
          name: try attribute.name("attributeName"), type: try attribute.word("attributeType"),
          role: try attribute.word("keyType")))
    }
    guard attributes.first?.role == .hash else {
      throw fields.fault(name, "does not start with a partition key")
    }
    guard Set(attributes.map(\.name)).count == attributes.count else {
      throw fields.fault(name, "names an attribute twice")
    }
    self.init(attributes)
  }

  var json: JSONValue {
    .array(
      attributes.map {
        [
          "attributeName": .string($0.name), "keyType": .string($0.role.rawValue),
          "attributeType": .string($0.type.rawValue),
        ]
      })
  }
}

extension IndexSchema {
  init(_ fields: Fields) throws(ArchiveError) {
    let projection = try fields.fields("projection")
    self.init(
      name: try fields.name("indexName"), kind: try fields.word("kind"),
      key: try KeySchema(fields, "keySchema"),
      projection: Projection(
        type: try projection.string("projectionType"),
        nonKeyAttributes: projection.object["nonKeyAttributes"] == nil
          ? [] : try projection.strings("nonKeyAttributes")),
      provisioned: try Throughput(in: fields))
  }

  var json: JSONObject {
    var projected: JSONObject = ["projectionType": .string(projection.type)]
    if !projection.nonKeyAttributes.isEmpty {
      projected.add("nonKeyAttributes", .array(projection.nonKeyAttributes.map(JSONValue.string)))
    }
    var object: JSONObject = [
      "indexName": .string(name), "kind": .string(kind.rawValue), "keySchema": key.json,
      "projection": .object(projected),
    ]
    object.add("provisionedThroughput", provisioned?.json)
    return object
  }
}

extension Throughput {
  init?(in fields: Fields) throws(ArchiveError) {
    guard fields.object["provisionedThroughput"] != nil else { return nil }
    let inner = try fields.fields("provisionedThroughput")
    self.init(
      read: try inner.int("readCapacityUnits"), write: try inner.int("writeCapacityUnits"))
  }

  var json: JSONValue {
    ["readCapacityUnits": JSONValue(read), "writeCapacityUnits": JSONValue(write)]
  }
}
