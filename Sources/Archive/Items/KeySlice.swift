internal import JSON

/// What a user says of the sort key.
public enum SortCondition: Sendable, Equatable {
  case equal(String)
  case beginsWith(String)
  case between(String, String)
  case less(String)
  case lessOrEqual(String)
  case greater(String)
  case greaterOrEqual(String)
}

/// A slice of an archive's items by key, as a Query would take it of a table.
public struct KeySlice: Sendable, Equatable {
  /// `customer = "a", number >= 5`, for people and for manifests.
  public let words: String
  /// What the ordered form of a key begins with.
  private let partition: [UInt8]
  /// What the ordered form of the sort key lies between.
  private var low: [UInt8] = []
  private var high: [UInt8]?
  private var includesLow = true
  private var includesHigh = true
  /// What the ordered form of the sort key begins with.
  private var prefix: [UInt8] = []

  /// - Parameters:
  ///   - partition: a value for each partition attribute, in the schema's order; strings as they are,
  ///     numbers as they are spelled, binaries in base64.
  /// - Throws: `ArchiveError` of code `usage` for what does not fit the key.
  public init(
    key: KeySchema, partition: [String], sort: SortCondition?
  ) throws(ArchiveError) {
    guard partition.count == key.partition.count else {
      throw ArchiveError(
        .usage,
        "the partition key has \(key.partition.count) attribute(s) ("
          + key.partition.map(\.name).joined(separator: ", ")
          + "), and \(partition.count) value(s) were given",
        hint: "give --pk once for each, in that order")
    }
    var ordered: [UInt8] = []
    var terms: [String] = []
    for (attribute, text) in zip(key.partition, partition) {
      ordered += try KeySlice.ordered(text, attribute)
      terms.append("\(attribute.name) = \(KeySlice.word(text, attribute))")
    }
    self.partition = ordered
    guard let sort else {
      words = terms.joined(separator: ", ")
      return
    }
    guard let attribute = key.sort.first else {
      throw ArchiveError(
        .usage,
        "there is no sort key: the key is \(key.partition.map(\.name).joined(separator: ", "))",
        hint: "leave the --sk option out")
    }
    func value(_ text: String) throws(ArchiveError) -> [UInt8] {
      try KeySlice.ordered(text, attribute)
    }
    let word: (String) -> String = { KeySlice.word($0, attribute) }
    switch sort {
    case .equal(let text):
      (low, high) = (try value(text), try value(text))
      terms.append("\(attribute.name) = \(word(text))")
    case .beginsWith(let text):
      guard attribute.type != .number else {
        throw ArchiveError(
          .usage, "the sort key \(attribute.name) is a number, which begins with nothing",
          hint: "use --sk-between A B, or --sk-ge and its kin")
      }
      prefix = try KeySlice.ordered(text, attribute, isPrefix: true)
      terms.append("\(attribute.name) begins with \(word(text))")
    case .between(let one, let other):
      (low, high) = (try value(one), try value(other))
      terms.append("\(attribute.name) between \(word(one)) and \(word(other))")
    case .less(let text):
      (high, includesHigh) = (try value(text), false)
      terms.append("\(attribute.name) < \(word(text))")
    case .lessOrEqual(let text):
      high = try value(text)
      terms.append("\(attribute.name) <= \(word(text))")
    case .greater(let text):
      (low, includesLow) = (try value(text), false)
      terms.append("\(attribute.name) > \(word(text))")
    case .greaterOrEqual(let text):
      low = try value(text)
      terms.append("\(attribute.name) >= \(word(text))")
    }
    words = terms.joined(separator: ", ")
  }

  /// The slice of one item.
  ///
  /// - Throws: `ArchiveError` of code `usage`, also where the key needs a sort key and has none.
  public init(item key: KeySchema, partition: String, sort: String?) throws(ArchiveError) {
    if sort == nil, let attribute = key.sort.first {
      throw ArchiveError(
        .usage,
        "an item's whole key is needed, and no value of \(attribute.name), its sort key, was given",
        hint: "add --sk VALUE; all items of a partition are shown by dynarc query TABLE --pk VALUE")
    }
    try self.init(key: key, partition: [partition], sort: sort.map(SortCondition.equal))
  }

  private static func ordered(
    _ text: String, _ attribute: KeyAttribute, isPrefix: Bool = false
  ) throws(ArchiveError) -> [UInt8] {
    var value = Array(text.utf8)
    switch attribute.type {
    case .string: break
    case .number:
      guard let number = CanonicalNumber(value.span) else {
        throw ArchiveError(
          .usage, "\"\(text)\" is not a number, and \(attribute.name) is of type N",
          hint: "numbers are written like 42, -1.5 or 6.02E23")
      }
      value.removeAll()
      number.append(to: &value)
    case .binary:
      var binary: [UInt8] = []
      guard Base64Text.decode(value.span, into: &binary) else {
        throw ArchiveError(
          .usage, "\"\(text)\" is not base64, and \(attribute.name) is of type B",
          hint: "give binary values in base64, for example from: printf 'abc' | base64")
      }
    }
    var ordered: [UInt8] = []
    OrderedKey.append(type: attribute.type.letter, value.span, isPrefix: isPrefix, to: &ordered)
    return ordered
  }

  private static func word(_ text: String, _ attribute: KeyAttribute) -> String {
    guard attribute.type == .string else { return text }
    var quoted: [UInt8] = []
    JSONText.quote(text.utf8, into: &quoted)
    return String(decoding: quoted, as: UTF8.self)
  }

  /// Whether a key belongs to the slice.
  ///
  /// - Parameter canonical: what `CanonicalKey` wrote.
  func contains(_ canonical: Span<UInt8>) -> Bool {
    var ordered: [UInt8] = []
    OrderedKey.append(canonical, to: &ordered)
    guard ordered.starts(with: partition) else { return false }
    let rest = ordered.dropFirst(partition.count)
    guard rest.starts(with: prefix) else { return false }
    if rest.lexicographicallyPrecedes(low) || !includesLow && rest.elementsEqual(low) {
      return false
    }
    guard let high else { return true }
    return rest.lexicographicallyPrecedes(high) || includesHigh && rest.elementsEqual(high)
  }
}

extension ArchiveError.Code {
  /// What was asked for does not fit what is there.
  public static let usage = Self(rawValue: "usage")
}
