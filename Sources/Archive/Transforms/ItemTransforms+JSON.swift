internal import Digest
public import JSON

extension Fields {
  /// The members `transforms` and `hashKeyCheck`, which stand together or not at all.
  func transforms() throws(ArchiveError) -> (rules: [ItemTransforms.Rule], hashKeyCheck: String?) {
    var rules: [ItemTransforms.Rule] = []
    if object["transforms"] != nil {
      for rule in try each("transforms") { rules.append(try ItemTransforms.Rule(rule)) }
    }
    let check = try optional("hashKeyCheck", "16 hexadecimal digits") {
      $0.string.flatMap { Hex.decode($0)?.count == 8 ? $0 : nil }
    }
    guard rules.contains(where: { $0.operation == .hash }) == (check != nil) else {
      throw fault("hashKeyCheck", "does not fit the rules")
    }
    return (rules, check)
  }
}

extension JSONObject {
  /// Adds `transforms` and `hashKeyCheck` where there are rules.
  package mutating func add(_ rules: [ItemTransforms.Rule], hashKeyCheck: String?) {
    if !rules.isEmpty { add("transforms", ItemTransforms.json(rules)) }
    add("hashKeyCheck", hashKeyCheck.map(JSONValue.string))
  }
}

extension ItemTransforms {
  /// The members `transforms` and `hashKeyCheck` of a job's own file; nil where they are malformed.
  package static func noted(in json: JSONValue) -> (rules: [Rule], hashKeyCheck: String?)? {
    guard let rules = json["transforms"].map(rules) ?? [] else { return nil }
    return (rules, json["hashKeyCheck"]?.string)
  }

  /// Rules as a manifest and a journal hold them (format-spec.md, section 4.1).
  public static func json(_ rules: [Rule]) -> JSONValue { .array(rules.map(\.json)) }

  /// The way back; nil for anything else.
  public static func rules(_ json: JSONValue) -> [Rule]? {
    guard let elements = json.array else { return nil }
    return try? elements.map { try Rule(Fields($0, file: "")) }
  }
}

extension ItemTransforms.Rule {
  private enum Word: String { case set, remove, hash }

  init(_ fields: Fields) throws(ArchiveError) {
    let path = try fields.required("path", "a path of an attribute") {
      $0.string.flatMap { AttributePath($0) }
    }
    let word: Word = try fields.word("operation")
    switch word {
    case .remove: self.init(path: path, operation: .remove)
    case .hash: self.init(path: path, operation: .hash)
    case .set:
      let value = try fields.required("value", "a typed value") { $0 }
      do throws(TypedJSON.Fault) { try TypedJSON.check(value) } catch {
        throw fields.fault("value", "cannot be stored: \(error.what)")
      }
      self.init(path: path, operation: .set(value.serialized()))
    }
  }

  var json: JSONValue {
    var object: JSONObject = [
      "operation": .string(operation.word), "path": .string(path.description),
    ]
    if case .set(let value) = operation {
      // A rule's value has been parsed or written by this program.
      object.add("value", try? JSONValue.parse(value.span))
    }
    return .object(object)
  }
}
