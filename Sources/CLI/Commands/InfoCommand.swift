import ArgumentParser
import Archive
import Dynamo
import JSON

struct InfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Say what an archive is, or a folder of archives: what, when, from where, how much.")

  @Argument(help: "Directory of the archive, or folder of archives.", completion: .directory)
  var archive: String

  @Flag(help: "Report as JSON on standard output.")
  var json = false

  @Flag(help: "Show the table's settings.")
  var settings = false

  @Option(
    name: .customLong("as"),
    help: ArgumentHelp(
      "Print the table as a template from which it can be made again: for CloudFormation (JSON), "
        + "Terraform, or aws dynamodb create-table --cli-input-json.",
      valueName: "cloudformation|terraform|create-table"))
  var template: TableTemplate.Format?

  func validate() throws {
    if template != nil, json || settings {
      throw ValidationError("--as prints a template and nothing else")
    }
  }

  func run() throws {
    if ArchiveFolder.isAt(archive) {
      let folder = try ArchiveFolder.open(archive)
      guard template == nil, !settings else {
        throw ArchiveError.folder(archive, table: folder.index.tables.first?.name)
      }
      let report = FolderReport(folder)
      return try json ? Terminal.output(.object(report.json)) : Terminal.output(report.text)
    }
    let opened: Archive
    do throws(ArchiveError) {
      opened = try Archive.open(LocalStorage(directory: archive))
    } catch {
      guard error.code == .unfinished else { throw error }
      return try tellUnfinished(error)
    }
    if let template { return try show(opened.manifest, as: template) }
    if settings {
      let listing = SettingsListing(
        settings: opened.manifest.settings, table: opened.manifest.table)
      if json { return try Terminal.output(.object(listing.json)) }
      return try Terminal.output(Format.table(listing.rows))
    }
    if json { return try Terminal.output(InfoReport(opened).json) }
    try Terminal.output(InfoReport(opened).text)
  }

  private func show(_ manifest: Manifest, as format: TableTemplate.Format) throws {
    let (text, notes) = TableTemplate(
      schema: manifest.table, settings: manifest.settings, arn: manifest.source.tableARN
    ).text(format)
    for note in notes { Terminal.warn(note) }
    try Terminal.output(Array(text.utf8).span)
  }

  private func tellUnfinished(_ unfinished: ArchiveError) throws {
    let report: UnfinishedReport
    do throws(ArchiveError) { report = try UnfinishedReport(archive) } catch {
      // Without a journal it is a part of a copy, which nobody can go on with.
      throw error.code == .missing ? unfinished : error
    }
    if json { return try Terminal.output(report.json) }
    try Terminal.output(report.text)
  }
}

/// What `info` tells of an archive.
struct InfoReport {
  private let archive: Archive
  private var manifest: Manifest { archive.manifest }
  private var counts: Counts { archive.manifest.counts }

  init(_ archive: Archive) { self.archive = archive }

  private var ratio: Double? {
    counts.storedBytes > 0 ? Double(counts.contentBytes) / Double(counts.storedBytes) : nil
  }

  /// Mean bytes of an item's JSON: its line without the wrapper.
  private var meanItem: Int? {
    counts.items > 0 ? counts.contentBytes / counts.items - LineFormat.overhead : nil
  }

  private var segmentsWithItems: Int { Set(manifest.chunks.map(\.segment)).count }

  /// Rows of a name and a value.
  var text: String {
    let source = manifest.source
    var rows: [(String, String)] = [
      (
        "Archive",
        "\(archive.id.prefix(16))  (\(manifest.kind), format version \(Manifest.version))"
      ),
      ("Table", source.tableName),
    ]
    if let arn = source.tableARN { rows.append(("ARN", arn)) }
    if !manifest.sameItemsAs.isEmpty {
      let names = manifest.sameItemsAs.map { String($0.prefix(16)) }
      rows.append(("Same as", "the state of \(names.joined(separator: ", "))"))
    }
    if let changes = manifest.changes {
      rows += InfoReport.rows(changes)
    } else {
      rows.append(("Read", source.read.words))
    }
    if let condition = source.read.keyConditionExpression { rows.append(("Slice", condition)) }
    if let filter = source.read.filterExpression { rows.append(("Filter", filter)) }
    if let projection = source.read.projectionExpression { rows.append(("Projection", projection)) }
    if let names = source.read.expressionAttributeNames {
      rows.append(("Names", InfoReport.line(.object(names))))
    }
    if let values = source.read.expressionAttributeValues {
      rows.append(("Values", InfoReport.line(.object(values))))
    }
    rows.append(("Time", "\(manifest.startTime) to \(manifest.endTime)"))
    rows.append(("Made by", "\(manifest.tool.name) \(manifest.tool.version)"))
    rows.append(("Key", manifest.table.key.words))
    for index in manifest.table.indexes {
      rows.append(
        (
          index.kind == .global ? "GSI" : "LSI",
          "\(index.name): \(index.key.words); projects \(InfoReport.words(index.projection))"
        ))
    }
    rows.append(("Billing", SettingsListing.billing(manifest.table)))
    if manifest.changes == nil { rows.append(("Items", itemCount)) }
    rows.append(
      (
        "Size",
        "\(Format.bytes(counts.contentBytes)) of content, \(Format.bytes(counts.storedBytes)) stored"
          + (ratio.map { ", ratio \(Format.decimal($0, 2))" } ?? "")
      ))
    if let meanItem {
      rows.append(
        (
          "Item",
          "\(Format.bytes(meanItem)) in the mean, \(Format.bytes(counts.largestItemBytes)) the largest"
        ))
    }
    rows.append(
      (
        "Chunks",
        "\(Format.count(manifest.chunks.count)) in \(Format.count(segmentsWithItems)) of "
          + "\(Format.count(source.read.totalSegments)) segments"
      ))
    if let units = counts.consumedReadUnits {
      rows.append(("Consumed", "\(Format.decimal(units, 1)) read units"))
    }
    if source.keyless { rows.append(("Note", "items without keys: cannot be loaded")) }
    if let reason = manifest.partialBecause {
      rows.append(("Note", "items are parts of the source's: \(reason)"))
    }
    if !source.transforms.isEmpty {
      rows.append(("Changed", ItemTransforms.words(source.transforms)))
    }
    let settings = manifest.settings
    if let words = SettingsListing(settings: settings, table: manifest.table).words {
      rows.append(("Settings", words))
    }
    if !settings.notRead.isEmpty {
      let unread = settings.notRead.map { "\($0.setting) (\($0.code))" }
      rows.append(("Not read", unread.joined(separator: ", ")))
    }
    return Format.table(rows)
  }

  private static func rows(_ changes: ChangesDescription) -> [(String, String)] {
    [("From", changes.from), ("To", changes.to)].map { name, side in
      let what = side.archiveID.map { "archive \($0.prefix(16))" } ?? "table \(side.tableName)"
      let slice = side.slice.map { ", where \($0)" } ?? ""
      return (
        name,
        "\(what), \(Format.count(side.items)) items, read \(side.startTime) to \(side.endTime)\(slice)"
      )
    } + [
      (
        "Changes",
        "\(Format.count(changes.added)) added, \(Format.count(changes.removed)) removed, "
          + "\(Format.count(changes.changed)) changed"
      ),
      (
        "Old items",
        changes.oldImages.map { $0 == .images ? "whole items" : "a digest of each" } ?? "nothing"
      ),
    ]
  }

  private var itemCount: String {
    let scanned =
      counts.scannedItems == counts.items ? "" : ", of \(Format.count(counts.scannedItems)) read"
    return Format.count(counts.items) + scanned
  }

  private static func line(_ value: JSONValue) -> String {
    String(decoding: value.serialized(), as: UTF8.self)
  }

  private static func words(_ projection: Projection) -> String {
    switch projection.type {
    case "ALL": "all attributes"
    case "KEYS_ONLY": "only the keys"
    default: "the keys and \(projection.nonKeyAttributes.joined(separator: ", "))"
    }
  }

  /// The manifest without its rows, and what follows from it.
  var json: JSONValue {
    var report = manifest.json.object ?? JSONObject()
    report["chunks"] = nil
    report["finished"] = true
    report["id"] = .string(archive.id)
    report["chunkCount"] = JSONValue(manifest.chunks.count)
    report["segmentsWithItems"] = JSONValue(segmentsWithItems)
    report["meanItemBytes"] = meanItem.map { JSONValue($0) }
    report["compressionRatio"] = ratio.map { .number(Format.plain($0)) }
    return .object(report)
  }
}

extension ReadDescription {
  /// `Scan of index by-day, eventually consistent`
  var words: String {
    let place = indexName.map { " of index \($0)" } ?? ""
    return "\(operation.rawValue)\(place), "
      + "\(consistentRead ? "strongly" : "eventually") consistent"
  }
}

extension TableTemplate.Format: ExpressibleByArgument {}
