internal import JSON

/// An item in one spelling: two items are the same to DynamoDB exactly if these bytes are.
///
/// No white space; attributes, members of maps and members of sets in the order of their bytes; numbers
/// normalised; strings with the fewest escapes. format-spec.md section 10 defines it, since digests of it
/// stand in archives. Types that nobody knows yet are taken as JSON, with the members of objects sorted.
public struct CanonicalItem: Sendable {
  private var scanner = JSONScanner()
  /// Members of the objects and sets that are open, innermost last: the end of the name and the whole,
  /// as ranges of the output.
  private var parts: [Part] = []
  private var sorted: [UInt8] = []
  private var text: [UInt8] = []

  private struct Part {
    var start: Int
    var nameEnd: Int
    var end: Int
  }

  public init() {}

  /// Appends the canonical form of an item.
  ///
  /// - Parameters:
  ///   - item: the bytes of its object, which a reader of lines or pages has validated.
  ///   - output: receives the canonical form.
  /// - Throws: `ArchiveError` of code `badPage` where the bytes are no JSON object.
  public mutating func append(
    _ bytes: Span<UInt8>, _ item: Range<Int>, to output: inout [UInt8]
  ) throws(ArchiveError) {
    parts.removeAll(keepingCapacity: true)
    let bytes = bytes.extracting(item)
    do throws(JSONError) {
      guard let end = try members(bytes, 0, &output), end == bytes.count else {
        throw JSONError(.unexpectedByte, at: 0)
      }
    } catch {
      throw ArchiveError(
        .badPage, "the item is not DynamoDB's JSON: \(error.code.rawValue)", offset: error.offset)
    }
  }

  /// Appends the canonical form of a typed value, `{"N":"1"}`.
  mutating func append(
    value: Range<Int>, _ bytes: Span<UInt8>, to output: inout [UInt8]
  ) throws(JSONError) {
    parts.removeAll(keepingCapacity: true)
    _ = try self.value(bytes, value.lowerBound, &output)
  }

  /// Appends the canonical form of a set's member, a string with its quotation marks.
  mutating func append(
    member: Range<Int>, _ bytes: Span<UInt8>, of set: TypeTag, to output: inout [UInt8]
  ) throws(JSONError) {
    if set == .numberSet, try number(bytes, member.lowerBound, &output) != nil { return }
    _ = try string(bytes, member.lowerBound, &output)
  }

  // Each function appends a value and returns the offset behind it; nil, with nothing of use appended,
  // means that the value is not of that shape.

  /// An object of names and typed values: an item, or what stands in an `M`.
  private mutating func members(
    _ bytes: Span<UInt8>, _ start: Int, _ output: inout [UInt8]
  ) throws(JSONError) -> Int? {
    guard try at(bytes, start) == UInt8(ascii: "{") else { return nil }
    return try object(bytes, start, &output, typed: true)
  }

  private mutating func object(
    _ bytes: Span<UInt8>, _ start: Int, _ output: inout [UInt8], typed: Bool
  ) throws(JSONError) -> Int {
    let first = parts.count
    output.append(UInt8(ascii: "{"))
    let contentStart = output.count
    var i = scanner.skipWhitespace(bytes, at: start + 1)
    while try at(bytes, i) != UInt8(ascii: "}") {
      let partStart = output.count
      let value = try scanner.skipName(bytes, at: i)
      _ = try string(bytes, i, &output)
      let nameEnd = output.count
      output.append(UInt8(ascii: ":"))
      i = typed ? try self.value(bytes, value, &output) : try json(bytes, value, &output)
      parts.append(Part(start: partStart, nameEnd: nameEnd, end: output.count))
      i = try separator(bytes, i)
    }
    finish(&output, from: first, contentStart)
    output.append(UInt8(ascii: "}"))
    return i + 1
  }

  /// A typed value, `{"S":"x"}`.
  private mutating func value(
    _ bytes: Span<UInt8>, _ start: Int, _ output: inout [UInt8]
  ) throws(JSONError) -> Int {
    let mark = output.count
    let first = parts.count
    if let end = try typed(bytes, start, &output) { return end }
    output.removeSubrange(mark...)
    parts.removeSubrange(first...)
    return try json(bytes, start, &output)
  }

  private mutating func typed(
    _ bytes: Span<UInt8>, _ start: Int, _ output: inout [UInt8]
  ) throws(JSONError) -> Int? {
    guard try at(bytes, start) == UInt8(ascii: "{") else { return nil }
    let name = scanner.skipWhitespace(bytes, at: start + 1)
    guard try at(bytes, name) == UInt8(ascii: "\"") else { return nil }
    let type = try TypeTag(bytes, name, scanner)
    let inner = try scanner.skipName(bytes, at: name)
    output.append(UInt8(ascii: "{"))
    _ = try string(bytes, name, &output)
    output.append(UInt8(ascii: ":"))
    let end: Int?
    switch type {
    case .number: end = try number(bytes, inner, &output)
    case .map: end = try members(bytes, inner, &output)
    case .list: end = try elements(bytes, inner, &output, type)
    case .set, .numberSet: end = try elements(bytes, inner, &output, type)
    case .plain: end = try json(bytes, inner, &output)
    }
    guard let end else { return nil }
    // One member only: the brace must close it.
    let brace = scanner.skipWhitespace(bytes, at: end)
    guard try at(bytes, brace) == UInt8(ascii: "}") else { return nil }
    output.append(UInt8(ascii: "}"))
    return brace + 1
  }

  private mutating func elements(
    _ bytes: Span<UInt8>, _ start: Int, _ output: inout [UInt8], _ type: TypeTag
  ) throws(JSONError) -> Int? {
    guard try at(bytes, start) == UInt8(ascii: "[") else { return nil }
    let first = parts.count
    output.append(UInt8(ascii: "["))
    let contentStart = output.count
    var i = scanner.skipWhitespace(bytes, at: start + 1)
    while try at(bytes, i) != UInt8(ascii: "]") {
      if type == .list {
        if output.count > contentStart { output.append(UInt8(ascii: ",")) }
        i = try value(bytes, i, &output)
      } else {
        // Only strings are members of sets.
        guard try at(bytes, i) == UInt8(ascii: "\"") else { return nil }
        let partStart = output.count
        if type == .numberSet, let end = try number(bytes, i, &output) {
          i = end
        } else {
          i = try string(bytes, i, &output)
        }
        parts.append(Part(start: partStart, nameEnd: output.count, end: output.count))
      }
      i = try separator(bytes, i)
    }
    if type != .list { finish(&output, from: first, contentStart) }
    output.append(UInt8(ascii: "]"))
    return i + 1
  }

  /// Any JSON, numbers as they are spelled.
  private mutating func json(
    _ bytes: Span<UInt8>, _ start: Int, _ output: inout [UInt8]
  ) throws(JSONError) -> Int {
    switch try at(bytes, start) {
    case UInt8(ascii: "{"): return try object(bytes, start, &output, typed: false)
    case UInt8(ascii: "["):
      output.append(UInt8(ascii: "["))
      var i = scanner.skipWhitespace(bytes, at: start + 1)
      var isFirst = true
      while try at(bytes, i) != UInt8(ascii: "]") {
        if !isFirst { output.append(UInt8(ascii: ",")) }
        isFirst = false
        i = try separator(bytes, try json(bytes, i, &output))
      }
      output.append(UInt8(ascii: "]"))
      return i + 1
    case UInt8(ascii: "\""): return try string(bytes, start, &output)
    default:
      let end = try scanner.skipValue(bytes, at: start)
      copy(bytes, start..<end, &output)
      return end
    }
  }

  private mutating func string(
    _ bytes: Span<UInt8>, _ start: Int, _ output: inout [UInt8]
  ) throws(JSONError) -> Int {
    let end = try scanner.skipString(bytes, at: start)
    guard bytes.extracting(start..<end).contains(UInt8(ascii: "\\")) else {
      copy(bytes, start..<end, &output)
      return end
    }
    text.removeAll(keepingCapacity: true)
    try JSONText.unescape(bytes, start + 1..<end - 1, into: &text)
    JSONText.quote(text, into: &output)
    return end
  }

  /// A string that spells a number.
  private mutating func number(
    _ bytes: Span<UInt8>, _ start: Int, _ output: inout [UInt8]
  ) throws(JSONError) -> Int? {
    guard try at(bytes, start) == UInt8(ascii: "\"") else { return nil }
    let end = try scanner.skipString(bytes, at: start)
    output.append(UInt8(ascii: "\""))
    if !CanonicalNumber.appendInteger(bytes.extracting(start + 1..<end - 1), to: &output) {
      text.removeAll(keepingCapacity: true)
      try JSONText.unescape(bytes, start + 1..<end - 1, into: &text)
      guard let number = CanonicalNumber(text.span) else {
        output.removeLast()
        return nil
      }
      if number.digits.isEmpty {
        output.append(UInt8(ascii: "0"))
      } else {
        number.append(to: &output)
      }
    }
    output.append(UInt8(ascii: "\""))
    return end
  }

  /// Puts the parts behind `first` into the order of their names, with commas between them.
  private mutating func finish(_ output: inout [UInt8], from first: Int, _ contentStart: Int) {
    // What is between the quotation marks counts.
    let own = parts[first...].sorted { one, other in
      CanonicalItem.precedes(
        output, one.start + 1..<one.nameEnd - 1, other.start + 1..<other.nameEnd - 1)
    }
    parts.removeSubrange(first...)
    guard own.count > 1 else { return }
    sorted.removeAll(keepingCapacity: true)
    for (index, part) in own.enumerated() {
      if index > 0 { sorted.append(UInt8(ascii: ",")) }
      sorted += output[part.start..<part.end]
    }
    output.replaceSubrange(contentStart..., with: sorted)
  }

  private static func precedes(_ bytes: [UInt8], _ one: Range<Int>, _ other: Range<Int>) -> Bool {
    bytes.withUnsafeBufferPointer { $0[one].lexicographicallyPrecedes($0[other]) }
  }

  /// Behind a member or an element: the offset of what is next.
  private mutating func separator(_ bytes: Span<UInt8>, _ start: Int) throws(JSONError) -> Int {
    let i = scanner.skipWhitespace(bytes, at: start)
    guard try at(bytes, i) == UInt8(ascii: ",") else { return i }
    return scanner.skipWhitespace(bytes, at: i + 1)
  }

  private func at(_ bytes: Span<UInt8>, _ i: Int) throws(JSONError) -> UInt8 {
    guard i < bytes.count else { throw JSONError(.truncated, at: bytes.count) }
    return bytes[i]
  }

  private func copy(_ bytes: Span<UInt8>, _ range: Range<Int>, _ output: inout [UInt8]) {
    bytes.extracting(range).withUnsafeBufferPointer { output.append(contentsOf: $0) }
  }
}

/// How a value of a type is compared.
enum TypeTag {
  case number, map, list, numberSet
  /// `SS` and `BS`.
  case set
  /// As the JSON it is: `S`, `B`, `BOOL`, `NULL`, and what nobody knows yet.
  case plain

  /// Reads the name that starts at `start`, quotation mark included.
  init(_ bytes: Span<UInt8>, _ start: Int, _ scanner: JSONScanner) throws(JSONError) {
    let end = try scanner.skipString(bytes, at: start) - 1
    let name = bytes.extracting(start + 1..<end)
    if name.contains(UInt8(ascii: "\\")) {
      var text: [UInt8] = []
      try JSONText.unescape(bytes, start + 1..<end, into: &text)
      self.init(text.span)
    } else {
      self.init(name)
    }
  }

  private init(_ name: Span<UInt8>) {
    switch (name.count, name.isEmpty ? 0 : name[0], name.count < 2 ? 0 : name[1]) {
    case (1, UInt8(ascii: "N"), _): self = .number
    case (1, UInt8(ascii: "M"), _): self = .map
    case (1, UInt8(ascii: "L"), _): self = .list
    case (2, UInt8(ascii: "N"), UInt8(ascii: "S")): self = .numberSet
    case (2, UInt8(ascii: "S"), UInt8(ascii: "S")), (2, UInt8(ascii: "B"), UInt8(ascii: "S")):
      self = .set
    default: self = .plain
    }
  }
}
