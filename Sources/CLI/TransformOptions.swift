import Archive
import ArgumentParser
import Glibc
import JSON

/// How items are changed on their way. A value that is wanted nowhere is best taken out where it is read.
struct TransformOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      #"Give an attribute of every item this value, as JSON: 'name="Jane"', 'address.zip={"S":"0"}'."#,
      discussion: "Again for each further attribute; so with --remove and --hash.",
      valueName: "attr=value"))
  var set: [String] = []

  @Option(
    help: ArgumentHelp(
      #"Take an attribute out of every item; nested ones as address.lines[2] or "a.b".c."#,
      valueName: "attr"))
  var remove: [String] = []

  @Option(
    help: ArgumentHelp(
      "Put a keyed hash (HMAC-SHA-256) in the place of an attribute's value: equal values stay equal, for "
        + "everybody with the same key.", valueName: "attr"))
  var hash: [String] = []

  @Flag(help: "Let --set and --hash change attributes of the table's key and of its indexes' keys.")
  var rekey = false

  @Option(
    help: ArgumentHelp(
      "The key of --hash, at least 16 bytes; otherwise the variable DYNARC_HASH_KEY.",
      valueName: "file"),
    completion: .file())
  var hashKeyFile: String?

  private static let keySizeLimit = 64 << 10

  /// Whether there are rules.
  var isGiven: Bool { !(set.isEmpty && remove.isEmpty && hash.isEmpty) }

  func validate() throws {
    if hashKeyFile?.isEmpty == true { throw ValidationError("--hash-key-file is empty") }
  }

  /// The rules with the key that they need.
  ///
  /// - Throws: `TransformError` for what cannot be read or does not go together; `ValidationError` for
  ///   options that change nothing.
  func transforms() throws -> ItemTransforms {
    guard isGiven || !rekey else {
      throw ValidationError("--rekey lets rules change keys; add --hash ATTR or --set ATTR=VALUE")
    }
    guard !hash.isEmpty || hashKeyFile == nil else {
      throw ValidationError("--hash-key-file is for --hash; add --hash ATTR, or leave it out")
    }
    guard isGiven else { return .none }
    return try ItemTransforms(rules(), hashKey: hash.isEmpty ? nil : hashKey())
  }

  private func rules() throws(TransformError) -> [ItemTransforms.Rule] {
    var rules: [ItemTransforms.Rule] = []
    for expression in set { rules.append(try .set(expression)) }
    for path in remove { rules.append(try .remove(path)) }
    for path in hash { rules.append(try .hash(path)) }
    return rules
  }

  /// The options once more, for commands that are told to people.
  var again: [String] {
    self.set.flatMap { ["--set", $0] } + remove.flatMap { ["--remove", $0] }
      + hash.flatMap { ["--hash", $0] } + (rekey ? ["--rekey"] : [])
      + (hashKeyFile.map { ["--hash-key-file", $0] } ?? [])
  }

  /// The key of --hash from its file or the environment; nil where neither is given.
  ///
  /// - Throws: `ValidationError` where the file cannot be read.
  func hashKey() throws -> [UInt8]? {
    guard let path = hashKeyFile else {
      // A variable that is set to nothing, as by a workflow without the secret, is none.
      guard let text = getenv("DYNARC_HASH_KEY"), text.pointee != 0 else { return nil }
      return (0..<strlen(text)).map { UInt8(bitPattern: text[$0]) }
    }
    var key = try FileSystem.contents(path, limit: TransformOptions.keySizeLimit, what: "hash key")
    // An editor's line break is no part of it, nor is Windows' way to write one.
    if key.last == UInt8(ascii: "\n") {
      key.removeLast()
      if key.last == UInt8(ascii: "\r") { key.removeLast() }
    }
    return key
  }
}

extension JSONObject {
  /// Tells how items were changed: `transforms`, as a manifest has it, and `hashKeyCheck`.
  mutating func add(_ transforms: ItemTransforms) {
    self["transforms"] = ItemTransforms.json(transforms.rules)
    self["hashKeyCheck"] = transforms.hashKeyCheck.map(JSONValue.string) ?? .null
  }
}

extension ItemTransforms {
  /// Says how items were changed, where they were.
  func say() { if !isEmpty { Terminal.say("changed on the way: \(words)") } }
}
