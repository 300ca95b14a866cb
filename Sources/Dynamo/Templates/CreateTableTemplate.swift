import Archive
import JSON

extension TableTemplate {
  /// The input of CreateTable: all that it takes, and a note on what it does not.
  func createTable(_ notes: inout [String]) -> JSONObject {
    var request = schema.createTableRequest(name: schema.name)
    if var indexes = request["GlobalSecondaryIndexes"]?.array {
      for position in indexes.indices {
        guard var index = indexes[position].object, let name = index["IndexName"]?.string else {
          continue
        }
        index["OnDemandThroughput"] = settings.limits(index: name).map(JSONValue.object)
        index["WarmThroughput"] = settings.warmThroughput(index: name).map(JSONValue.object)
        indexes[position] = .object(index)
      }
      request["GlobalSecondaryIndexes"] = .array(indexes)
    }
    request["OnDemandThroughput"] = settings.limits().map(JSONValue.object)
    request["WarmThroughput"] = settings.warmThroughput().map(JSONValue.object)
    if settings.tableClass != "STANDARD" { request["TableClass"] = .string(settings.tableClass) }
    if let view = settings.streamView {
      request["StreamSpecification"] = ["StreamEnabled": true, "StreamViewType": .string(view)]
    }
    var bound: [String] = []
    if let encryption = settings.encryption {
      var specification: JSONObject = ["Enabled": true, "SSEType": "KMS"]
      specification["KMSMasterKeyId"] = encryption.keyARN.map(JSONValue.string)
      request["SSESpecification"] = .object(specification)
      if let key = encryption.keyARN { bound.append("the key \(key)") }
    }
    if !tags.isEmpty {
      request["Tags"] = .array(tags.map { ["Key": .string($0.key), "Value": .string($0.value)] })
    }
    if let policy {
      request["ResourcePolicy"] = .string(String(decoding: policy.serialized(), as: UTF8.self))
      bound.append("the resource policy")
    }
    if settings.isProtected { request["DeletionProtectionEnabled"] = true }
    if !bound.isEmpty {
      notes.append(
        "for another account, change what belongs to this one: \(bound.joined(separator: ", "))")
    }
    var others: [String] = []
    if let attribute = settings.timeToLive { others.append("TTL on \(attribute)") }
    if settings.recovery.isOn { others.append("point-in-time recovery") }
    others += settings.kinesisDestinations.map { "the Kinesis data stream \($0.streamARN)" }
    if !settings.insights.isEmpty { others.append("contributor insights") }
    if !settings.scalableTargets.isEmpty { others.append("auto scaling") }
    notes += TableTemplate.note("create-table", lacks: others + inNone)
    return request
  }
}
