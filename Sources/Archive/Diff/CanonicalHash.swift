internal import JSON

/// A hash of what an item means: items with one canonical form (`CanonicalItem`) have one, in a single
/// pass and without sorting anything.
///
/// Members of objects and sets are hashed by themselves and added up, elements of lists are chained. All
/// is mixed with the keys of an `ItemHash`, which nobody sees, so that what is said of its collisions
/// holds here, too. Two spellings that it does not recognise as one cost a closer look and no more.
struct CanonicalHash {
  private let hash: ItemHash
  private var scanner = JSONScanner()
  private var text: [UInt8] = []

  init(_ hash: ItemHash) { self.hash = hash }

  /// What a value is, so that values of different kinds do not meet.
  private enum Kind: UInt64 {
    case object = 1, array, set, typed, member, string, number, other
  }

  /// The hash of an item.
  ///
  /// - Parameter item: its bytes, which need not have been validated.
  /// - Returns: nil where they are no item.
  mutating func callAsFunction(_ item: Span<UInt8>) -> UInt128? {
    guard !item.isEmpty, item[0] == UInt8(ascii: "{") else { return nil }
    do throws(JSONError) {
      // Grammar is for the one validator; here it is enough that the hash cannot run away.
      var i = 0
      let hash = try object(item, &i, typed: true, depth: 0)
      return i == item.count ? hash : nil
    } catch { return nil }
  }

  private func mix(_ kind: Kind, _ one: UInt128, _ other: UInt128 = 0) -> UInt128 {
    hash.mix(one, other, kind.rawValue)
  }

  // Each function hashes the value that starts at `i`, and moves `i` behind it.

  private mutating func object(
    _ bytes: Span<UInt8>, _ i: inout Int, typed: Bool, depth: Int
  ) throws(JSONError) -> UInt128 {
    guard depth < JSONScanner.depthLimit else { throw JSONError(.tooDeep, at: i) }
    var sum: UInt128 = 0
    var count: UInt128 = 0
    i = scanner.skipWhitespace(bytes, at: i + 1)
    while try at(bytes, i) != UInt8(ascii: "}") {
      let name = try string(bytes, &i)
      try colon(bytes, &i)
      let value =
        typed
        ? try self.value(bytes, &i, depth: depth + 1) : try json(bytes, &i, depth: depth + 1)
      sum &+= mix(.member, name, value)
      count += 1
      try separator(bytes, &i)
    }
    i += 1
    return mix(.object, sum, count)
  }

  /// A typed value, `{"S":"x"}`; what has not the shape of its type is taken as JSON.
  private mutating func value(
    _ bytes: Span<UInt8>, _ i: inout Int, depth: Int
  ) throws(JSONError) -> UInt128 {
    let start = i
    if let typed = try typed(bytes, &i, depth: depth) { return typed }
    i = start
    return try json(bytes, &i, depth: depth)
  }

  private mutating func typed(
    _ bytes: Span<UInt8>, _ i: inout Int, depth: Int
  ) throws(JSONError) -> UInt128? {
    guard try at(bytes, i) == UInt8(ascii: "{") else { return nil }
    i = scanner.skipWhitespace(bytes, at: i + 1)
    guard try at(bytes, i) == UInt8(ascii: "\"") else { return nil }
    let tag = try TypeTag(bytes, i, scanner)
    let type = try string(bytes, &i)
    try colon(bytes, &i)
    let content: UInt128?
    switch (tag, try at(bytes, i)) {
    case (.number, UInt8(ascii: "\"")): content = try number(bytes, &i)
    case (.map, UInt8(ascii: "{")):
      content = try object(bytes, &i, typed: true, depth: depth + 1)
    case (.list, UInt8(ascii: "[")):
      content = try array(bytes, &i, typed: true, depth: depth + 1)
    case (.set, UInt8(ascii: "[")), (.numberSet, UInt8(ascii: "[")):
      content = try set(bytes, &i, tag)
    case (.plain, _): content = try json(bytes, &i, depth: depth + 1)
    default: return nil
    }
    i = scanner.skipWhitespace(bytes, at: i)
    guard let content, try at(bytes, i) == UInt8(ascii: "}") else { return nil }
    i += 1
    return mix(.typed, type, content)
  }

  private mutating func array(
    _ bytes: Span<UInt8>, _ i: inout Int, typed: Bool, depth: Int
  ) throws(JSONError) -> UInt128 {
    guard depth < JSONScanner.depthLimit else { throw JSONError(.tooDeep, at: i) }
    var chain: UInt128 = 0
    i = scanner.skipWhitespace(bytes, at: i + 1)
    while try at(bytes, i) != UInt8(ascii: "]") {
      let element =
        typed
        ? try value(bytes, &i, depth: depth + 1) : try json(bytes, &i, depth: depth + 1)
      chain = mix(.array, chain &+ 1, element)
      try separator(bytes, &i)
    }
    i += 1
    return mix(.array, chain)
  }

  /// The members of a set; nil where not all are strings.
  private mutating func set(
    _ bytes: Span<UInt8>, _ i: inout Int, _ tag: TypeTag
  ) throws(JSONError) -> UInt128? {
    var sum: UInt128 = 0
    var count: UInt128 = 0
    i = scanner.skipWhitespace(bytes, at: i + 1)
    while try at(bytes, i) != UInt8(ascii: "]") {
      guard try at(bytes, i) == UInt8(ascii: "\"") else { return nil }
      let start = i
      if tag == .numberSet, let number = try number(bytes, &i) {
        sum &+= mix(.set, number)
      } else {
        i = start
        sum &+= mix(.set, try string(bytes, &i))
      }
      count += 1
      try separator(bytes, &i)
    }
    i += 1
    return mix(.set, sum, count)
  }

  /// Any JSON, numbers as they are spelled.
  private mutating func json(
    _ bytes: Span<UInt8>, _ i: inout Int, depth: Int
  ) throws(JSONError) -> UInt128 {
    switch try at(bytes, i) {
    case UInt8(ascii: "{"): return try object(bytes, &i, typed: false, depth: depth)
    case UInt8(ascii: "["): return try array(bytes, &i, typed: false, depth: depth)
    case UInt8(ascii: "\""): return try string(bytes, &i)
    default:
      let start = i
      i = try scanner.skipValue(bytes, at: i)
      return mix(.other, hash(bytes, start..<i))
    }
  }

  private mutating func string(
    _ bytes: Span<UInt8>, _ i: inout Int
  ) throws(JSONError) -> UInt128 {
    let start = i + 1
    i = try scanner.skipString(bytes, at: i)
    let range = start..<i - 1
    guard bytes.extracting(range).contains(UInt8(ascii: "\\")) else {
      return mix(.string, hash(bytes, range))
    }
    text.removeAll(keepingCapacity: true)
    try JSONText.unescape(bytes, range, into: &text)
    return mix(.string, text.withUnsafeBytes { hash($0) })
  }

  /// A string that spells a number; nil for another.
  private mutating func number(
    _ bytes: Span<UInt8>, _ i: inout Int
  ) throws(JSONError) -> UInt128? {
    let start = i + 1
    i = try scanner.skipString(bytes, at: i)
    text.removeAll(keepingCapacity: true)
    if !CanonicalNumber.appendInteger(bytes.extracting(start..<i - 1), to: &text) {
      var spelled: [UInt8] = []
      try JSONText.unescape(bytes, start..<i - 1, into: &spelled)
      guard let number = CanonicalNumber(spelled.span) else { return nil }
      number.append(to: &text)
    }
    return mix(.number, text.withUnsafeBytes { hash($0) })
  }

  private func hash(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt128 {
    bytes.extracting(range).withUnsafeBytes { hash($0) }
  }

  private mutating func colon(_ bytes: Span<UInt8>, _ i: inout Int) throws(JSONError) {
    i = scanner.skipWhitespace(bytes, at: i)
    guard try at(bytes, i) == UInt8(ascii: ":") else { throw JSONError(.unexpectedByte, at: i) }
    i = scanner.skipWhitespace(bytes, at: i + 1)
  }

  /// Behind a member or an element: to what is next.
  private mutating func separator(_ bytes: Span<UInt8>, _ i: inout Int) throws(JSONError) {
    i = scanner.skipWhitespace(bytes, at: i)
    if try at(bytes, i) == UInt8(ascii: ",") {
      i = scanner.skipWhitespace(bytes, at: i + 1)
    }
  }

  private func at(_ bytes: Span<UInt8>, _ i: Int) throws(JSONError) -> UInt8 {
    guard i < bytes.count else { throw JSONError(.truncated, at: bytes.count) }
    return bytes[i]
  }
}
