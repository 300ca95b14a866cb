import Archive
import Dynamo
import JSON

/// What jobs on several tables say.
enum TablesReport {
  /// Names that a sentence lists.
  private static let named = 20

  /// What the progress line shows.
  static func reading(_ progress: TablesProgress, unitName: String) -> ProgressMeter.Reading {
    .init(
      done: progress.items, bytes: progress.bytes, unitName: unitName,
      units: progress.consumedUnits, prefix: "\(progress.done)/\(progress.tables) tables",
      suffix: progress.slowest.map { "\($0.table) waits: \($0.reason)" } ?? "",
      retries: progress.retries, throttledBy: progress.throttledBy, fault: progress.lastFault)
  }

  /// Tells why a table is not done.
  static func tell(_ error: any Error, of table: String) {
    let told = Program.told(error)
    Terminal.error("\(table): \(told?.message ?? "\(error)")", hint: told?.hint)
  }

  /// `table A`, or `3 tables: A, B, C`
  static func list(_ names: [String]) -> String {
    guard names.count != 1 else { return "table \(names[0])" }
    let more = names.count > named ? " and \(Format.count(names.count - named)) more" : ""
    return
      "\(Format.count(names.count)) tables: \(names.prefix(named).joined(separator: ", "))\(more)"
  }

  /// `A`, or `A, B and C`: every name, for questions.
  static func all(_ names: [String]) -> String {
    guard let last = names.last, names.count > 1 else { return names.first ?? "" }
    return "\(names.dropLast().joined(separator: ", ")) and \(last)"
  }

  /// The members of a row that tell of an error.
  static func add(_ error: any Error, to row: inout JSONObject) {
    row["code"] = .string(FolderFailure(error).code)
    row["message"] = .string(Program.told(error)?.message ?? "\(error)")
  }

  /// The columns of an index's row: items, size and stored size.
  static func cells(_ archive: FolderArchive) -> [String] {
    [
      Format.count(archive.items), Format.bytes(archive.contentBytes),
      Format.bytes(archive.storedBytes),
    ]
  }
}

/// What a dump of several tables says at its end.
struct DumpTablesReport {
  let folder: String
  let summary: DumpTablesSummary
  let seconds: Double
  let prices: Prices

  private var complete: [(table: String, archive: Archive, isNew: Bool)] {
    summary.tables.compactMap { dump in
      guard case .complete(let archive, let made) = dump.outcome else { return nil }
      return (dump.table, archive, made != nil)
    }
  }

  /// Tables that are not in the folder.
  var missing: [String] {
    summary.tables.compactMap { dump in
      if case .complete = dump.outcome { nil } else { dump.table }
    }
  }

  private var cost: CostReport {
    CostReport(
      prices,
      all: complete.filter(\.isNew).map { one in
        let manifest = one.archive.manifest
        return .init(
          billingMode: manifest.table.billingMode,
          tableClass: TableClass(described: manifest.settings.described),
          readUnits: manifest.counts.consumedReadUnits ?? 0)
      })
  }

  private var sums: (items: Int, contentBytes: Int, storedBytes: Int) {
    complete.reduce(into: (0, 0, 0)) { sum, one in
      let counts = one.archive.manifest.counts
      sum.0 += counts.items
      sum.1 += counts.contentBytes
      sum.2 += counts.storedBytes
    }
  }

  /// A row for each table, and the sums.
  var lines: [String] {
    let rows = summary.tables.map { dump in
      switch dump.outcome {
      case .complete(let archive, let made):
        [dump.table, made == nil ? "was there" : "dumped"]
          + TablesReport.cells(FolderArchive(archive))
      case .failed(let error): [dump.table, "failed: \(FolderFailure(error).code)", "", "", ""]
      case .pending: [dump.table, "pending", "", "", ""]
      }
    }
    let sums = sums
    return [Format.columns(header: ["TABLE", "STATE", "ITEMS", "SIZE", "STORED"], rows)] + [
      "\(Format.count(complete.count)) of \(Format.count(rows.count)) tables are in \(folder): "
        + "\(Format.count(sums.items)) items (\(Format.bytes(sums.contentBytes)), stored in "
        + "\(Format.bytes(sums.storedBytes))) in \(Format.duration(seconds)), "
        + "\(Format.decimal(summary.progress.consumedUnits, 1)) read units"
    ] + (cost.line.map { [$0] } ?? [])
      + TrafficReport.lines(summary.progress.retries, summary.progress.throttledBy)
  }

  var json: JSONObject {
    let sums = sums
    var json: JSONObject = [
      "folder": .string(folder), "complete": JSONValue(complete.count),
      "failed": JSONValue(
        summary.tables.count { if case .failed = $0.outcome { true } else { false } }),
      "pending": JSONValue(
        summary.tables.count { if case .pending = $0.outcome { true } else { false } }),
      "items": JSONValue(sums.items), "contentBytes": JSONValue(sums.contentBytes),
      "storedBytes": JSONValue(sums.storedBytes), "seconds": .number(Format.plain(seconds)),
      "consumedReadUnits": .number(Format.plain(summary.progress.consumedUnits)),
      "appeared": .array(summary.appeared.map(JSONValue.string)),
      "tables": .array(summary.tables.map(row)),
    ]
    json["cost"] = cost.json
    TrafficReport.add(summary.progress.retries, summary.progress.throttledBy, to: &json)
    return json
  }

  private func row(_ dump: TableDump) -> JSONValue {
    var row: JSONObject = ["table": .string(dump.table)]
    switch dump.outcome {
    case .complete(let archive, let made):
      let counts = archive.manifest.counts
      row["state"] = "complete"
      row["archive"] = .string(ArchiveFolder.path(of: dump.table, in: folder))
      row["id"] = .string(archive.id)
      row["items"] = JSONValue(counts.items)
      row["contentBytes"] = JSONValue(counts.contentBytes)
      row["storedBytes"] = JSONValue(counts.storedBytes)
      row["isNew"] = .bool(made != nil)
      row["resumedItems"] = JSONValue(made?.resumed?.items ?? 0)
    case .failed(let error):
      row["state"] = "failed"
      TablesReport.add(error, to: &row)
    case .pending: row["state"] = "pending"
    }
    return .object(row)
  }
}
