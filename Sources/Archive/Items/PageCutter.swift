internal import JSON

/// Cuts the items out of a Scan or Query answer in one strict pass.
///
/// The page is validated whole (RFC 8259 grammar, UTF-8, depth) and nothing is built: items are
/// ranges of the page's own bytes. One cutter serves page after page and reuses its storage.
public struct PageCutter: Sendable {
  /// One item of a page.
  public struct Item: Sendable {
    /// The bytes of the object, braces included.
    public var range: Range<Int>
    /// Whether white space between its tokens holds a line break, so that it must be compacted
    /// before it can stand on a line. DynamoDB itself never sends such.
    public var hasLineBreak: Bool

    package init(range: Range<Int>, hasLineBreak: Bool) {
      self.range = range
      self.hasLineBreak = hasLineBreak
    }
  }

  /// The items in the page's order.
  public private(set) var items: [Item] = []
  /// The answer's `Count`.
  public private(set) var count: Int?
  /// The answer's `ScannedCount`: items read before a filter.
  public private(set) var scannedCount: Int?
  /// The bytes of the `LastEvaluatedKey` object; nil on the last page.
  public private(set) var lastEvaluatedKey: Range<Int>?
  /// The bytes of the `ConsumedCapacity` object; nil where the service sent none.
  public private(set) var consumedCapacity: Range<Int>?

  // An item becomes part of a line, which is one level more.
  private var itemScanner = JSONScanner(maximumDepth: JSONScanner.depthLimit - 1)
  private var scanner = JSONScanner()
  private let countsOnly: Bool

  /// - Parameter countsOnly: whether the answers are to `Select: COUNT`, which have no items.
  public init(countsOnly: Bool = false) { self.countsOnly = countsOnly }

  /// Cuts a page; what was cut before is forgotten.
  ///
  /// - Throws: `ArchiveError` of code `badPage` with the offset in the page.
  public mutating func cut(_ page: Span<UInt8>) throws(ArchiveError) {
    items.removeAll(keepingCapacity: true)
    count = nil
    scannedCount = nil
    lastEvaluatedKey = nil
    consumedCapacity = nil
    var sawItems = false
    do throws(JSONError) {
      var i = scanner.skipWhitespace(page, at: 0)
      i = try open(page, at: i, "{")
      var first = true
      while let start = try next(page, &i, closing: "}", &first) {
        let value = try scanner.skipName(page, at: start)
        let member = try member(page, at: start)
        if member == .items {
          guard !sawItems else { throw JSONError(.duplicateName, at: start) }
          sawItems = true
          i = try cutItems(page, at: value)
        } else {
          i = try scanner.skipValue(page, at: value)
          try take(member, page, value..<i)
        }
      }
      i = scanner.skipWhitespace(page, at: i)
      guard i == page.count else { throw JSONError(.trailingBytes, at: i) }
    } catch {
      throw ArchiveError(
        .badPage, "the page is not valid JSON: \(error.code.rawValue)", offset: error.offset)
    }
    if countsOnly, !sawItems {
      guard count != nil else { throw ArchiveError(.badPage, "the page has no Count") }
      return
    }
    guard sawItems else { throw ArchiveError(.badPage, "the page has no Items") }
    guard let count, count == items.count else {
      let said = count.map(String.init) ?? "no"
      throw ArchiveError(.badPage, "the page says Count \(said) and holds \(items.count) items")
    }
  }

  private mutating func cutItems(_ page: Span<UInt8>, at start: Int) throws(JSONError) -> Int {
    var i = try open(page, at: start, "[")
    var first = true
    while let item = try next(page, &i, closing: "]", &first) {
      guard page[item] == UInt8(ascii: "{") else { throw JSONError(.unexpectedByte, at: item) }
      itemScanner.sawLineBreak = false
      i = try itemScanner.skipValue(page, at: item)
      items.append(Item(range: item..<i, hasLineBreak: itemScanner.sawLineBreak))
    }
    return i
  }

  private func open(
    _ page: Span<UInt8>, at i: Int, _ bracket: Unicode.Scalar
  ) throws(JSONError) -> Int {
    guard i < page.count else { throw JSONError(.truncated, at: page.count) }
    guard page[i] == UInt8(ascii: bracket) else { throw JSONError(.unexpectedByte, at: i) }
    return i + 1
  }

  /// Steps to the next element of a list; nil, and `i` behind the bracket, at its end.
  private mutating func next(
    _ page: Span<UInt8>, _ i: inout Int, closing: Unicode.Scalar, _ first: inout Bool
  ) throws(JSONError) -> Int? {
    i = scanner.skipWhitespace(page, at: i)
    guard i < page.count else { throw JSONError(.truncated, at: page.count) }
    if page[i] == UInt8(ascii: closing) {
      i += 1
      return nil
    }
    if !first {
      guard page[i] == UInt8(ascii: ",") else { throw JSONError(.unexpectedByte, at: i) }
      i = scanner.skipWhitespace(page, at: i + 1)
      guard i < page.count else { throw JSONError(.truncated, at: page.count) }
    }
    first = false
    return i
  }

  /// The members of an answer that matter.
  private enum Member: String {
    case items = "Items"
    case count = "Count"
    case scannedCount = "ScannedCount"
    case lastEvaluatedKey = "LastEvaluatedKey"
    case consumedCapacity = "ConsumedCapacity"
  }

  /// Which member's name starts at `start`. Escapes are understood: a LastEvaluatedKey that went
  /// unnoticed would cut the table short.
  private func member(_ page: Span<UInt8>, at start: Int) throws(JSONError) -> Member? {
    let end = try scanner.skipString(page, at: start) - 1
    var name: [UInt8] = []
    try JSONText.unescape(page, start + 1..<end, into: &name)
    return Member(rawValue: String(decoding: name, as: UTF8.self))
  }

  private mutating func take(
    _ member: Member?, _ page: Span<UInt8>, _ value: Range<Int>
  ) throws(JSONError) {
    let isObject = page[value.lowerBound] == UInt8(ascii: "{")
    // What has no value may be left out or null.
    if page[value.lowerBound] == UInt8(ascii: "n") { return }
    let isNew: Bool
    switch member {
    case .count:
      isNew = count == nil
      count = try integer(page, value)
    case .scannedCount:
      isNew = scannedCount == nil
      scannedCount = try integer(page, value)
    case .lastEvaluatedKey:
      guard isObject else { throw JSONError(.unexpectedByte, at: value.lowerBound) }
      isNew = lastEvaluatedKey == nil
      lastEvaluatedKey = value
    case .consumedCapacity:
      guard isObject else { throw JSONError(.unexpectedByte, at: value.lowerBound) }
      isNew = consumedCapacity == nil
      consumedCapacity = value
    case .items, nil: isNew = true
    }
    guard isNew else { throw JSONError(.duplicateName, at: value.lowerBound) }
  }

  private func integer(_ page: Span<UInt8>, _ range: Range<Int>) throws(JSONError) -> Int {
    var value = 0
    for i in range {
      guard page[i] &- UInt8(ascii: "0") < 10, value <= (Int.max - 9) / 10 else {
        throw JSONError(.badNumber, at: range.lowerBound)
      }
      value = value * 10 + Int(page[i] &- UInt8(ascii: "0"))
    }
    return value
  }
}
