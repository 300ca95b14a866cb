import ArgumentParser
import Archive
import Dynamo
import JSON

struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Say what a dump or a load takes: items, request units, time and money.",
    subcommands: [PlanDumpCommand.self, PlanLoadCommand.self])
}

/// What both plans tell.
enum PlanReport {
  /// `12,000 units a second, what a new table on demand takes`
  static func words(_ rate: ExpectedRate) -> String {
    let reason =
      switch rate.reason {
      case .asked: "as asked for"
      case .provisioned: "what is provisioned"
      case .maximum: "the maximum set for the table"
      case .newTable: "what a new table on demand takes"
      }
    let isWhole = rate.unitsPerSecond == rate.unitsPerSecond.rounded()
    return "\(Format.decimal(rate.unitsPerSecond, isWhole ? 0 : 1)) units a second, \(reason)"
  }

  /// The members that both have.
  static func add(
    _ rate: ExpectedRate, seconds: Double, _ billingMode: BillingMode, _ cost: CostReport,
    to json: inout JSONObject
  ) {
    json["unitsPerSecond"] = .number(Format.plain(rate.unitsPerSecond))
    json["rateFrom"] = .string(rate.reason.rawValue)
    json["seconds"] = .number(Format.plain(seconds))
    json["billing"] = billingMode == .onDemand ? "onDemand" : "provisioned"
    json["cost"] = cost.json
  }

  /// The member `storage`.
  static func storage(_ bytes: Int, _ tableClass: TableClass, _ prices: Prices) -> JSONValue {
    [
      "bytes": JSONValue(bytes), "currency": .string(prices.currency),
      "amountPerMonth": prices.storage(bytes: bytes, tableClass).map(CostReport.number) ?? .null,
    ]
  }

  static func words(storage bytes: Int, _ tableClass: TableClass, _ prices: Prices) -> String {
    let price = prices.storage(bytes: bytes, tableClass).map {
      "\(CostReport.money($0, prices.currency)) a month"
    }
    return "\(Format.bytes(bytes)), \(price ?? "price of this table class not known")"
  }

  /// A line for each part: the table and its indexes.
  static func rows(
    _ parts: [(index: String?, items: Int, bytes: Int, units: Double)]
  ) -> [(String, String)] {
    parts.map { part in
      (
        part.index.map { "Index \($0)" } ?? "Table",
        "\(Format.count(part.items)) items, \(Format.bytes(part.bytes)), "
          + "\(Format.decimal(part.units, 1)) units"
      )
    }
  }
}
