internal import JSON

/// A typed value `{"N":"1"}` in the bytes of an item, looked into as far as a comparison must.
struct TypedValue {
  /// How values of its type are compared.
  var tag: TypeTag
  /// The type's name without quotation marks.
  var type: Range<Int>
  /// What stands behind the name.
  var content: Range<Int>

  /// Nil for what is no object with one member.
  init?(_ bytes: Span<UInt8>, _ value: Range<Int>, _ scanner: inout JSONScanner) throws(JSONError) {
    guard bytes[value.lowerBound] == UInt8(ascii: "{") else { return nil }
    let name = scanner.skipWhitespace(bytes, at: value.lowerBound + 1)
    guard bytes[name] == UInt8(ascii: "\"") else { return nil }
    tag = try TypeTag(bytes, name, scanner)
    type = name + 1..<(try scanner.skipString(bytes, at: name)) - 1
    let start = try scanner.skipName(bytes, at: name)
    let end = try scanner.skipValue(bytes, at: start)
    content = start..<end
    let brace = scanner.skipWhitespace(bytes, at: end)
    guard brace < bytes.count, bytes[brace] == UInt8(ascii: "}") else { return nil }
  }
}

/// A named typed value of an item or a map.
struct ItemMember {
  /// Unescaped.
  var name: [UInt8]
  var value: Range<Int>

  /// The members of an object, in the order of their names' bytes.
  static func all(
    _ bytes: Span<UInt8>, of object: Range<Int>, _ scanner: inout JSONScanner
  ) throws(JSONError) -> [ItemMember] {
    var members: [ItemMember] = []
    var i = scanner.skipWhitespace(bytes, at: object.lowerBound + 1)
    while bytes[i] == UInt8(ascii: "\"") {
      let nameEnd = try scanner.skipString(bytes, at: i)
      let value = try scanner.skipName(bytes, at: i)
      var name: [UInt8] = []
      try JSONText.unescape(bytes, i + 1..<nameEnd - 1, into: &name)
      let end = try scanner.skipValue(bytes, at: value)
      members.append(ItemMember(name: name, value: value..<end))
      i = scanner.skipWhitespace(bytes, at: end)
      if bytes[i] == UInt8(ascii: ",") { i = scanner.skipWhitespace(bytes, at: i + 1) }
    }
    return members.sorted { $0.name.lexicographicallyPrecedes($1.name) }
  }

  /// The elements of an array; nil where it is none.
  static func elements(
    _ bytes: Span<UInt8>, of array: Range<Int>, _ scanner: inout JSONScanner
  ) throws(JSONError) -> [Range<Int>]? {
    guard bytes[array.lowerBound] == UInt8(ascii: "[") else { return nil }
    var elements: [Range<Int>] = []
    var i = scanner.skipWhitespace(bytes, at: array.lowerBound + 1)
    while bytes[i] != UInt8(ascii: "]") {
      let end = try scanner.skipValue(bytes, at: i)
      elements.append(i..<end)
      i = scanner.skipWhitespace(bytes, at: end)
      if bytes[i] == UInt8(ascii: ",") { i = scanner.skipWhitespace(bytes, at: i + 1) }
    }
    return elements
  }
}
