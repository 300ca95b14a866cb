internal import JSON

/// Values as people write them, made into DynamoDB's typed JSON, and held against what DynamoDB can store.
enum TypedJSON {
  /// Why something is no value.
  struct Fault: Error { var what: String }

  /// Levels of maps and lists that DynamoDB takes, the value itself included.
  static let depthLimit = 32
  /// Significant digits of a number.
  private static let digitLimit = 38
  /// Powers of ten of a number's first digit.
  private static let magnitudes = -130...125
  private static let types: Set = ["S", "N", "B", "SS", "NS", "BS", "BOOL", "NULL", "M", "L"]

  /// The typed form of JSON: an object with one member that is named like a type is typed already, at any
  /// depth; anything else is plain.
  static func typed(_ value: JSONValue) throws(Fault) -> JSONValue {
    switch value {
    case .null: return ["NULL": true]
    case .bool(let value): return ["BOOL": .bool(value)]
    case .string(let text): return ["S": .string(text)]
    case .number(let text):
      try checkNumber(text)
      return ["N": .string(text)]
    case .array(let elements):
      var list: [JSONValue] = []
      for element in elements { list.append(try typed(element)) }
      return ["L": .array(list)]
    case .object(let object):
      if object.members.count == 1, types.contains(object.members[0].name) {
        try check(value)
        return value
      }
      var map = JSONObject()
      for member in object.members { map[member.name] = try typed(member.value) }
      return ["M": .object(map)]
    }
  }

  /// Holds a typed value against what DynamoDB can store.
  static func check(_ value: JSONValue) throws(Fault) {
    guard let members = value.object?.members, members.count == 1 else {
      throw Fault(what: "\(text(value)) is no typed value, an object with one member")
    }
    let (type, content) = (members[0].name, members[0].value)
    func fault(_ expected: String) -> Fault {
      Fault(what: "\(type) takes \(expected), and not \(text(content))")
    }
    switch type {
    case "S": guard content.string != nil else { throw fault("a string") }
    case "N":
      guard let number = content.string else { throw fault("a number in a string") }
      try checkNumber(number)
    case "B":
      guard let string = content.string, isBase64(string) else { throw fault("base64 in a string") }
    case "BOOL": guard content.bool != nil else { throw fault("true or false") }
    case "NULL": guard content.bool == true else { throw fault("true") }
    case "SS", "NS", "BS": try checkSet(content, type)
    case "L":
      guard let elements = content.array else { throw fault("an array of typed values") }
      for element in elements { try check(element) }
    case "M":
      guard let map = content.object else { throw fault("an object of typed values") }
      for member in map.members { try check(member.value) }
    default: throw Fault(what: "\(type) is no type of DynamoDB's")
    }
  }

  private static func checkSet(_ content: JSONValue, _ type: String) throws(Fault) {
    guard let elements = content.array, !elements.isEmpty else {
      throw Fault(what: "\(type) takes an array with one string or more, and not \(text(content))")
    }
    var seen: Set<[UInt8]> = []
    for element in elements {
      try check(.object([type.dropLast().description: element]))
      var member = Array((element.string ?? "").utf8)
      // Two spellings of a number are one member.
      if type == "NS", let number = CanonicalNumber(member.span) {
        member.removeAll()
        number.append(to: &member)
      }
      guard seen.insert(member).inserted else {
        throw Fault(what: "\(type) has the member \(text(element)) twice")
      }
    }
  }

  private static func checkNumber(_ text: String) throws(Fault) {
    guard let number = CanonicalNumber(Array(text.utf8).span) else {
      throw Fault(what: "\(text) is not a number")
    }
    guard number.digits.count <= digitLimit else {
      throw Fault(
        what: "\(text) has \(number.digits.count) digits, and DynamoDB keeps \(digitLimit)")
    }
    guard
      number.digits.isEmpty || magnitudes.contains(number.exponent + number.digits.count - 1)
    else { throw Fault(what: "\(text) is outside of DynamoDB's numbers, 1E-130 to 9.9E+125") }
  }

  private static func isBase64(_ text: String) -> Bool {
    var bytes: [UInt8] = []
    return Base64Text.decode(Array(text.utf8).span, into: &bytes)
  }

  /// Maps and lists around the innermost value.
  static func depth(_ typed: JSONValue) -> Int {
    guard let content = typed.object?.members.first?.value else { return 0 }
    let inner = content.array ?? content.object?.members.map(\.value)
    guard let inner, typed["L"] != nil || typed["M"] != nil else { return 0 }
    return 1 + (inner.map(depth).max() ?? 0)
  }

  private static func text(_ value: JSONValue) -> String {
    String(decoding: value.serialized(), as: UTF8.self)
  }
}
