import Archive
import JSON
import Synchronization

/// The state file of a load of several tables: what is loaded where and how, and which tables are done. How far
/// each of the others is, its own state file says.
final class LoadTablesState: Sendable {
  /// A table, and where it goes.
  struct Table: Sendable, Equatable {
    var source: String
    var target: String
    /// The archive's id.
    var archive: String
  }

  /// What the load was begun with.
  struct Begun: Sendable, Equatable {
    var existing: ExistingItems
    var settings: SettingsChoice
    /// How items are changed on their way.
    var rules: [ItemTransforms.Rule]
    var hashKeyCheck: String?
    var tables: [Table]
  }

  fileprivate static let format = "dynarc-load-tables"
  static let words = StateFile.Words(verb: "load", again: "load again with --merge")

  let begun: Begun
  private let file: StateFile
  private let ends: Mutex<[String: TableLoadEnd]>

  private init(_ file: StateFile, _ begun: Begun, _ ends: [String: TableLoadEnd]) {
    self.file = file
    self.begun = begun
    self.ends = Mutex(ends)
  }

  /// How a table ended that is done; nil for the others.
  func end(ofTarget target: String) -> TableLoadEnd? { ends.withLock { $0[target] } }

  /// Notes that a table is done.
  func note(_ end: TableLoadEnd, ofTarget target: String) throws(ArchiveError) {
    var line: JSONObject = [
      "done": .string(target), "written": JSONValue(end.written),
      "rejected": JSONValue(end.rejected),
    ]
    line["rejects"] = end.rejects.map(JSONValue.string)
    let whole = line
    try ends.withLock { (ends) throws(ArchiveError) in
      try file.append(whole)
      ends[target] = end
    }
  }

  func remove() throws(ArchiveError) { try file.remove() }

  /// Starts a state file.
  ///
  /// - Throws: `DynamoError` of code `stateExists` or `locked`; `ArchiveError` of code `io`.
  static func create(_ path: String, _ begun: Begun) throws -> LoadTablesState {
    LoadTablesState(try StateFile.create(path, words, firstLine: begun.json), begun, [:])
  }

  /// Opens the state file of a load that was stopped.
  ///
  /// - Throws: `DynamoError` of code `noState`, `locked` or `stateMismatch`.
  static func resume(_ path: String) throws -> LoadTablesState {
    let (file, lines) = try StateFile.resume(path, words)
    guard let begun = Begun(lines[0]) else { throw file.damaged(line: 1) }
    var ends: [String: TableLoadEnd] = [:]
    for (index, line) in lines.enumerated().dropFirst() {
      guard let json = try? JSONValue.parse(line.span), let target = json["done"]?.string,
        let written = json["written"]?.int, let rejected = json["rejected"]?.int
      else { throw file.damaged(line: index + 1) }
      ends[target] = TableLoadEnd(
        written: written, rejected: rejected, rejects: json["rejects"]?.string)
    }
    return LoadTablesState(file, begun, ends)
  }
}

extension LoadTablesState.Begun {
  fileprivate var json: JSONObject {
    var line: JSONObject = [
      "format": .string(LoadTablesState.format), "version": 1,
      "existing": .string(existing.rawValue), "settings": .object(settings.json),
    ]
    line.add(rules, hashKeyCheck: hashKeyCheck)
    line["tables"] = .array(
      tables.map {
        [
          "table": .string($0.source), "target": .string($0.target), "archive": .string($0.archive),
        ]
      })
    return line
  }

  fileprivate init?(_ line: [UInt8]) {
    guard let json = try? JSONValue.parse(line.span),
      json["format"] == .string(LoadTablesState.format),
      json["version"] == 1,
      let existing = json["existing"]?.string.flatMap(ExistingItems.init(rawValue:)),
      let settings = json["settings"].flatMap(SettingsChoice.init), let rows = json["tables"]?.array
    else { return nil }
    var tables: [LoadTablesState.Table] = []
    for row in rows {
      guard let source = row["table"]?.string, TableName.isValid(source),
        let target = row["target"]?.string, TableName.isValid(target),
        let archive = row["archive"]?.string
      else { return nil }
      tables.append(.init(source: source, target: target, archive: archive))
    }
    guard let noted = ItemTransforms.noted(in: json) else { return nil }
    self.init(
      existing: existing, settings: settings, rules: noted.rules,
      hashKeyCheck: noted.hashKeyCheck, tables: tables)
  }
}
