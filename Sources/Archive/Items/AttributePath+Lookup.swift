internal import JSON

extension AttributePath {
  /// Where the typed value stands that the path leads to.
  ///
  /// - Parameter item: the bytes of an item's object, which a reader of lines or pages has validated.
  /// - Returns: nil where the item has nothing there.
  func value(
    in bytes: Span<UInt8>, _ item: Range<Int>
  ) throws(JSONError) -> Range<Int>? {
    var scanner = JSONScanner()
    var value: Range<Int>?
    for step in steps {
      switch step {
      case .name(let name):
        var object = item
        if let outer = value {
          guard let map = try TypedValue(bytes, outer, &scanner), map.tag == .map else {
            return nil
          }
          object = map.content
        }
        guard bytes[object.lowerBound] == UInt8(ascii: "{") else { return nil }
        value = try ItemMember.all(bytes, of: object, &scanner).first { $0.name == name }?.value
      case .index(let index):
        guard let outer = value, let list = try TypedValue(bytes, outer, &scanner),
          list.tag == .list,
          let elements = try ItemMember.elements(bytes, of: list.content, &scanner),
          index < elements.count
        else { return nil }
        value = elements[index]
      }
      if value == nil { return nil }
    }
    return value
  }
}
