import Archive
import JSON

/// What `info` tells of a dump that is not finished.
struct UnfinishedReport {
  private let path: String
  /// Nil where the dump ended before it noted anything.
  private let journal: Journal?
  private let source: ArchiveSource?

  /// - Throws: `ArchiveError`; code `missing` where there is no journal.
  init(_ path: String) throws(ArchiveError) {
    self.path = path
    journal = try Journal.read(LocalStorage(directory: path))
    source = try journal?.source
  }

  /// What goes on with it. The read is taken from the journal; only where to find the table is not.
  private var command: String {
    ShellCommand.line(["dynarc", "dump", source?.tableName ?? "TABLE", path, "--resume"])
  }

  /// Rows of a name and a value.
  var text: String {
    var rows = [("Archive", "unfinished: it has no \(ArchiveNames.sums)")]
    if let journal, let source {
      let counts = journal.counts
      rows.append(("Table", source.tableName))
      if let arn = source.tableARN { rows.append(("ARN", arn)) }
      rows.append(("Read", source.read.words))
      if !source.transforms.isEmpty {
        rows.append(("Changed", ItemTransforms.words(source.transforms)))
      }
      rows.append(("Begun", "\(journal.startTime) by \(journal.tool.name) \(journal.tool.version)"))
      rows.append(
        (
          "Segments",
          "\(Format.count(counts.segmentsDone)) of \(Format.count(source.read.totalSegments)) done"
        ))
      rows.append(("Chunks", Format.count(counts.chunks)))
      rows.append(("Items", Format.count(counts.items)))
      rows.append(
        (
          "Size",
          "\(Format.bytes(counts.contentBytes)) of content, \(Format.bytes(counts.storedBytes)) stored"
        ))
      rows.append(("Consumed", "\(Format.decimal(counts.reading.consumedReadUnits, 1)) read units"))
    }
    rows.append(("Go on", command))
    let key = source?.hashKeyCheck == nil ? "" : ", and the same hash key"
    rows.append(("", "with the --profile, --region and --endpoint-url it was begun with\(key)"))
    return Format.table(rows)
  }

  var json: JSONValue {
    var report: JSONObject = ["finished": false]
    if let journal, let source {
      let counts = journal.counts
      report["source"] = .object(source.json)
      report["startTime"] = .string(journal.startTime.description)
      report["tool"] = [
        "name": .string(journal.tool.name), "version": .string(journal.tool.version),
      ]
      report["segmentsDone"] = JSONValue(counts.segmentsDone)
      report["chunkCount"] = JSONValue(counts.chunks)
      report["counts"] = [
        "items": JSONValue(counts.items), "contentBytes": JSONValue(counts.contentBytes),
        "storedBytes": JSONValue(counts.storedBytes),
        "scannedItems": JSONValue(counts.reading.scannedItems),
        "consumedReadUnits": .number(Format.plain(counts.reading.consumedReadUnits)),
      ]
    }
    report["resume"] = .string(command)
    return .object(report)
  }
}
