import AWS
public import Archive
import JSON

extension TableSettings {
  /// Reads the settings of a table. A refusal costs that setting only and is recorded.
  static func capture(_ table: TableDescription, client: DynamoClient) async -> TableSettings {
    var settings = TableSettings(answers: ["describeTable": .object(table.raw)])
    func note(_ setting: String, _ error: any Error) {
      let code = (error as? ServiceError)?.code ?? (error as? DynamoError)?.code.rawValue
      settings.notRead.append(Unread(setting: setting, code: code ?? "\(error)"))
    }
    do {
      let answer = try await client.call(
        "DescribeTimeToLive", ["TableName": .string(table.schema.name)])
      settings.answers["describeTimeToLive"] = answer["TimeToLiveDescription"]
    } catch { note("timeToLive", error) }
    do {
      settings.answers["listTagsOfResource"] = .array(try await tags(of: table, client: client))
    } catch { note("tags", error) }
    return settings
  }

  private static func tags(
    of table: TableDescription, client: DynamoClient
  ) async throws -> [JSONValue] {
    guard let arn = table.arn else { return [] }
    var tags: [JSONValue] = []
    var token: JSONValue?
    repeat {
      var request: JSONObject = ["ResourceArn": .string(arn)]
      request["NextToken"] = token
      let answer = try await client.call("ListTagsOfResource", .object(request))
      tags.append(contentsOf: answer["Tags"]?.array ?? [])
      token = answer["NextToken"]
    } while token?.string != nil
    return tags
  }

  /// Settings the table had that this version of load does not re-create, in words.
  public var notRecreated: [String] {
    var list: [String] = []
    let table = answers["describeTable"]
    if let ttl = answers["describeTimeToLive"],
      ttl["TimeToLiveStatus"]?.string?.hasPrefix("ENABL") == true
    {
      list.append("TTL on \(ttl["AttributeName"]?.string ?? "?")")
    }
    if let tags = answers["listTagsOfResource"]?.array, !tags.isEmpty {
      list.append("\(tags.count) tag(s)")
    }
    if table?["StreamSpecification"]?["StreamEnabled"]?.bool == true { list.append("the stream") }
    if table?["SSEDescription"]?["SSEType"]?.string == "KMS" { list.append("encryption by KMS") }
    if let tableClass = table?["TableClassSummary"]?["TableClass"]?.string,
      tableClass != "STANDARD"
    {
      list.append("table class \(tableClass)")
    }
    if table?["DeletionProtectionEnabled"]?.bool == true { list.append("deletion protection") }
    if let limits = table?["OnDemandThroughput"]?.object, !limits.members.isEmpty {
      list.append("the on-demand throughput limits")
    }
    if let replicas = table?["Replicas"]?.array, !replicas.isEmpty {
      list.append("\(replicas.count) replica(s)")
    }
    return list
  }
}
