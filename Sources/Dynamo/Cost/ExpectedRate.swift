import Archive
import JSON

/// How many units a second a job may take at most, and who says so.
public struct ExpectedRate: Sendable, Equatable {
  /// Who says so.
  public enum Reason: String, Sendable {
    /// The user.
    case asked
    /// What the table, or the index that is read, is provisioned for.
    case provisioned
    /// The maximum set for on-demand throughput.
    case maximum
    /// What a new table on demand takes (Developer Guide, "Initial throughput for on-demand capacity
    /// mode").
    case newTable
  }

  public var unitsPerSecond: Double
  public var reason: Reason

  /// Units a second that a new table on demand takes.
  static let newTable = Throughput(read: 12_000, write: 4_000)

  init(_ unitsPerSecond: Double, _ reason: Reason) {
    self.unitsPerSecond = unitsPerSecond
    self.reason = reason
  }

  /// - Throws: `DynamoError` of code `usage` for a percentage where there is nothing to take it of.
  init(
    _ asked: CapacityLimit?, _ direction: CapacityLimit.Direction, schema: TableSchema,
    raw: JSONObject?, index: String? = nil
  ) throws(DynamoError) {
    if let asked {
      self.init(
        try asked.unitsPerSecond(direction, schema: schema, raw: raw, index: index), .asked)
      return
    }
    if let all = try? CapacityLimit.percent(100).unitsPerSecond(
      direction, schema: schema, raw: raw, index: index)
    {
      self.init(all, schema.billingMode == .provisioned ? .provisioned : .maximum)
      return
    }
    let new = ExpectedRate.newTable
    self.init(Double(direction == .read ? new.read : new.write), .newTable)
  }
}
