import Archive
import Dynamo
import JSON

/// What a load of several tables says at its end.
struct LoadTablesReport {
  let folder: String
  let summary: LoadTablesSummary
  /// Tables whose archives are not complete.
  let incomplete: [FolderIndex.Table]
  /// What tables were found to hold that were read back, by the tables' names in the folder.
  let found: [String: LoadFindings]
  let seconds: Double
  let prices: Prices

  /// Tables that are not loaded, though their archives are complete.
  var missing: [String] { summary.tables.filter { $0.end == nil }.map(\.source) }

  private var written: Int { summary.tables.reduce(0) { $0 + ($1.end?.written ?? 0) } }

  private var loaded: [(table: TableLoad, summary: LoadSummary)] {
    summary.tables.compactMap { load in
      if case .loaded(let one) = load.outcome { (load, one) } else { nil }
    }
  }

  private var cost: CostReport {
    CostReport(
      prices,
      all: loaded.map { load, one in
        .init(
          billingMode: one.plan.schema.billingMode, tableClass: one.plan.tableClass,
          readUnits: one.progress.consumedReadUnits
            + (found[load.source]?.items.traffic.consumedUnits ?? 0),
          writeUnits: one.progress.consumedUnits)
      })
  }

  /// A row for each table, and the sums.
  var lines: [String] {
    let rows =
      summary.tables.map { load in
        let state =
          switch load.outcome {
          case .loaded(let one): one.plan.createsTable ? "loaded (created)" : "loaded"
          case .done: "was loaded"
          case .failed(let error): "failed: \(FolderFailure(error).code)"
          case .pending: "pending"
          }
        return [
          load.source, load.target, state, load.end.map { Format.count($0.written) } ?? "",
          load.end.map { Format.count($0.rejected) } ?? "",
        ]
      } + incomplete.map { [$0.name, "", "archive not complete", "", ""] }
    let done = rows.count - missing.count - incomplete.count
    return [Format.columns(header: ["TABLE", "INTO", "STATE", "WRITTEN", "REJECTED"], rows)] + [
      "\(Format.count(done)) of \(Format.count(rows.count)) tables of \(folder) are loaded: "
        + "\(Format.count(written)) items in \(Format.duration(seconds)), "
        + "\(Format.decimal(summary.progress.consumedUnits, 1)) write units"
    ] + (cost.line.map { [$0] } ?? [])
      + TrafficReport.lines(summary.progress.retries, summary.progress.throttledBy)
  }

  var json: JSONObject {
    var json: JSONObject = [
      "folder": .string(folder), "loaded": JSONValue(summary.tables.count - missing.count),
      "failed": JSONValue(
        summary.tables.count { if case .failed = $0.outcome { true } else { false } }),
      "pending": JSONValue(
        summary.tables.count { if case .pending = $0.outcome { true } else { false } }),
      "incomplete": JSONValue(incomplete.count), "written": JSONValue(written),
      "seconds": .number(Format.plain(seconds)),
      "consumedWriteUnits": .number(Format.plain(summary.progress.consumedUnits)),
      "tables": .array(
        summary.tables.map(row)
          + incomplete.map { ["table": .string($0.name), "state": "incomplete"] }),
    ]
    json["cost"] = cost.json
    TrafficReport.add(summary.progress.retries, summary.progress.throttledBy, to: &json)
    return json
  }

  private func row(_ load: TableLoad) -> JSONValue {
    var row: JSONObject = ["table": .string(load.source), "target": .string(load.target)]
    switch load.outcome {
    case .loaded(let one):
      row["state"] = "loaded"
      row["created"] = .bool(one.plan.createsTable)
      row["items"] = JSONValue(one.plan.items)
      row["deleted"] = JSONValue(one.progress.deleted)
      row["settings"] = SettingsReport(results: one.settings, table: load.target).json
    case .done: row["state"] = "loaded"
    case .failed(let error):
      row["state"] = "failed"
      TablesReport.add(error, to: &row)
    case .pending: row["state"] = "pending"
    }
    if let end = load.end {
      row["written"] = JSONValue(end.written)
      row["rejected"] = JSONValue(end.rejected)
      row["rejects"] = end.rejects.map(JSONValue.string)
    }
    row["verified"] = found[load.source]?.json
    return .object(row)
  }
}
