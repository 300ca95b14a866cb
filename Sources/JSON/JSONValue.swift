/// A JSON document of moderate size as a tree: manifests, journals, service answers, settings.
///
/// Members keep their order and numbers their spelling, so that what dynarc does not understand
/// survives a round trip untouched. Items never become trees; they travel as bytes. Names and
/// strings are compared by their bytes: Swift's `==` takes composed and decomposed letters for the
/// same, and DynamoDB does not.
public enum JSONValue: Equatable, Sendable {
  case null
  case bool(Bool)
  /// A number as it was spelled.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)

  /// Parses a whole document.
  ///
  /// - Parameter maximumDepth: levels of nesting allowed, at most `JSONScanner.depthLimit`.
  /// - Throws: `JSONError`; a name that an object holds twice is one.
  public static func parse(
    _ bytes: Span<UInt8>, maximumDepth: Int = JSONScanner.depthLimit
  ) throws(JSONError) -> JSONValue {
    // Validating first bounds the recursion below and lets it trust the grammar.
    var scanner = JSONScanner(maximumDepth: maximumDepth)
    let start = scanner.skipWhitespace(bytes, at: 0)
    let end = try scanner.skipValue(bytes, at: start)
    guard scanner.skipWhitespace(bytes, at: end) == bytes.count else {
      throw JSONError(.trailingBytes, at: end)
    }
    var position = start
    return try build(bytes, &position, &scanner)
  }

  /// Parses a whole document.
  public static func parse(_ text: String) throws(JSONError) -> JSONValue {
    try parse(Array(text.utf8).span)
  }

  private static func build(
    _ bytes: Span<UInt8>, _ i: inout Int, _ scanner: inout JSONScanner
  ) throws(JSONError) -> JSONValue {
    let start = i
    switch bytes[start] {
    case UInt8(ascii: "{"):
      var members: [JSONObject.Member] = []
      var seen: Set<[UInt8]> = []
      i = scanner.skipWhitespace(bytes, at: i + 1)
      while bytes[i] != UInt8(ascii: "}") {
        let nameStart = i
        let name = try text(bytes, &i, scanner)
        // A set pays where there are many.
        if members.count == 16 { seen = Set(members.map { Array($0.name.utf8) }) }
        let isNew =
          members.count < 16
          ? !members.contains { $0.name.hasSameBytes(as: name) }
          : seen.insert(Array(name.utf8)).inserted
        guard isNew else { throw JSONError(.duplicateName, at: nameStart) }
        i = scanner.skipWhitespace(bytes, at: i)
        i = scanner.skipWhitespace(bytes, at: i + 1)
        members.append(.init(name: name, value: try build(bytes, &i, &scanner)))
        i = scanner.skipWhitespace(bytes, at: i)
        if bytes[i] == UInt8(ascii: ",") { i = scanner.skipWhitespace(bytes, at: i + 1) }
      }
      i += 1
      return .object(JSONObject(members))
    case UInt8(ascii: "["):
      var elements: [JSONValue] = []
      i = scanner.skipWhitespace(bytes, at: i + 1)
      while bytes[i] != UInt8(ascii: "]") {
        elements.append(try build(bytes, &i, &scanner))
        i = scanner.skipWhitespace(bytes, at: i)
        if bytes[i] == UInt8(ascii: ",") { i = scanner.skipWhitespace(bytes, at: i + 1) }
      }
      i += 1
      return .array(elements)
    case UInt8(ascii: "\""): return .string(try text(bytes, &i, scanner))
    default:
      i = try scanner.skipValue(bytes, at: start)
      switch bytes[start] {
      case UInt8(ascii: "t"): return .bool(true)
      case UInt8(ascii: "f"): return .bool(false)
      case UInt8(ascii: "n"): return .null
      default: return .number(string(bytes, start..<i))
      }
    }
  }

  private static func text(
    _ bytes: Span<UInt8>, _ i: inout Int, _ scanner: JSONScanner
  ) throws(JSONError) -> String {
    let start = i + 1
    i = try scanner.skipString(bytes, at: i)
    var output: [UInt8] = []
    try JSONText.unescape(bytes, start..<(i - 1), into: &output)
    return String(decoding: output, as: UTF8.self)
  }

  private static func string(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
    var copy: [UInt8] = []
    for i in range { copy.append(bytes[i]) }
    return String(decoding: copy, as: UTF8.self)
  }
}

extension JSONValue {
  public static func == (left: JSONValue, right: JSONValue) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.bool(let left), .bool(let right)): left == right
    case (.number(let left), .number(let right)): left.hasSameBytes(as: right)
    case (.string(let left), .string(let right)): left.hasSameBytes(as: right)
    case (.array(let left), .array(let right)): left == right
    case (.object(let left), .object(let right)): left == right
    default: false
    }
  }
}

extension String {
  package func hasSameBytes(as other: String) -> Bool {
    utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
  }
}

/// The members of a JSON object, in their order.
public struct JSONObject: Equatable, Sendable {
  /// One name and its value.
  public struct Member: Equatable, Sendable {
    public var name: String
    public var value: JSONValue

    /// Creates a member.
    public init(name: String, value: JSONValue) {
      self.name = name
      self.value = value
    }

    public static func == (left: Member, right: Member) -> Bool {
      left.name.hasSameBytes(as: right.name) && left.value == right.value
    }
  }

  /// The members in the order of the text.
  public private(set) var members: [Member]

  /// Creates an object; names must differ.
  public init(_ members: [Member] = []) { self.members = members }

  /// The value of a member; setting nil removes it, setting a new name appends it.
  public subscript(name: String) -> JSONValue? {
    get { members.first { $0.name.hasSameBytes(as: name) }?.value }
    set {
      let index = members.firstIndex { $0.name.hasSameBytes(as: name) }
      switch (index, newValue) {
      case (let index?, let value?): members[index].value = value
      case (let index?, nil): members.remove(at: index)
      case (nil, let value?): members.append(Member(name: name, value: value))
      case (nil, nil): break
      }
    }
  }

  /// The object without the named members: what a reader that knows these has not understood.
  public func removing(_ names: Set<String>) -> JSONObject {
    JSONObject(
      members.filter { member in !names.contains { $0.hasSameBytes(as: member.name) } })
  }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self.init(elements.map { Member(name: $0.0, value: $0.1) })
  }
}

extension JSONValue: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral,
  ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral
{
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(JSONObject(elements.map { .init(name: $0.0, value: $0.1) }))
  }
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int) { self = .number(String(value)) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }

  /// A number.
  public init(_ value: Int) { self = .number(String(value)) }
}

extension JSONValue {
  /// The members, where this is an object.
  public var object: JSONObject? { if case .object(let object) = self { object } else { nil } }
  /// The elements, where this is an array.
  public var array: [JSONValue]? { if case .array(let array) = self { array } else { nil } }
  /// The text, where this is a string.
  public var string: String? { if case .string(let string) = self { string } else { nil } }
  /// The truth value, where this is one.
  public var bool: Bool? { if case .bool(let bool) = self { bool } else { nil } }
  /// The number, where this is an integer that fits, spelled as one.
  public var int: Int? { if case .number(let text) = self { Int(text) } else { nil } }
  /// The number, where this is one, as the nearest double.
  public var double: Double? { if case .number(let text) = self { Double(text) } else { nil } }
  /// A member's value, where this is an object that has it.
  public subscript(name: String) -> JSONValue? { object?[name] }

  /// The document as text.
  ///
  /// - Parameter pretty: two spaces a level and a member a line; otherwise one line.
  public func serialized(pretty: Bool = false) -> [UInt8] {
    var output: [UInt8] = []
    write(into: &output, indent: pretty ? 0 : nil)
    return output
  }

  private func write(into output: inout [UInt8], indent: Int?) {
    switch self {
    case .null: output.append(contentsOf: "null".utf8)
    case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
    case .number(let text): output.append(contentsOf: text.utf8)
    case .string(let text): JSONText.quote(text.utf8, into: &output)
    case .array(let elements):
      JSONValue.writeList("[", "]", elements, into: &output, indent: indent) {
        element, output, inner in
        element.write(into: &output, indent: inner)
      }
    case .object(let object):
      JSONValue.writeList("{", "}", object.members, into: &output, indent: indent) {
        member, output, inner in
        JSONText.quote(member.name.utf8, into: &output)
        output.append(contentsOf: (inner == nil ? ":" : ": ").utf8)
        member.value.write(into: &output, indent: inner)
      }
    }
  }

  private static func writeList<Entry>(
    _ open: String, _ close: String, _ entries: [Entry], into output: inout [UInt8], indent: Int?,
    _ writeEntry: (Entry, inout [UInt8], Int?) -> Void
  ) {
    output.append(contentsOf: open.utf8)
    for (index, entry) in entries.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      breakLine(&output, indent.map { $0 + 1 })
      writeEntry(entry, &output, indent.map { $0 + 1 })
    }
    if !entries.isEmpty { breakLine(&output, indent) }
    output.append(contentsOf: close.utf8)
  }

  private static func breakLine(_ output: inout [UInt8], _ indent: Int?) {
    guard let indent else { return }
    output.append(0x0A)
    output.append(contentsOf: repeatElement(0x20, count: indent * 2))
  }
}
