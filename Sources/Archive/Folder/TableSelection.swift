internal import JSON

/// Which of an account's tables are meant: all, those whose names fit a pattern, those that have tags, or
/// those that hold to both.
public struct TableSelection: Sendable, Equatable {
  /// What names must fit; nil for every name.
  public var pattern: TablePattern?
  /// What tags tables must have: each of these.
  public var tags: [TagCondition]

  /// Every table, unless something is named.
  public init(pattern: TablePattern? = nil, tags: [TagCondition] = []) {
    self.pattern = pattern
    self.tags = tags
  }

  /// Whether another selection means the same tables, in whatever order it names the tags.
  public func isSame(as other: Self) -> Bool {
    pattern == other.pattern && sortedTags == other.sortedTags
  }

  private var sortedTags: [TagCondition] {
    tags.sorted { ($0.key, $0.value ?? "") < ($1.key, $1.value ?? "") }
  }

  /// `tables prod-* with tag team=pay`; `tables` for all.
  public var words: String {
    var words = pattern.map { "tables \($0.text)" } ?? "tables"
    if !tags.isEmpty {
      words += " with tag\(tags.count == 1 ? "" : "s") \(tags.map(\.words).joined(separator: ", "))"
    }
    return words
  }
}

/// A pattern of tables' names: `*` stands for any characters, or none, `?` for one, and every other
/// character for itself.
public struct TablePattern: Sendable, Equatable {
  public let text: String

  /// Reads a pattern; nil for a text that has neither `*` nor `?`, or that no name can fit.
  public init?(_ text: String) {
    let bytes = text.utf8
    guard (1...255).contains(bytes.count), bytes.contains(where: TablePattern.isWild),
      bytes.allSatisfy({ TablePattern.isWild($0) || TableName.isCharacter($0) })
    else { return nil }
    self.text = text
  }

  private static func isWild(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "*") || byte == UInt8(ascii: "?")
  }

  /// Whether a whole name fits. Takes time proportional to the product of both lengths at most.
  public func matches(_ name: String) -> Bool {
    let (pattern, name) = (Array(text.utf8), Array(name.utf8))
    var (p, n) = (0, 0)
    // The last star, and where what it stands for ends: if the rest does not fit, it takes one more.
    var star: (pattern: Int, name: Int)?
    while n < name.count {
      if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
        star = (p, n)
        p += 1
      } else if p < pattern.count, pattern[p] == UInt8(ascii: "?") || pattern[p] == name[n] {
        p += 1
        n += 1
      } else if let last = star {
        star = (last.pattern, last.name + 1)
        (p, n) = (last.pattern + 1, last.name + 1)
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}

/// A tag that a table must have.
public struct TagCondition: Sendable, Equatable {
  public var key: String
  /// Nil for any value.
  public var value: String?

  public init(key: String, value: String? = nil) {
    self.key = key
    self.value = value
  }

  /// Reads `team=pay`, or `team` for any value; nil for a text without a key.
  public init?(_ text: String) {
    let sign = text.firstIndex(of: "=")
    key = String(text[..<(sign ?? text.endIndex)])
    value = sign.map { String(text[text.index(after: $0)...]) }
    guard !key.isEmpty else { return nil }
  }

  /// `team=pay`, or `team`
  public var words: String { value.map { "\(key)=\($0)" } ?? key }

  /// Whether a tag is what is wanted; compared by bytes, as the service does.
  public func isMet(byKey other: String, value found: String) -> Bool {
    key.utf8.elementsEqual(other.utf8)
      && (value.map { $0.utf8.elementsEqual(found.utf8) } ?? true)
  }
}

extension TableSelection {
  init(_ fields: Fields) throws(ArchiveError) {
    self.init()
    if let text = try fields.optionalString("pattern") {
      guard let pattern = TablePattern(text) else {
        throw fields.fault("pattern", "is no pattern of tables' names")
      }
      self.pattern = pattern
    }
    for tag in try fields.each("tags") {
      tags.append(TagCondition(key: try tag.name("key"), value: try tag.optionalString("value")))
    }
  }

  var json: JSONObject {
    var object = JSONObject()
    object.add("pattern", pattern.map { .string($0.text) })
    object["tags"] = .array(
      tags.map { tag in
        var object: JSONObject = ["key": .string(tag.key)]
        object.add("value", tag.value.map(JSONValue.string))
        return .object(object)
      })
    return object
  }
}
