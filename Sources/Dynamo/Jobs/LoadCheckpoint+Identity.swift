import Archive
import JSON

/// What a job that writes into a table does with the archive.
enum WriteWork: Equatable, Sendable {
  /// Loads a snapshot.
  case load(ExistingItems)
  /// Applies changes.
  case apply(ChangesDirection, guarded: Bool)

  /// Its command.
  var verb: String {
    switch self {
    case .load: "load"
    case .apply: "apply"
    }
  }

  /// What its state file says to people.
  var words: StateFile.Words { .init(verb: verb, again: again) }

  /// How to begin anew where some of it has been done.
  var again: String {
    switch self {
    case .load: "load again with --merge"
    case .apply: "apply again from the start: what is done is done again, which changes nothing"
    }
  }
}

extension LoadCheckpoint.Identity {
  /// The first line of a state file.
  var json: JSONObject {
    var line: JSONObject = [
      "format": .string("dynarc-\(work.verb)"), "version": 1, "archive": .string(archive),
      "target": .string(table),
    ]
    switch work {
    case .load(let existing): line["existing"] = .string(existing.rawValue)
    case .apply(let direction, let guarded):
      line["direction"] = .string(direction.rawValue)
      if guarded { line["guarded"] = true }
    }
    line.add(rules, hashKeyCheck: hashKeyCheck)
    return line
  }

  /// Reads the first line; nil for one that is none.
  init?(_ line: [UInt8], _ path: String) throws(DynamoError) {
    guard let json = try? JSONValue.parse(line.span), let archive = json["archive"]?.string,
      let table = json["target"]?.string
    else { return nil }
    if json["format"] == "dynarc-load",
      let existing = json["existing"]?.string.flatMap(ExistingItems.init(rawValue:))
    {
      work = .load(existing)
    } else if json["format"] == "dynarc-apply",
      let direction = json["direction"]?.string.flatMap(ChangesDirection.init(rawValue:))
    {
      work = .apply(direction, guarded: json["guarded"] == true)
    } else {
      return nil
    }
    guard json["version"] == 1 else {
      throw DynamoError(
        .stateMismatch, "\(path) was written by a newer version of dynarc",
        hint: "go on with that version")
    }
    self.archive = archive
    self.table = table
    guard let noted = ItemTransforms.noted(in: json) else { return nil }
    (rules, hashKeyCheck) = noted
  }

  /// Checks that the file belongs to what is to be done.
  func check(_ wanted: Self, _ path: String) throws(DynamoError) {
    guard archive == wanted.archive else {
      throw DynamoError(
        .stateMismatch,
        "\(path) belongs to another archive: \(archive.prefix(16)), not "
          + "\(wanted.archive.prefix(16))", hint: "name the right one with --state")
    }
    guard table == wanted.table else {
      throw DynamoError(
        .stateMismatch, "\(path) belongs to work on \(table), not \(wanted.table)",
        hint: "name the right one with --state")
    }
    switch (work, wanted.work) {
    case (.load, .load): try checkRules(wanted, path)
    case (.apply(let begun, let wasGuarded), .apply(let direction, let guarded)):
      guard begun != direction else {
        guard wasGuarded != guarded else { return }
        throw DynamoError(
          .stateMismatch,
          "\(path) belongs to changes that are being applied "
            + (wasGuarded ? "with --guard" : "without --guard"),
          hint: wasGuarded ? "add --guard" : "leave --guard out to go on with it first")
      }
      throw DynamoError(
        .stateMismatch,
        "\(path) belongs to changes that are being "
          + (begun == .backward ? "taken back" : "applied, not taken back"),
        hint: begun == .backward ? "add --reverse" : "leave --reverse out to go on with it first")
    default:
      throw DynamoError(
        .stateMismatch, "\(path) belongs to a dynarc \(work.verb)",
        hint: "name the right one with --state")
    }
  }

  /// Items that are changed in two ways must not stand beside each other.
  private func checkRules(_ wanted: Self, _ path: String) throws(DynamoError) {
    guard rules == wanted.rules else {
      let words = [rules, wanted.rules].map { rules in
        rules.isEmpty ? "none" : ItemTransforms.words(rules)
      }
      throw DynamoError(
        .stateMismatch,
        "\(path) belongs to a load that changes items by other rules: \(words[0]), not \(words[1])",
        hint: rules.isEmpty
          ? "leave --set, --remove and --hash out to go on with it first"
          : "give the --set, --remove and --hash that it was begun with, in the same order")
    }
    guard hashKeyCheck == wanted.hashKeyCheck else {
      throw DynamoError(
        .stateMismatch, "\(path) belongs to a load with another hash key",
        hint: "give the key that it was begun with, by --hash-key-file or DYNARC_HASH_KEY")
    }
  }
}
