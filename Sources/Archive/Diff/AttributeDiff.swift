internal import JSON

/// Finds what differs between two images of an item, down to the nested path.
///
/// Order of attributes and of members of sets, spelling of numbers and escapes are no difference. Lists
/// are compared element by element.
public struct AttributeDiff: Sendable {
  private var canonical = CanonicalItem()
  private var forms: ([UInt8], [UInt8]) = ([], [])
  private var scanner = JSONScanner()
  private var found: [AttributeChange] = []

  public init() {}

  /// The differences, in the order of the names and of the indices on their paths.
  ///
  /// - Parameters:
  ///   - old: the item's object on the old side, as the batches of a `Diff` hold it.
  ///   - new: the same on the new side.
  ///   - filter: which attributes count.
  /// - Throws: `ArchiveError` of code `badPage` where the bytes are no items.
  public mutating func changes(
    old: Span<UInt8>, new: Span<UInt8>, _ filter: AttributeFilter = AttributeFilter()
  ) throws(ArchiveError) -> [AttributeChange] {
    found.removeAll()
    do throws(JSONError) {
      guard try scanner.skipValue(old, at: 0) == old.count, old[0] == UInt8(ascii: "{"),
        try scanner.skipValue(new, at: 0) == new.count, new[0] == UInt8(ascii: "{")
      else { throw JSONError(.unexpectedByte, at: 0) }
      try compareMembers(old, 0..<old.count, new, 0..<new.count, AttributePath(), filter)
    } catch {
      throw ArchiveError(
        .badPage, "the item is not DynamoDB's JSON: \(error.code.rawValue)", offset: error.offset)
    }
    return found
  }

  /// Compares the members of two objects; nil stands for one without any.
  private mutating func compareMembers(
    _ old: Span<UInt8>, _ one: Range<Int>?, _ new: Span<UInt8>, _ other: Range<Int>?,
    _ path: AttributePath, _ filter: AttributeFilter
  ) throws(JSONError) {
    var olds: [ItemMember] = []
    var news: [ItemMember] = []
    if let one { olds = try ItemMember.all(old, of: one, &scanner) }
    if let other { news = try ItemMember.all(new, of: other, &scanner) }
    var (i, j) = (0, 0)
    while i < olds.count || j < news.count {
      let isOld =
        j == news.count
        || i < olds.count && !news[j].name.lexicographicallyPrecedes(olds[i].name)
      let isNew =
        i == olds.count
        || j < news.count && !olds[i].name.lexicographicallyPrecedes(news[j].name)
      let name = isOld ? olds[i].name : news[j].name
      try compare(
        old, isOld ? olds[i].value : nil, new, isNew ? news[j].value : nil,
        AttributePath(path.steps + [.name(name)]), filter)
      if isOld { i += 1 }
      if isNew { j += 1 }
    }
  }

  private mutating func compareElements(
    _ old: Span<UInt8>, _ olds: [Range<Int>], _ new: Span<UInt8>, _ news: [Range<Int>],
    _ path: AttributePath, _ filter: AttributeFilter
  ) throws(JSONError) {
    for index in 0..<max(olds.count, news.count) {
      try compare(
        old, index < olds.count ? olds[index] : nil, new, index < news.count ? news[index] : nil,
        AttributePath(path.steps + [.index(index)]), filter)
    }
  }

  /// Compares two values; nil stands for none.
  private mutating func compare(
    _ old: Span<UInt8>, _ one: Range<Int>?, _ new: Span<UInt8>, _ other: Range<Int>?,
    _ path: AttributePath, _ filter: AttributeFilter
  ) throws(JSONError) {
    let scope = filter.scope(of: path)
    if scope == .outside { return }
    if let one, let other, try isSame(old, one, new, other) { return }
    let left = try one.flatMap { (range) throws(JSONError) in try TypedValue(old, range, &scanner) }
    let right = try other.flatMap { (range) throws(JSONError) in
      try TypedValue(new, range, &scanner)
    }
    let isMap = (isMap(old, left), isMap(new, right))
    let lists = (try elements(old, left, .list), try elements(new, right, .list))
    if scope == .aboveOnly ? isMap.0 || isMap.1 : isMap.0 && isMap.1 {
      try compareMembers(
        old, isMap.0 ? left?.content : nil, new, isMap.1 ? right?.content : nil, path, filter)
    }
    if scope == .aboveOnly ? lists.0 != nil || lists.1 != nil : lists.0 != nil && lists.1 != nil {
      try compareElements(old, lists.0 ?? [], new, lists.1 ?? [], path, filter)
    }
    // Differences above what counts are told by what is below, as are those of two maps or lists.
    if scope == .aboveOnly || isMap.0 && isMap.1 || lists.0 != nil && lists.1 != nil { return }
    var change = AttributeChange(path: path, old: one, new: other)
    if let left, let right { try addMembers(old, left, new, right, to: &change) }
    found.append(change)
  }

  private func isMap(_ bytes: Span<UInt8>, _ value: TypedValue?) -> Bool {
    guard let value, value.tag == .map else { return false }
    return bytes[value.content.lowerBound] == UInt8(ascii: "{")
  }

  private mutating func elements(
    _ bytes: Span<UInt8>, _ value: TypedValue?, _ tag: TypeTag
  ) throws(JSONError) -> [Range<Int>]? {
    guard let value, value.tag == tag else { return nil }
    return try ItemMember.elements(bytes, of: value.content, &scanner)
  }

  private mutating func isSame(
    _ old: Span<UInt8>, _ one: Range<Int>, _ new: Span<UInt8>, _ other: Range<Int>
  ) throws(JSONError) -> Bool {
    if AttributeDiff.hasSameBytes(old, one, new, other) { return true }
    forms.0.removeAll(keepingCapacity: true)
    forms.1.removeAll(keepingCapacity: true)
    try canonical.append(value: one, old, to: &forms.0)
    try canonical.append(value: other, new, to: &forms.1)
    return forms.0 == forms.1
  }

  private static func hasSameBytes(
    _ old: Span<UInt8>, _ one: Range<Int>, _ new: Span<UInt8>, _ other: Range<Int>
  ) -> Bool {
    guard one.count == other.count else { return false }
    for i in 0..<one.count where old[one.lowerBound &+ i] != new[other.lowerBound &+ i] {
      return false
    }
    return true
  }

  /// Where both values are sets of one type, notes the members that only one of them has.
  private mutating func addMembers(
    _ old: Span<UInt8>, _ one: TypedValue, _ new: Span<UInt8>, _ other: TypedValue,
    to change: inout AttributeChange
  ) throws(JSONError) {
    guard one.tag == .set || one.tag == .numberSet,
      AttributeDiff.hasSameBytes(old, one.type, new, other.type),
      let olds = try members(old, one), let news = try members(new, other)
    else { return }
    var (i, j) = (0, 0)
    while i < olds.count || j < news.count {
      if j == news.count || i < olds.count && olds[i].form.lexicographicallyPrecedes(news[j].form) {
        change.removedMembers.append(olds[i].range)
        i += 1
      } else if i == olds.count || news[j].form.lexicographicallyPrecedes(olds[i].form) {
        change.addedMembers.append(news[j].range)
        j += 1
      } else {
        i += 1
        j += 1
      }
    }
  }

  /// The members of a set with their canonical forms, in the order of these; nil where not all are
  /// strings.
  private mutating func members(
    _ bytes: Span<UInt8>, _ set: TypedValue
  ) throws(JSONError) -> [(form: [UInt8], range: Range<Int>)]? {
    guard let elements = try ItemMember.elements(bytes, of: set.content, &scanner) else {
      return nil
    }
    var members: [(form: [UInt8], range: Range<Int>)] = []
    for range in elements {
      guard bytes[range.lowerBound] == UInt8(ascii: "\"") else { return nil }
      var form: [UInt8] = []
      try canonical.append(member: range, bytes, of: set.tag, to: &form)
      members.append((form, range))
    }
    return members.sorted { $0.form.lexicographicallyPrecedes($1.form) }
  }
}
