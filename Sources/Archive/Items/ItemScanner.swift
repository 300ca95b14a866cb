public import JSON

/// What is wrong with an item, in the terms of its table.
public enum ItemFault: Error, Equatable, Sendable, CustomStringConvertible {
  /// Not JSON, or not an object.
  case json(JSONError)
  /// A key attribute is not there.
  case missingKey(String)
  /// A key attribute stands there twice.
  case duplicateKey(String)
  /// A key attribute is not of the type that the key schema demands, or is no well-formed value.
  case wrongKeyType(String, expected: KeyType)
  /// A key attribute of type N that is no number.
  case badNumber(String)

  public var description: String {
    switch self {
    case .json(let error): error.description
    case .missingKey(let name): "the key attribute \"\(name)\" is missing"
    case .duplicateKey(let name): "the key attribute \"\(name)\" stands there twice"
    case .wrongKeyType(let name, let type):
      "the key attribute \"\(name)\" is not of type \(type.rawValue) (\(type.word))"
    case .badNumber(let name): "the key attribute \"\(name)\" is not a number"
    }
  }
}

/// Validates one item and finds its key attributes in the same pass.
///
/// Strict as `JSONScanner`, and no object may have two members of one name. Keys are looked for among
/// the top-level names, and no value but theirs is looked into.
public struct ItemScanner: Sendable {
  /// The key that items must have; empty for archives without keys.
  public let key: KeySchema
  /// For each key attribute, the bytes of its value `{"S":"…"}` in the item last scanned.
  public private(set) var values: [Range<Int>]
  /// Whether white space in the item last scanned held a line break.
  public var sawLineBreak: Bool { scanner.sawLineBreak }

  /// The types of the key attributes.
  let types: [KeyType]

  /// The names of the key attributes, one behind the other, and where each stands.
  private let names: [UInt8]
  private let nameRanges: [Range<Int>]
  /// Which of them hold a backslash, and so are never spelled by their own bytes.
  private let hasBackslash: [Bool]
  private var scanner: JSONScanner
  private var duplicate: Int?
  private var unique = UniqueNames()

  /// Creates a scanner for items of a key schema.
  public init(key: KeySchema) {
    self.key = key
    types = key.attributes.map(\.type)
    var names: [UInt8] = []
    nameRanges = key.attributes.map {
      let start = names.count
      names += $0.name.utf8
      return start..<names.count
    }
    self.names = names
    hasBackslash = key.attributes.map { $0.name.utf8.contains(UInt8(ascii: "\\")) }
    values = Array(repeating: 0..<0, count: types.count)
    // The wrapper of a line and the item's own braces are two of the levels allowed.
    scanner = JSONScanner(maximumDepth: JSONScanner.depthLimit - 2)
  }

  /// Scans the item that starts at `start`.
  ///
  /// - Returns: the offset just behind it.
  /// - Throws: `ItemFault`; a missing key is one.
  public mutating func scan(_ bytes: Span<UInt8>, at start: Int) throws(ItemFault) -> Int {
    scanner.sawLineBreak = false
    duplicate = nil
    for index in values.indices { values[index] = 0..<0 }
    let end: Int
    unique.reset()
    do throws(JSONError) { end = try walk(bytes, at: start) } catch { throw .json(error) }
    if let duplicate { throw .duplicateKey(key.attributes[duplicate].name) }
    for index in values.indices where values[index].isEmpty {
      throw .missingKey(key.attributes[index].name)
    }
    return end
  }

  private mutating func walk(_ bytes: Span<UInt8>, at start: Int) throws(JSONError) -> Int {
    guard start < bytes.count else { throw JSONError(.truncated, at: bytes.count) }
    guard bytes[start] == UInt8(ascii: "{") else { throw JSONError(.unexpectedByte, at: start) }
    var i = scanner.skipWhitespace(bytes, at: start + 1)
    guard i < bytes.count else { throw JSONError(.truncated, at: bytes.count) }
    if bytes[i] == UInt8(ascii: "}") { return i + 1 }
    unique.open()
    while true {
      let nameStart = i + 1
      i = try scanner.skipString(bytes, at: i)
      unique.add(start: nameStart - 1, end: i)
      let name = nameStart..<(i - 1)
      i = scanner.skipWhitespace(bytes, at: i)
      guard i < bytes.count else { throw JSONError(.truncated, at: bytes.count) }
      guard bytes[i] == UInt8(ascii: ":") else { throw JSONError(.unexpectedByte, at: i) }
      let value = scanner.skipWhitespace(bytes, at: i + 1)
      if let end = try scanner.skipTypedString(bytes, at: value) {
        i = end
      } else {
        i = try scanner.skipValue(bytes, at: value, &unique)
      }
      if let index = try keyIndex(bytes, name) {
        if !values[index].isEmpty { duplicate = index }
        values[index] = value..<i
      }
      i = scanner.skipWhitespace(bytes, at: i)
      guard i < bytes.count else { throw JSONError(.truncated, at: bytes.count) }
      if bytes[i] == UInt8(ascii: "}") {
        // Of a key attribute that stands there twice, the caller tells more.
        if duplicate == nil { try unique.close(bytes) }
        return i + 1
      }
      guard bytes[i] == UInt8(ascii: ",") else { throw JSONError(.unexpectedByte, at: i) }
      i = scanner.skipWhitespace(bytes, at: i + 1)
    }
  }

  /// Which key attribute a name is. An escape is always longer than the text it stands for, so a
  /// name as long as the key's can only match byte by byte, and only a longer one needs unescaping.
  @inline(__always)
  private func keyIndex(_ bytes: Span<UInt8>, _ name: Range<Int>) throws(JSONError) -> Int? {
    var isLonger = false
    for index in nameRanges.indices {
      let range = nameRanges[index]
      if name.count == range.count {
        if matches(bytes, name, range), !hasBackslash[index] { return index }
      } else if name.count > range.count {
        isLonger = true
      }
    }
    guard isLonger, bytes.extracting(name).contains(UInt8(ascii: "\\")) else { return nil }
    return try escapedKeyIndex(bytes, name)
  }

  @inline(__always)
  private func matches(_ bytes: Span<UInt8>, _ name: Range<Int>, _ range: Range<Int>) -> Bool {
    for offset in 0..<range.count
    where bytes[name.lowerBound &+ offset] != names[range.lowerBound &+ offset] {
      return false
    }
    return true
  }

  @inline(never)
  private func escapedKeyIndex(
    _ bytes: Span<UInt8>, _ name: Range<Int>
  ) throws(JSONError) -> Int? {
    var text: [UInt8] = []
    try JSONText.unescape(bytes, name, into: &text)
    return nameRanges.firstIndex { names[$0].elementsEqual(text) }
  }
}

extension Span where Element == UInt8 {
  /// Whether a byte occurs.
  func contains(_ byte: UInt8) -> Bool {
    for i in indices where self[i] == byte { return true }
    return false
  }
}
