import ArgumentParser
import Dynamo
import Glibc

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
    guard let file = fopen(path, "re") else {
      throw ValidationError("cannot read \(path): \(String(cString: strerror(errno)))")
    }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: PriceOptions.sizeLimit)
    let count = fread(&bytes, 1, bytes.count, file)
    guard ferror(file) == 0, count < bytes.count else {
      throw ValidationError("\(path) cannot be read, or is larger than any price list")
    }
    return try Prices(file: Array(bytes[..<count]))
  }
}
