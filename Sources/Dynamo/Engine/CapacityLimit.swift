import Archive
import JSON

/// A bound of what a job may consume, as the user says it.
public enum CapacityLimit: Sendable, Equatable {
  /// Units per second.
  case units(Double)
  /// Percent of the throughput provisioned, or of the maximum set for on-demand throughput.
  case percent(Double)

  /// What is consumed.
  enum Direction: Sendable {
    case read
    case write

    /// The option, in hints.
    var option: String { self == .read ? "--read-units" : "--write-units" }
    fileprivate var maximumMember: String {
      self == .read ? "MaxReadRequestUnits" : "MaxWriteRequestUnits"
    }
    fileprivate func units(_ throughput: Throughput) -> Int {
      self == .read ? throughput.read : throughput.write
    }
  }

  /// The bound in units per second.
  ///
  /// - Parameters:
  ///   - schema: the table.
  ///   - raw: its description, where it exists.
  ///   - index: the index that is read; a local one lives on its table's throughput.
  /// - Throws: `DynamoError` of code `usage` for a percentage where there is nothing to take it of.
  func unitsPerSecond(
    _ direction: Direction, schema: TableSchema, raw: JSONObject?, index: String? = nil
  ) throws(DynamoError) -> Double {
    switch self {
    case .units(let units): return units
    case .percent(let percent):
      var (provisioned, description) = (schema.provisioned, raw)
      var owner = "table \(schema.name)"
      if let index, let found = schema.index(named: index), found.kind == .global {
        owner = "index \(index)"
        provisioned = found.provisioned
        description =
          raw?["GlobalSecondaryIndexes"]?.array?.first { $0["IndexName"]?.string == index }?.object
      }
      // The maximum is -1 where one was set and taken away again.
      let maximum = description?["OnDemandThroughput"]?[direction.maximumMember]?.int ?? 0
      guard let whole = provisioned.map(direction.units) ?? (maximum > 0 ? maximum : nil) else {
        throw DynamoError(
          .usage,
          "\(owner) has neither provisioned throughput nor a maximum for on-demand throughput, so "
            + "there is nothing to take \(CapacityLimit.plain(percent))% of",
          hint: "give a number of units per second: \(direction.option) 1000")
      }
      return Double(whole) * percent / 100
    }
  }

  private static func plain(_ number: Double) -> String {
    Int(exactly: number).map(String.init) ?? "\(number)"
  }
}
