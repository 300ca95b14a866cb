public import Archive
public import JSON

/// A tag of a table.
public struct TableTag: Sendable, Hashable {
  public var key: String
  public var value: String

  public init(key: String, value: String) {
    self.key = key
    self.value = value
  }
}

/// What the answers say, as far as dynarc acts on it or shows it.
extension TableSettings {
  /// The `Table` of DescribeTable.
  public var described: JSONValue? { answers["describeTable"] }

  /// `STANDARD` or another class. Tables that never had another one have no summary of it.
  public var tableClass: String {
    described?["TableClassSummary"]?["TableClass"]?.string ?? "STANDARD"
  }

  /// Encryption with a key of AWS KMS in the account.
  public struct Encryption: Sendable, Equatable {
    /// The key; the answer does not say whether AWS or the customer manages it.
    public var keyARN: String?
  }

  /// The encryption; nil where the key is AWS's own, as it is unless somebody asks for another.
  public var encryption: Encryption? {
    let description = described?["SSEDescription"]
    guard description?["SSEType"] == "KMS", description?["Status"] != "DISABLED" else { return nil }
    return Encryption(keyARN: description?["KMSMasterKeyArn"]?.string)
  }

  /// Two numbers of an object; those that are not set are left out.
  private func units(
    _ object: JSONValue?, _ members: [String], atLeast minimum: Int = 1
  ) -> JSONObject? {
    var found = JSONObject()
    for member in members {
      if let value = object?[member]?.int, value >= minimum { found[member] = JSONValue(value) }
    }
    return found.members.isEmpty ? nil : found
  }

  /// `MaxReadRequestUnits` and `MaxWriteRequestUnits` of the table or of a global index. The service says -1
  /// where there is no limit.
  public func limits(index: String? = nil) -> JSONObject? {
    units(
      part(index)?["OnDemandThroughput"], ["MaxReadRequestUnits", "MaxWriteRequestUnits"])
  }

  /// `ReadUnitsPerSecond` and `WriteUnitsPerSecond` of the table or of a global index, where one of them is
  /// above what a new table on demand has by itself (12,000 and 4,000: DynamoDB Developer Guide,
  /// "Understanding DynamoDB warm throughput").
  public func warmThroughput(index: String? = nil) -> JSONObject? {
    let warm = units(
      part(index)?["WarmThroughput"], ["ReadUnitsPerSecond", "WriteUnitsPerSecond"])
    guard let warm else { return nil }
    let isAbove =
      (warm["ReadUnitsPerSecond"]?.int ?? 0) > 12_000
      || (warm["WriteUnitsPerSecond"]?.int ?? 0) > 4000
    return isAbove ? warm : nil
  }

  /// The description of the table, or of a global index.
  private func part(_ index: String?) -> JSONValue? {
    guard let index else { return described }
    return described?["GlobalSecondaryIndexes"]?.array?.first { $0["IndexName"]?.string == index }
  }

  /// Names of the global indexes.
  public var globalIndexes: [String] {
    (described?["GlobalSecondaryIndexes"]?.array ?? []).compactMap { $0["IndexName"]?.string }
  }

  /// The vector indexes as DescribeTable has them.
  public var vectorIndexes: [JSONValue] { described?["VectorIndexes"]?.array ?? [] }

  public var tags: [TableTag] {
    (answers["listTagsOfResource"]?.array ?? []).compactMap { tag in
      guard let key = tag["Key"]?.string, let value = tag["Value"]?.string else { return nil }
      return TableTag(key: key, value: value)
    }
  }

  /// What the stream shows; nil where there is none.
  public var streamView: String? {
    let stream = described?["StreamSpecification"]
    return stream?["StreamEnabled"]?.bool == true
      ? stream?["StreamViewType"]?.string ?? "NEW_AND_OLD_IMAGES" : nil
  }

  /// The attribute that tells when an item expires; nil where items do not.
  public var timeToLive: String? {
    let description = answers["describeTimeToLive"]
    guard description?["TimeToLiveStatus"]?.string?.hasPrefix("ENABL") == true else { return nil }
    return description?["AttributeName"]?.string
  }

  /// Whether the table can be restored to points in time, and how many days back, where the service says.
  public var recovery: (isOn: Bool, days: Int?) {
    let description = answers["describeContinuousBackups"]?["PointInTimeRecoveryDescription"]
    return (
      description?["PointInTimeRecoveryStatus"] == "ENABLED",
      description?["RecoveryPeriodInDays"]?.int
    )
  }

  /// Kinesis data streams that get the table's changes.
  public var kinesisDestinations: [(streamARN: String, precision: String?)] {
    (answers["describeKinesisStreamingDestination"]?.array ?? []).compactMap { destination in
      guard let arn = destination["StreamArn"]?.string,
        ["ACTIVE", "ENABLING", "UPDATING"].contains(destination["DestinationStatus"]?.string)
      else { return nil }
      return (arn, destination["ApproximateCreationDateTimePrecision"]?.string)
    }
  }

  /// Where Contributor Insights are on: for the table (nil) and for indexes.
  public var insights: [(index: String?, mode: String?)] {
    (answers["describeContributorInsights"]?.array ?? [])
      .filter { $0["ContributorInsightsStatus"]?.string?.hasPrefix("ENABL") == true }
      .map { ($0["IndexName"]?.string, $0["ContributorInsightsMode"]?.string) }
  }

  /// What one of the operations of Application Auto Scaling lists.
  public var scalableTargets: [JSONValue] { answers["describeScalableTargets"]?.array ?? [] }
  public var scalingPolicies: [JSONValue] { answers["describeScalingPolicies"]?.array ?? [] }
  public var scheduledActions: [JSONValue] { answers["describeScheduledActions"]?.array ?? [] }

  /// The resource-based policy.
  public var policy: String? { answers["getResourcePolicy"]?["Policy"]?.string }

  public var isProtected: Bool { described?["DeletionProtectionEnabled"]?.bool == true }

  /// Other regions with a replica of the table.
  public var replicas: [String] {
    let home = TableIdentity(name: "", arn: described?["TableArn"]?.string).region
    return (described?["Replicas"]?.array ?? []).compactMap { $0["RegionName"]?.string }
      .filter { $0 != home }
  }

  /// Why a setting is not known: the service's code, or that the archive is older than it; nil where it is.
  public func unknown(_ setting: TableSetting) -> String? {
    if let unread = notRead.first(where: { $0.setting == setting.unreadName }) {
      return "it could not be read when the dump was made (\(unread.code))"
    }
    return setting.answers.contains { answers[$0] == nil } ? "the archive does not tell" : nil
  }

  /// Settings the table had that load does not bring back, in words.
  public var notRecreated: [String] {
    var list: [String] = []
    if !replicas.isEmpty { list.append("replicas in \(replicas.joined(separator: ", "))") }
    let witnesses = described?["GlobalTableWitnesses"]?.array ?? []
    if !witnesses.isEmpty {
      let regions = witnesses.compactMap { $0["RegionName"]?.string }
      list.append("witnesses in \(regions.joined(separator: ", "))")
    }
    return list
  }
}
