import ArgumentParser
import Dynamo

/// Which prices to reckon with.
struct PriceOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A price list of your own (docs/costs.md); otherwise AWS's of \(Prices.included.date) for "
        + "\(Prices.included.region).", valueName: "file"),
    completion: .file(extensions: ["json"]))
  var prices: String?

  private static let sizeLimit = 1 << 20

  /// The prices.
  ///
  /// - Throws: `ValidationError`, `DynamoError` of code `usage`.
  func list() throws -> Prices {
    guard let path = prices else { return .included }
    return try Prices(
      file: FileSystem.contents(path, limit: PriceOptions.sizeLimit, what: "price list"))
  }
}
