import Archive
import JSON

/// What a comparison came to, in numbers.
struct DiffStatReport {
  private let summary: DiffSummary
  private let statistics: DiffStatistics

  init(_ summary: DiffSummary, _ statistics: DiffStatistics) {
    self.summary = summary
    self.statistics = statistics
  }

  private static func unchanged(_ summary: DiffSummary) -> Int {
    summary.old.items - summary.removed - summary.changed
  }

  /// `3 added, 1 removed, 2 changed, 12,345 the same`
  static func line(_ summary: DiffSummary) -> String {
    "\(Format.count(summary.added)) added, \(Format.count(summary.removed)) removed, "
      + "\(Format.count(summary.changed)) changed, \(Format.count(unchanged(summary))) the same"
  }

  var text: String {
    var rows = [
      (
        "Old",
        "\(Format.count(summary.old.items)) items, \(Format.bytes(summary.old.contentBytes))"
      ),
      (
        "New",
        "\(Format.count(summary.new.items)) items, \(Format.bytes(summary.new.contentBytes))"
      ),
      (
        "Added",
        "\(Format.count(statistics.added.items)) items, \(Format.bytes(statistics.added.newBytes))"
      ),
      (
        "Removed",
        "\(Format.count(statistics.removed.items)) items, "
          + Format.bytes(statistics.removed.oldBytes)
      ),
      (
        "Changed",
        "\(Format.count(statistics.changed.items)) items, "
          + "\(Format.bytes(statistics.changed.oldBytes)) before, "
          + "\(Format.bytes(statistics.changed.newBytes)) now"
      ),
      ("The same", "\(Format.count(DiffStatReport.unchanged(summary))) items"),
    ]
    let skipped = summary.old.partsSkipped
    if skipped > 0 {
      rows.append(("Not read", "\(Format.count(skipped)) chunks that both have"))
    }
    var text = Format.table(rows)
    let attributes = statistics.byAttribute
    if !attributes.isEmpty {
      text += "\n\nAttributes of changed items\n" + DiffStatReport.table(attributes)
    }
    if statistics.attributesNotListed > 0 {
      text +=
        "\n\(Format.count(statistics.attributesNotListed)) differences in further attributes"
    }
    return text
  }

  private static func table(_ attributes: [DiffStatistics.AttributeTally]) -> String {
    let cells = attributes.map { tally in
      [
        ("changed", tally.changed), ("added", tally.added), ("removed", tally.removed),
      ].filter { $0.1 > 0 }.map { "\(Format.count($0.1)) \($0.0)" }.joined(separator: ", ")
    }
    return Format.table(
      zip(attributes, cells).map { ("  " + $0.attribute.description, $1) })
  }

  var json: JSONValue {
    func tally(_ tally: DiffStatistics.Tally) -> JSONValue {
      [
        "items": JSONValue(tally.items), "oldBytes": JSONValue(tally.oldBytes),
        "newBytes": JSONValue(tally.newBytes),
      ]
    }
    func side(_ side: DiffSummary.Side) -> JSONValue {
      [
        "items": JSONValue(side.items), "contentBytes": JSONValue(side.contentBytes),
        "partsSkipped": JSONValue(side.partsSkipped),
      ]
    }
    return [
      "old": side(summary.old), "new": side(summary.new), "added": tally(statistics.added),
      "removed": tally(statistics.removed), "changed": tally(statistics.changed),
      "unchanged": JSONValue(DiffStatReport.unchanged(summary)),
      "attributes": .array(
        statistics.byAttribute.map {
          [
            "path": .string($0.attribute.description), "added": JSONValue($0.added),
            "removed": JSONValue($0.removed), "changed": JSONValue($0.changed),
          ]
        }),
      "attributesNotListed": JSONValue(statistics.attributesNotListed),
      "bytesRead": JSONValue(summary.bytesRead), "bytesSpilled": JSONValue(summary.bytesSpilled),
    ]
  }
}
