import Archive
import JSON

/// What `info` tells of a folder of archives.
struct FolderReport {
  private let folder: ArchiveFolder
  private var index: FolderIndex { folder.index }

  init(_ folder: ArchiveFolder) { self.folder = folder }

  /// Tables in a state: `pending`, `complete`, `failed`.
  private func count(_ state: String) -> Int { index.tables.count { $0.state.word == state } }

  private var isFinished: Bool { count("complete") == index.tables.count }

  /// Rows of a name and a value, then a row for each table.
  var text: String {
    let totals = index.totals ?? (0, 0, 0)
    var rows = [
      ("Folder", "archives of \(Format.count(index.tables.count)) tables"),
      ("Chosen", index.selection == TableSelection() ? "all tables" : index.selection.words),
    ]
    if let account = index.accountID { rows.append(("Account", account)) }
    if let region = index.region { rows.append(("Region", region)) }
    rows.append(("Begun", "\(index.startTime) by \(index.tool.name) \(index.tool.version)"))
    rows.append(("Last change", "\(index.updateTime)"))
    rows.append(
      (
        "Complete",
        "\(Format.count(count("complete"))), \(Format.count(count("failed"))) failed, "
          + "\(Format.count(count("pending"))) pending"
      ))
    rows.append(("Items", Format.count(totals.items)))
    rows.append(
      (
        "Size",
        "\(Format.bytes(totals.contentBytes)) of content, \(Format.bytes(totals.storedBytes)) stored"
      ))
    if !isFinished { rows.append(("Go on", "with the command it was begun with, and --resume")) }
    let tables = index.tables.map { table in
      switch table.state {
      case .complete(let archive):
        [table.name, "complete"] + TablesReport.cells(archive) + [String(archive.id.prefix(16))]
      case .pending: [table.name, "pending", "", "", "", ""]
      case .failed(let failure):
        [table.name, "failed", "", "", "", "\(failure.code): \(failure.message)"]
      }
    }
    return Format.table(rows) + "\n\n"
      + Format.columns(header: ["TABLE", "STATE", "ITEMS", "SIZE", "STORED", "ARCHIVE"], tables)
  }

  /// The index, and what follows from it.
  var json: JSONObject {
    var json = index.json.object ?? JSONObject()
    let totals = index.totals ?? (0, 0, 0)
    json["finished"] = .bool(isFinished)
    json["complete"] = JSONValue(count("complete"))
    json["failed"] = JSONValue(count("failed"))
    json["pending"] = JSONValue(count("pending"))
    json["items"] = JSONValue(totals.items)
    json["contentBytes"] = JSONValue(totals.contentBytes)
    json["storedBytes"] = JSONValue(totals.storedBytes)
    return json
  }
}
