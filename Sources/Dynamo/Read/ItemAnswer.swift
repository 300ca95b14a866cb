import AWS
import Archive
import JSON

/// What a request for one item answered.
struct ItemAnswer: Sendable {
  var item: [UInt8]?
  var units: Double?

  /// - Parameters:
  ///   - member: the one that holds the item.
  ///   - canonicalKey: of the item that was asked about.
  /// - Throws: `DynamoError` of code `badAnswer`, also where the item has another key.
  init(
    _ response: ServiceResponse, _ member: String, key: KeySchema, canonicalKey: [UInt8]
  ) throws(DynamoError) {
    let bytes = response.body
    var scanner = JSONScanner()
    do throws(JSONError) {
      let start = scanner.skipWhitespace(bytes.span, at: 0)
      try JSONWalk.object(bytes.span, at: start, &scanner) {
        name, start, end, _ throws(JSONError) in
        if name == "ConsumedCapacity" {
          units = try BatchAnswer.units(bytes.span, start..<end)
        } else if name == member {
          item = Array(bytes[start..<end])
        }
      }
    } catch { throw ItemAnswer.bad("\(error)") }
    guard let item else { return }
    var found: [UInt8] = []
    do throws(ItemFault) {
      var items = ItemScanner(key: key)
      _ = try items.scan(item.span, at: 0)
      try CanonicalKey.append(item.span, items, to: &found)
    } catch { throw ItemAnswer.bad("\(error)") }
    guard found == canonicalKey else { throw ItemAnswer.bad("it is an item of another key") }
  }

  private static func bad(_ reason: String) -> DynamoError {
    DynamoError(.badAnswer, "an answer about one item cannot be used: \(reason)")
  }
}
