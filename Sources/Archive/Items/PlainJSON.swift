internal import JSON

/// Turns an item from DynamoDB's typed JSON into the JSON people write by hand.
///
/// `{"S":"x"}` becomes `"x"`, numbers keep every digit and their spelling wherever JSON allows it,
/// binaries stay base64 strings, and sets become arrays. What is none of the ten types is kept
/// typed. It works on the bytes: no tree is built and no number is ever computed.
public enum PlainJSON {
  /// Appends an item in plain form.
  ///
  /// - Parameters:
  ///   - item: the bytes of the item's object, which `ChunkReader` or `PageCutter` accepted.
  ///   - output: receives the object.
  /// - Throws: `ArchiveError` of code `badPage` where the bytes are no JSON object.
  public static func append(
    _ bytes: Span<UInt8>, _ item: Range<Int>, to output: inout [UInt8]
  ) throws(ArchiveError) {
    let item = bytes.extracting(item)
    try convert(item) { (converter: inout PlainConverter) throws(JSONError) in
      guard try converter.members(item, 0, &output) != nil else {
        throw JSONError(.unexpectedByte, at: 0)
      }
    }
  }

  /// Appends a typed value in plain form.
  ///
  /// - Parameter value: the bytes of `{"S":"x"}` and nothing else.
  /// - Throws: `ArchiveError` of code `badPage` where the bytes are no JSON.
  public static func append(
    value: Span<UInt8>, to output: inout [UInt8]
  ) throws(ArchiveError) {
    try convert(value) { (converter: inout PlainConverter) throws(JSONError) in
      _ = try converter.value(value, 0, &output)
    }
  }

  private static func convert(
    _ bytes: Span<UInt8>, _ body: (inout PlainConverter) throws(JSONError) -> Void
  ) throws(ArchiveError) {
    // Grammar and depth are checked here once, so that the recursion is bounded.
    do throws(JSONError) {
      var scanner = JSONScanner()
      guard try scanner.skipValue(bytes, at: 0) == bytes.count else {
        throw JSONError(.trailingBytes, at: 0)
      }
      var converter = PlainConverter()
      try body(&converter)
    } catch {
      throw ArchiveError(
        .badPage, "the item is not a JSON object: \(error.code.rawValue)", offset: error.offset)
    }
  }
}

/// Each function appends a value's plain form and returns the offset behind it; nil, with nothing
/// of use appended, means that the value is not of that shape.
private struct PlainConverter {
  private var scanner = JSONScanner()

  /// An object of names and typed values: an item, or what stands in an `M`.
  mutating func members(
    _ bytes: Span<UInt8>, _ start: Int, _ output: inout [UInt8]
  ) throws(JSONError) -> Int? {
    guard bytes[start] == UInt8(ascii: "{") else { return nil }
    output.append(UInt8(ascii: "{"))
    var i = scanner.skipWhitespace(bytes, at: start + 1)
    while bytes[i] != UInt8(ascii: "}") {
      let nameEnd = try scanner.skipString(bytes, at: i)
      copy(bytes, i..<nameEnd, &output)
      output.append(UInt8(ascii: ":"))
      i = try value(bytes, try scanner.skipName(bytes, at: i), &output)
      i = separator(bytes, i, &output)
    }
    output.append(UInt8(ascii: "}"))
    return i + 1
  }

  /// A typed value, `{"S":"x"}`.
  mutating func value(
    _ bytes: Span<UInt8>, _ start: Int, _ output: inout [UInt8]
  ) throws(JSONError) -> Int {
    let mark = output.count
    if let end = try typed(bytes, start, &output) { return end }
    output.removeSubrange(mark...)
    let end = try scanner.skipValue(bytes, at: start)
    JSONText.compact(bytes.extracting(start..<end), into: &output)
    return end
  }

  private mutating func typed(
    _ bytes: Span<UInt8>, _ start: Int, _ output: inout [UInt8]
  ) throws(JSONError) -> Int? {
    guard bytes[start] == UInt8(ascii: "{") else { return nil }
    let name = scanner.skipWhitespace(bytes, at: start + 1)
    guard bytes[name] == UInt8(ascii: "\"") else { return nil }
    let tag = Tag(bytes, name + 1..<(try scanner.skipString(bytes, at: name)) - 1)
    let inner = try scanner.skipName(bytes, at: name)
    let end: Int?
    switch tag {
    case .text: end = try text(bytes, inner, &output)
    case .number: end = try number(bytes, inner, &output)
    case .bool: end = try literal(bytes, inner, &output, where: { $0 != UInt8(ascii: "n") })
    case .null:
      end = try literal(bytes, inner, &output, where: { $0 == UInt8(ascii: "t") })
      if end != nil { output.replaceSubrange((output.count - 4)..., with: "null".utf8) }
    case .map: end = try members(bytes, inner, &output)
    case .list: end = try elements(bytes, inner, &output, .any)
    case .texts: end = try elements(bytes, inner, &output, .text)
    case .numbers: end = try elements(bytes, inner, &output, .number)
    case .unknown: end = nil
    }
    // One member only: the brace must close it.
    guard let end else { return nil }
    let brace = scanner.skipWhitespace(bytes, at: end)
    return bytes[brace] == UInt8(ascii: "}") ? brace + 1 : nil
  }

  private enum Element { case any, text, number }

  private mutating func elements(
    _ bytes: Span<UInt8>, _ start: Int, _ output: inout [UInt8], _ element: Element
  ) throws(JSONError) -> Int? {
    guard bytes[start] == UInt8(ascii: "[") else { return nil }
    output.append(UInt8(ascii: "["))
    var i = scanner.skipWhitespace(bytes, at: start + 1)
    while bytes[i] != UInt8(ascii: "]") {
      let end: Int?
      switch element {
      case .any: end = try value(bytes, i, &output)
      case .text: end = try text(bytes, i, &output)
      case .number: end = try number(bytes, i, &output)
      }
      guard let end else { return nil }
      i = separator(bytes, end, &output)
    }
    output.append(UInt8(ascii: "]"))
    return i + 1
  }

  private func text(
    _ bytes: Span<UInt8>, _ start: Int, _ output: inout [UInt8]
  ) throws(JSONError) -> Int? {
    guard bytes[start] == UInt8(ascii: "\"") else { return nil }
    let end = try scanner.skipString(bytes, at: start)
    copy(bytes, start..<end, &output)
    return end
  }

  private mutating func literal(
    _ bytes: Span<UInt8>, _ start: Int, _ output: inout [UInt8], where allowed: (UInt8) -> Bool
  ) throws(JSONError) -> Int? {
    let letters: [UInt8] = [UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n")]
    guard letters.contains(bytes[start]), allowed(bytes[start]) else { return nil }
    let end = try scanner.skipValue(bytes, at: start)
    copy(bytes, start..<end, &output)
    return end
  }

  /// A number in a string. Its spelling is kept but for what JSON does not allow: a plus sign in
  /// front, zeros in front, and a point without digits on both sides.
  private mutating func number(
    _ bytes: Span<UInt8>, _ start: Int, _ output: inout [UInt8]
  ) throws(JSONError) -> Int? {
    guard bytes[start] == UInt8(ascii: "\"") else { return nil }
    let end = try scanner.skipString(bytes, at: start)
    var spelled: [UInt8] = []
    try JSONText.unescape(bytes, start + 1..<end - 1, into: &spelled)
    guard CanonicalNumber(spelled.span) != nil else { return nil }
    var rest = spelled[...]
    if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
      if sign == UInt8(ascii: "-") { output.append(sign) }
      rest.removeFirst()
    }
    let isDigit: (UInt8) -> Bool = { $0 &- UInt8(ascii: "0") < 10 }
    let whole = rest.prefix(while: isDigit)
    rest = rest.dropFirst(whole.count)
    let significant = whole.drop { $0 == UInt8(ascii: "0") }
    output.append(contentsOf: significant.isEmpty ? [UInt8(ascii: "0")] : significant)
    if rest.first == UInt8(ascii: ".") {
      let fraction = rest.dropFirst().prefix(while: isDigit)
      rest = rest.dropFirst(1 + fraction.count)
      if !fraction.isEmpty {
        output.append(UInt8(ascii: "."))
        output.append(contentsOf: fraction)
      }
    }
    output.append(contentsOf: rest)
    return end
  }

  /// Behind a member or an element: the comma, if one follows, and the offset of what is next.
  private mutating func separator(
    _ bytes: Span<UInt8>, _ start: Int, _ output: inout [UInt8]
  ) -> Int {
    let i = scanner.skipWhitespace(bytes, at: start)
    guard bytes[i] == UInt8(ascii: ",") else { return i }
    output.append(UInt8(ascii: ","))
    return scanner.skipWhitespace(bytes, at: i + 1)
  }

  private func copy(_ bytes: Span<UInt8>, _ range: Range<Int>, _ output: inout [UInt8]) {
    bytes.extracting(range).withUnsafeBufferPointer { output.append(contentsOf: $0) }
  }
}

/// What a type letter asks for.
private enum Tag {
  case text, number, bool, null, map, list, texts, numbers, unknown

  init(_ bytes: Span<UInt8>, _ name: Range<Int>) {
    let first = name.isEmpty ? 0 : bytes[name.lowerBound]
    let second = name.count == 2 ? bytes[name.lowerBound + 1] : 0
    switch (name.count, first, second) {
    case (1, UInt8(ascii: "S"), _), (1, UInt8(ascii: "B"), _): self = .text
    case (1, UInt8(ascii: "N"), _): self = .number
    case (1, UInt8(ascii: "M"), _): self = .map
    case (1, UInt8(ascii: "L"), _): self = .list
    case (2, UInt8(ascii: "S"), UInt8(ascii: "S")), (2, UInt8(ascii: "B"), UInt8(ascii: "S")):
      self = .texts
    case (2, UInt8(ascii: "N"), UInt8(ascii: "S")): self = .numbers
    default:
      let text = bytes.extracting(name)
      self = text.spells("BOOL") ? .bool : text.spells("NULL") ? .null : .unknown
    }
  }
}

extension Span where Element == UInt8 {
  /// Whether the bytes are exactly these.
  fileprivate func spells(_ word: StaticString) -> Bool {
    guard count == word.utf8CodeUnitCount else { return false }
    for i in indices where self[i] != word.utf8Start[i] { return false }
    return true
  }
}
