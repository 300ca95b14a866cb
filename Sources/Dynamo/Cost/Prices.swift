public import JSON

/// A table's class, which its prices depend on.
public enum TableClass: String, Sendable {
  case standard = "STANDARD"
  case infrequentAccess = "STANDARD_INFREQUENT_ACCESS"

  /// Of a table as DescribeTable tells it; a table is of the standard class where that says nothing.
  public init(described table: JSONValue?) {
    self = table?["TableClassSummary"]?["TableClass"]?.string.flatMap(TableClass.init) ?? .standard
  }
}

/// What DynamoDB costs in one region, as of one day.
public struct Prices: Sendable, Equatable {
  /// Prices of requests on demand.
  public struct Requests: Sendable, Equatable {
    /// For a million read request units.
    public var readMillion: Double
    /// For a million write request units.
    public var writeMillion: Double
  }

  /// The day of the price list, as `2026-09-11`.
  public var date: String
  /// `USD`
  public var currency: String
  /// The region they hold in.
  public var region: String
  public var standard: Requests
  public var infrequentAccess: Requests
  /// For a GB (2^30 bytes) stored a month, in the standard class.
  public var storageGBMonth: Double

  /// AWS's price list of 2026-09-11 for us-east-1.
  public static let included = Prices(
    date: "2026-09-11", currency: "USD", region: "us-east-1",
    standard: Requests(readMillion: 0.125, writeMillion: 0.625),
    infrequentAccess: Requests(readMillion: 0.155, writeMillion: 0.78), storageGBMonth: 0.25)

  /// What requests cost on demand.
  public func amount(readUnits: Double, writeUnits: Double, _ tableClass: TableClass) -> Double {
    let prices = tableClass == .standard ? standard : infrequentAccess
    return (readUnits * prices.readMillion + writeUnits * prices.writeMillion) / 1_000_000
  }

  /// What storage costs a month; nil for a class whose price is not known.
  public func storage(bytes: Int, _ tableClass: TableClass) -> Double? {
    tableClass == .standard ? Double(bytes) / Double(1 << 30) * storageGBMonth : nil
  }
}

extension Prices {
  /// Reads a price file.
  ///
  /// - Throws: `DynamoError` of code `usage` that names what is missing, unknown or no price.
  public init(file: [UInt8]) throws(DynamoError) {
    let root: JSONObject
    do throws(JSONError) {
      guard let object = try JSONValue.parse(file.span).object else {
        throw JSONError(.unexpectedByte, at: 0)
      }
      root = object
    } catch { throw Prices.bad("it is no JSON object: \(error)") }
    let fields = PriceFields(object: root, path: "")
    date = try fields.text("date")
    let isDate =
      date.split(separator: "-", omittingEmptySubsequences: false).map(\.count) == [4, 2, 2]
    guard isDate, date.utf8.allSatisfy({ "0123456789-".utf8.contains($0) }) else {
      throw Prices.bad("date is \"\(date)\", and not a day such as \(Prices.included.date)")
    }
    currency = try fields.text("currency")
    region = try fields.text("region")
    standard = try Requests(try fields.object("standard"))
    infrequentAccess = try Requests(try fields.object("infrequentAccess"))
    storageGBMonth = try fields.price("storageGBMonth")
    try fields.refuseOthers([
      "date", "currency", "region", "standard", "infrequentAccess", "storageGBMonth",
    ])
  }

  fileprivate static func bad(_ reason: String) -> DynamoError {
    DynamoError(
      .usage, "the price file cannot be used: \(reason)",
      hint: "docs/costs.md shows what stands in one")
  }
}

extension Prices.Requests {
  fileprivate init(_ fields: PriceFields) throws(DynamoError) {
    readMillion = try fields.price("readMillion")
    writeMillion = try fields.price("writeMillion")
    try fields.refuseOthers(["readMillion", "writeMillion"])
  }
}

/// The members of an object of a price file, each with its place for messages.
private struct PriceFields {
  let object: JSONObject
  let path: String

  func text(_ name: String) throws(DynamoError) -> String {
    guard let text = object[name]?.string, !text.isEmpty else {
      throw Prices.bad("\(path)\(name) is missing, or no text")
    }
    return text
  }

  func object(_ name: String) throws(DynamoError) -> PriceFields {
    guard let object = object[name]?.object else {
      throw Prices.bad("\(path)\(name) is missing, or no object")
    }
    return PriceFields(object: object, path: "\(path)\(name).")
  }

  func price(_ name: String) throws(DynamoError) -> Double {
    guard let price = object[name]?.double else {
      throw Prices.bad("\(path)\(name) is missing, or no number")
    }
    guard price.isFinite, price >= 0 else {
      throw Prices.bad("\(path)\(name) is \(price), and prices are 0 or more")
    }
    return price
  }

  func refuseOthers(_ known: Set<String>) throws(DynamoError) {
    if let other = object.removing(known).members.first {
      throw Prices.bad("\(path)\(other.name) is not known")
    }
  }
}
