import JSON
import Testing

@testable import Dynamo

@Suite struct PricesTests {
  private let file = """
    {"date":"2026-09-11","currency":"USD","region":"us-east-1",
     "standard":{"readMillion":0.125,"writeMillion":0.625},
     "infrequentAccess":{"readMillion":0.155,"writeMillion":0.78},"storageGBMonth":0.25}
    """

  @Test func aFileOfThePricesIncluded() throws {
    #expect(try Prices(file: Array(file.utf8)) == .included)
  }

  @Test func amounts() {
    let prices = Prices.included
    #expect(prices.amount(readUnits: 8_000_000, writeUnits: 0, .standard) == 1)
    #expect(prices.amount(readUnits: 0, writeUnits: 1_000_000, .infrequentAccess) == 0.78)
    #expect(prices.storage(bytes: 4 << 30, .standard) == 1)
    #expect(prices.storage(bytes: 1, .infrequentAccess) == nil)
  }

  @Test(arguments: [
    (#""readMillion":0.155"#, #""readMillion":-0.155"#, "infrequentAccess.readMillion"),
    (#""writeMillion":0.625"#, #""writeMillion":"0.625""#, "standard.writeMillion"),
    (#""storageGBMonth":0.25"#, #""storageGBMonth":1e999"#, "storageGBMonth"),
    (#""storageGBMonth""#, #""storageGb""#, "storageGBMonth"),
    (
      #""readMillion":0.155"#, #""readMillion":0.155,"deleteMillion":1"#,
      "infrequentAccess.deleteMillion"
    ),
    (#""currency":"USD""#, #""currency":"USD","discount":2"#, "discount"),
    (#""currency":"USD""#, #""currency":"""#, "currency"),
    ("2026-09-11", "11.09.2026", "date"),
    ("{", "[", "JSON"),
  ])
  func whatIsNoPriceListIsRefusedByName(old: String, new: String, told: String) {
    let text = file.replacing(old, with: new, maxReplacements: 1)
    let error = #expect(throws: DynamoError.self) { try Prices(file: Array(text.utf8)) }
    #expect(error?.code == .usage)
    #expect(error?.message.contains(told) == true)
  }

  @Test func classes() throws {
    let text = #"{"TableClassSummary":{"TableClass":"STANDARD_INFREQUENT_ACCESS"}}"#
    #expect(TableClass(described: try JSONValue.parse(text)) == .infrequentAccess)
    #expect(TableClass(described: nil) == .standard)
    #expect(TableClass(described: [:]) == .standard)
  }
}
