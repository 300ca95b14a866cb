import Archive
public import JSON

/// A slice of a table or an index by key, as a Query wants it: values typed by the key schema,
/// names and values behind placeholders so that no attribute name is too odd.
struct KeyCondition: Sendable, Equatable {
  var expression: String
  var names: JSONObject
  var values: JSONObject

  /// Builds the condition.
  ///
  /// - Parameters:
  ///   - key: the key of the table or index that is queried.
  ///   - owner: `table Orders` or `index by-customer`, for messages.
  ///   - partition: a value for each partition attribute, in the schema's order.
  /// - Throws: `DynamoError` of code `usage`.
  init(
    key: KeySchema, owner: String, partition: [String], sort: SortCondition?
  ) throws(DynamoError) {
    let hashes = key.partition
    guard partition.count == hashes.count else {
      let names = hashes.map(\.name).joined(separator: ", ")
      throw DynamoError(
        .usage,
        "the partition key of \(owner) has \(hashes.count) attribute(s) (\(names)), and "
          + "\(partition.count) value(s) were given",
        hint: "give --pk once for each, in that order")
    }
    names = JSONObject()
    values = JSONObject()
    var terms: [String] = []
    for (index, attribute) in hashes.enumerated() {
      names[KeyCondition.partitionName(index)] = .string(attribute.name)
      values[KeyCondition.partitionValue(index)] = try attribute.value(partition[index])
      terms.append(KeyCondition.partitionTerm(index))
    }
    if let sort {
      guard let attribute = key.sort.first else {
        throw DynamoError(
          .usage, "\(owner) has no sort key",
          hint: "its key is \(key.words); leave the --sk option out")
      }
      if case .beginsWith = sort, attribute.type == .number {
        throw DynamoError(
          .usage,
          "the sort key \(attribute.name) of \(owner) is a number, which begins with nothing",
          hint: "use --sk-between A B, or --sk-ge and its kin")
      }
      names["#dynarcSk"] = .string(attribute.name)
      let (template, texts) = sort.template
      for (index, text) in texts.enumerated() {
        values[index == 0 ? ":dynarcSk" : ":dynarcSk\(index)"] = try attribute.value(text)
      }
      terms.append(template)
    }
    expression = terms.joined(separator: " AND ")
  }
}

extension SortCondition {
  /// The term of the expression, and the values behind its placeholders.
  var template: (String, [String]) {
    switch self {
    case .equal(let value): ("#dynarcSk = :dynarcSk", [value])
    case .beginsWith(let value): ("begins_with(#dynarcSk, :dynarcSk)", [value])
    case .between(let low, let high): ("#dynarcSk BETWEEN :dynarcSk AND :dynarcSk1", [low, high])
    case .less(let value): ("#dynarcSk < :dynarcSk", [value])
    case .lessOrEqual(let value): ("#dynarcSk <= :dynarcSk", [value])
    case .greater(let value): ("#dynarcSk > :dynarcSk", [value])
    case .greaterOrEqual(let value): ("#dynarcSk >= :dynarcSk", [value])
    }
  }
}

extension KeyAttribute {
  /// A value as the user typed it, in DynamoDB's typed JSON: strings as they are, numbers as they
  /// are spelled, binaries in base64.
  ///
  /// - Throws: `DynamoError` of code `usage` when the text is none of the attribute's type.
  public func value(_ text: String) throws(DynamoError) -> JSONValue {
    switch type {
    case .string: break
    case .number:
      guard CanonicalNumber(Array(text.utf8).span) != nil else {
        throw DynamoError(
          .usage, "\"\(text)\" is not a number, and \(name) is of type N",
          hint: "numbers are written like 42, -1.5 or 6.02E23")
      }
    case .binary:
      guard Base64.isValid(text) else {
        throw DynamoError(
          .usage, "\"\(text)\" is not base64, and \(name) is of type B",
          hint: "give binary values in base64, for example from: printf 'abc' | base64")
      }
    }
    return .object([type.rawValue: .string(text)])
  }
}

/// RFC 4648 section 4.
enum Base64 {
  /// Whether a text is base64 with padding.
  static func isValid(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    guard bytes.count.isMultiple(of: 4) else { return false }
    let padding = bytes.reversed().prefix { $0 == UInt8(ascii: "=") }.count
    guard padding <= 2 else { return false }
    return bytes.dropLast(padding).allSatisfy {
      switch $0 {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
        true
      default: false
      }
    }
  }
}
