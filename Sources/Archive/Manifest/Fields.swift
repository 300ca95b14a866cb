internal import Digest
internal import JSON

/// The members of an object in a manifest or a journal, read one by one; a fault names the member
/// by its path.
struct Fields {
  let object: JSONObject
  /// The file, for errors.
  let file: String
  /// `source.read.`, empty at the top.
  let path: String

  init(_ value: JSONValue, file: String, path: String = "") throws(ArchiveError) {
    guard case .object(let object) = value else {
      let what = path.isEmpty ? "the document" : "\"\(path)\""
      throw ArchiveError(.damaged, "\(what) is not an object", file: file)
    }
    self.object = object
    self.file = file
    self.path = path.isEmpty ? "" : path + "."
  }

  func fault(_ name: String, _ what: String) -> ArchiveError {
    ArchiveError(.damaged, "\"\(path)\(name)\" \(what)", file: file)
  }

  /// A member that may be absent but, if there, is what `read` takes.
  func optional<Value>(
    _ name: String, _ expected: String, _ read: (JSONValue) -> Value?
  ) throws(ArchiveError) -> Value? {
    guard let value = object[name] else { return nil }
    guard let result = read(value) else { throw fault(name, "is not \(expected)") }
    return result
  }

  func required<Value>(
    _ name: String, _ expected: String, _ read: (JSONValue) -> Value?
  ) throws(ArchiveError) -> Value {
    guard let value = try optional(name, expected, read) else { throw fault(name, "is missing") }
    return value
  }

  func string(_ name: String) throws(ArchiveError) -> String {
    try required(name, "a string", \.string)
  }

  /// A name in DynamoDB: never empty.
  func name(_ name: String) throws(ArchiveError) -> String {
    let text = try string(name)
    guard !text.isEmpty else { throw fault(name, "is empty") }
    return text
  }

  func optionalString(_ name: String) throws(ArchiveError) -> String? {
    try optional(name, "a string", \.string)
  }

  func bool(_ name: String) throws(ArchiveError) -> Bool {
    try required(name, "true or false", \.bool)
  }

  func int(_ name: String, atLeast minimum: Int = 0) throws(ArchiveError) -> Int {
    try required(name, "an integer from \(minimum) to \(Int.max)") {
      $0.int.flatMap { $0 >= minimum ? $0 : nil }
    }
  }

  func digest(_ name: String) throws(ArchiveError) -> SHA256Digest {
    try required(name, "a SHA-256 in 64 lower-case hexadecimal digits") {
      $0.string.flatMap(SHA256Digest.init(hex:))
    }
  }

  func time(_ name: String) throws(ArchiveError) -> Timestamp {
    try required(name, "a time like 2026-11-22T10:00:00Z") { $0.string.flatMap(Timestamp.init) }
  }

  /// A word of a closed list.
  func word<Value: RawRepresentable>(
    _ name: String, _ type: Value.Type = Value.self
  ) throws(ArchiveError) -> Value where Value.RawValue == String {
    let text = try string(name)
    guard let value = Value(rawValue: text) else {
      throw fault(name, "is \"\(text)\", which this version does not know")
    }
    return value
  }

  func optionalObject(_ name: String) throws(ArchiveError) -> JSONObject? {
    try optional(name, "an object", \.object)
  }

  func array(_ name: String) throws(ArchiveError) -> [JSONValue] {
    try required(name, "an array", \.array)
  }

  func strings(_ name: String) throws(ArchiveError) -> [String] {
    var texts: [String] = []
    for value in try array(name) {
      guard let text = value.string else { throw fault(name, "holds something else than strings") }
      texts.append(text)
    }
    return texts
  }

  /// Ids of archives; none where the member is absent.
  func ids(_ name: String) throws(ArchiveError) -> [String] {
    try optional(name, "an array of archives' ids") { value -> [String]? in
      guard let texts = value.array?.map(\.string) else { return nil }
      return texts.allSatisfy { $0.map(ArchiveNames.isID) ?? false }
        ? texts.compactMap(\.self) : nil
    } ?? []
  }

  /// An object inside.
  func fields(_ name: String) throws(ArchiveError) -> Fields {
    guard let value = object[name] else { throw fault(name, "is missing") }
    return try Fields(value, file: file, path: path + name)
  }

  /// The objects of an array inside.
  func each(_ name: String) throws(ArchiveError) -> [Fields] {
    var all: [Fields] = []
    for (index, value) in try array(name).enumerated() {
      all.append(try Fields(value, file: file, path: "\(path)\(name)[\(index)]"))
    }
    return all
  }
}

extension JSONObject {
  /// Appends a member unless its value is nil.
  mutating func add(_ name: String, _ value: JSONValue?) {
    if let value { self[name] = value }
  }

  /// Appends a member with ids of archives, if there are any.
  mutating func add(ids: [String], _ name: String) {
    if !ids.isEmpty { self[name] = .array(ids.map(JSONValue.string)) }
  }

  /// Appends members of other names.
  mutating func add(_ others: JSONObject) {
    for member in others.members { self[member.name] = member.value }
  }
}
