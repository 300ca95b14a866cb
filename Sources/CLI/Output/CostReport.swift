import Archive
import Dynamo
import JSON

/// What requests cost. Provisioned capacity is paid by the hour, whatever is consumed.
struct CostReport {
  private let prices: Prices
  /// Nil where requests are not paid for.
  private let amount: Double?

  init(
    _ prices: Prices, _ billingMode: BillingMode, _ tableClass: TableClass, readUnits: Double = 0,
    writeUnits: Double = 0
  ) {
    self.prices = prices
    amount =
      billingMode == .onDemand
      ? prices.amount(readUnits: readUnits, writeUnits: writeUnits, tableClass) : nil
  }

  /// `$0.12 (prices of 2026-09-11, us-east-1)`
  var words: String {
    guard let amount else { return "provisioned capacity: paid by the hour, not by requests" }
    return
      "\(CostReport.money(amount, prices.currency)) (prices of \(prices.date), \(prices.region))"
  }

  /// The member `cost`; null where requests are not paid for.
  var json: JSONValue {
    guard let amount else { return .null }
    return [
      "currency": .string(prices.currency), "amount": CostReport.number(amount),
      "prices": .string(prices.date), "region": .string(prices.region),
    ]
  }

  /// `$1,234.50`, and of what is less than a cent two digits: `$0.00012`.
  static func money(_ amount: Double, _ currency: String) -> String {
    var places = 2
    var rest = amount
    while rest > 0, rest < 0.1, places < 9 {
      rest *= 10
      places += 1
    }
    let number = Format.decimal(amount, amount < 0.01 ? places : 2)
    return currency == "USD" ? "$\(number)" : "\(number) \(currency)"
  }

  /// An amount for JSON, rounded to billionths.
  static func number(_ amount: Double) -> JSONValue {
    .number("\((amount * 1e9).rounded() / 1e9)")
  }
}
