import Archive
import Dynamo
import JSON

/// What requests cost. Provisioned capacity is paid by the hour, whatever is consumed.
struct CostReport {
  /// What was, or will be, consumed of one table.
  struct Use {
    var billingMode: BillingMode
    var tableClass: TableClass
    var readUnits = 0.0
    var writeUnits = 0.0
  }

  private let prices: Prices
  /// Nil where no requests are paid for.
  private let amount: Double?

  init(_ prices: Prices, _ uses: Use...) { self.init(prices, all: uses) }

  init(_ prices: Prices, all uses: [Use]) {
    self.prices = prices
    let paid = uses.filter { $0.billingMode == .onDemand }
    amount =
      paid.isEmpty
      ? nil
      : paid.reduce(0) {
        $0 + prices.amount(readUnits: $1.readUnits, writeUnits: $1.writeUnits, $1.tableClass)
      }
  }

  /// The line at the end of a job; none where no requests are paid for.
  func say() { line.map(Terminal.say) }

  /// The same line; nil where no requests are paid for.
  var line: String? { amount == nil ? nil : "cost: \(words)" }

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
