import Archive
import Dynamo
import JSON

/// What `query` says of items without showing them.
enum QueryReport {
  /// `12 items of 30 read, in 2 pages, 1.5 read units`
  static func line(_ end: QueryProgress) -> String {
    let scanned =
      end.scannedItems == end.items ? "" : " of \(Format.count(end.scannedItems)) read"
    return "\(words(end.items, "item"))\(scanned), in \(words(end.pages, "page")), "
      + "\(Format.decimal(end.traffic.consumedUnits, 1)) read units"
  }

  private static func words(_ count: Int, _ noun: String) -> String {
    "\(Format.count(count)) \(noun)\(count == 1 ? "" : "s")"
  }

  static func show(count end: QueryProgress, asJSON: Bool) throws(ArchiveError) {
    if asJSON { return try Terminal.output(.object(json(end))) }
    try Terminal.output("\(end.items)")
  }

  static func show(
    _ values: ValueCounts, _ end: QueryProgress, asJSON: Bool
  ) throws {
    let found = values.mostFrequentFirst
    if asJSON {
      var report = json(end)
      report["attribute"] = .string(values.path.description)
      report["values"] = .array(
        try found.map {
          ["value": try JSONValue.parse($0.bytes.span), "items": JSONValue($0.count)]
        })
      report["without"] = JSONValue(values.without)
      return try Terminal.output(.object(report))
    }
    let width = Format.count(max(found.first?.count ?? 0, values.without)).count
    var rows = try found.map { (Format.count($0.count), try text($0.bytes)) }
    if values.without > 0 { rows.append((Format.count(values.without), "(without)")) }
    for (count, value) in rows {
      let padding = String(repeating: " ", count: width - count.count)
      try Terminal.output("\(padding)\(count)  \(value.replacing("\n", with: "\\n"))")
    }
  }

  /// A value as the JSON people write, where that tells its type, and typed otherwise.
  private static func text(_ value: [UInt8]) throws -> String {
    let typed = try JSONValue.parse(value.span)
    switch typed.object?.members.first?.name {
    case "S", "N", "BOOL", "NULL":
      var plain: [UInt8] = []
      try PlainJSON.append(value: value.span, to: &plain)
      return String(decoding: plain, as: UTF8.self)
    default: return String(decoding: value, as: UTF8.self)
    }
  }

  private static func json(_ end: QueryProgress) -> JSONObject {
    var report: JSONObject = [
      "items": JSONValue(end.items), "scannedItems": JSONValue(end.scannedItems),
      "pages": JSONValue(end.pages),
      "consumedReadUnits": .number(Format.plain(end.traffic.consumedUnits)),
    ]
    TrafficReport.add(end.traffic.retries, end.traffic.throttledBy, to: &report)
    return report
  }
}
