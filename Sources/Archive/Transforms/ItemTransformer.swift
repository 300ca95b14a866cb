internal import JSON

/// Changes items, one after the other, by the rules of `ItemTransforms`.
///
/// An item is walked once, as deep as rules lead. What no rule is about is copied as it stands; a removed
/// member takes one comma with it. One task's own: its buffers are used again.
package struct ItemTransformer: Sendable {
  private let tree: TransformTree
  private let key: KeySchema
  private var keyedHash: KeyedHash?
  private var scanner = JSONScanner()
  /// For each place of the tree, the map in which it was last met, counted over all items.
  private var seen: [Int]
  private var maps = 0
  /// Up to where the item has been copied or left out.
  private var copied = 0
  /// Why the item cannot be changed, beside what the scanner throws.
  private var mismatch: Mismatch?

  private struct Mismatch {
    var place: Int
    /// `is of type M (a map)`
    var what: String
  }

  /// - Parameter key: of the items, to name one by.
  package init(_ transforms: ItemTransforms, key: KeySchema) {
    tree = TransformTree(transforms.rules)
    self.key = key
    keyedHash = transforms.hashKey.map { KeyedHash(key: $0) }
    seen = Array(repeating: 0, count: tree.nodes.count)
  }

  /// Appends an item as it is to be.
  ///
  /// - Parameters:
  ///   - item: the bytes of its object, which a reader of lines or pages has validated.
  ///   - output: receives the new object. What is appended before an error is of no use.
  /// - Throws: `TransformError` of code `mismatch` where a value is of a type that its rule cannot change.
  package mutating func append(
    _ item: Span<UInt8>, to output: inout [UInt8]
  ) throws(TransformError) {
    copied = 0
    mismatch = nil
    do throws(JSONError) {
      guard try walkMembers(item, 0, of: 0, &output) == item.count else {
        throw JSONError(.trailingBytes, at: 0)
      }
    } catch { throw failure(item, error) }
    copy(item, to: item.count, &output)
  }

  /// The members or elements of one object or array, as far as they have been walked.
  private struct Walked {
    var kept = 0
    /// Behind the last of them.
    var end: Int
  }

  /// Walks an object of names and typed values: an item, or what stands in an `M`.
  ///
  /// - Returns: the offset behind it.
  private mutating func walkMembers(
    _ bytes: Span<UInt8>, _ start: Int, of place: Int, _ output: inout [UInt8]
  ) throws(JSONError) -> Int {
    guard try at(bytes, start) == UInt8(ascii: "{") else {
      throw JSONError(.unexpectedByte, at: start)
    }
    maps += 1
    let map = maps
    var walked = Walked(end: start + 1)
    var i = scanner.skipWhitespace(bytes, at: start + 1)
    while try at(bytes, i) != UInt8(ascii: "}") {
      let member = i
      let nameEnd = try scanner.skipString(bytes, at: i)
      i = scanner.skipWhitespace(bytes, at: nameEnd)
      guard try at(bytes, i) == UInt8(ascii: ":") else { throw JSONError(.unexpectedByte, at: i) }
      let value = scanner.skipWhitespace(bytes, at: i + 1)
      let child = try tree.child(of: place, bytes, member + 1..<nameEnd - 1)
      if let child { seen[child] = map }
      i = try walk(bytes, member, value, at: child, &walked, &output)
    }
    for index in tree.nodes[place].names.indices {
      let name = tree.nodes[place].names[index]
      guard seen[name.node] != map, case .set(let value) = tree.nodes[name.node].operation else {
        continue
      }
      copy(bytes, to: i, &output)
      if walked.kept > 0 { output.append(UInt8(ascii: ",")) }
      output += name.quoted
      output.append(UInt8(ascii: ":"))
      output += value
      walked.kept += 1
    }
    return i + 1
  }

  /// Walks the array in an `L`.
  private mutating func walkElements(
    _ bytes: Span<UInt8>, _ start: Int, of place: Int, _ output: inout [UInt8]
  ) throws(JSONError) -> Int {
    guard try at(bytes, start) == UInt8(ascii: "[") else {
      throw JSONError(.unexpectedByte, at: start)
    }
    var walked = Walked(end: start + 1)
    var i = scanner.skipWhitespace(bytes, at: start + 1)
    var index = 0
    while try at(bytes, i) != UInt8(ascii: "]") {
      let child = tree.nodes[place].indices.first { $0.index == index }?.node
      i = try walk(bytes, i, i, at: child, &walked, &output)
      index += 1
    }
    return i + 1
  }

  /// Walks one member or element.
  ///
  /// - Parameters:
  ///   - start: where it begins.
  ///   - value: where its typed value begins.
  ///   - place: where it leads in the tree; nil where no rule is about it.
  /// - Returns: where the next one begins, or the bracket that ends them.
  @inline(__always)
  private mutating func walk(
    _ bytes: Span<UInt8>, _ start: Int, _ value: Int, at place: Int?, _ walked: inout Walked,
    _ output: inout [UInt8]
  ) throws(JSONError) -> Int {
    let isRemoved = place.map { tree.nodes[$0].operation == .remove } ?? false
    let end: Int
    if let place, !isRemoved {
      end = try change(bytes, value, at: place, &output)
    } else if let plain = try scanner.skipTypedString(bytes, at: value) {
      end = plain
    } else {
      end = try scanner.skipValue(bytes, at: value)
    }
    var next = scanner.skipWhitespace(bytes, at: end)
    if try at(bytes, next) == UInt8(ascii: ",") {
      next = scanner.skipWhitespace(bytes, at: next + 1)
    }
    if !isRemoved {
      walked.kept += 1
    } else if walked.kept > 0 {
      // With the comma before it, since there may be none behind it.
      copy(bytes, to: walked.end, &output)
      copied = end
    } else {
      copy(bytes, to: start, &output)
      copied = next
    }
    walked.end = end
    return next
  }

  /// Puts a value's successor into its place, or looks into it.
  ///
  /// - Returns: the offset behind the value.
  private mutating func change(
    _ bytes: Span<UInt8>, _ start: Int, at place: Int, _ output: inout [UInt8]
  ) throws(JSONError) -> Int {
    let operation = tree.nodes[place].operation
    if case .set(let value) = operation {
      let end = try scanner.skipValue(bytes, at: start)
      copy(bytes, to: start, &output)
      output += value
      copied = end
      return end
    }
    guard let (type, content) = try openValue(bytes, start) else {
      throw fault(place, "is no typed value", at: start)
    }
    let end: Int
    if type == .null {
      end = try scanner.skipValue(bytes, at: content)
    } else if operation == .hash {
      end = try hash(bytes, content, type, at: place, &output)
    } else {
      end = try descend(bytes, content, type, at: place, &output)
    }
    // One member only: the brace must close it.
    let brace = scanner.skipWhitespace(bytes, at: end)
    guard try at(bytes, brace) == UInt8(ascii: "}") else {
      throw fault(place, "is no typed value", at: brace)
    }
    return brace + 1
  }

  private mutating func descend(
    _ bytes: Span<UInt8>, _ start: Int, _ type: ItemType, at place: Int, _ output: inout [UInt8]
  ) throws(JSONError) -> Int {
    let (wantsMap, wantsList) = (
      !tree.nodes[place].names.isEmpty, !tree.nodes[place].indices.isEmpty
    )
    if type == .map, !wantsList { return try walkMembers(bytes, start, of: place, &output) }
    if type == .list, !wantsMap { return try walkElements(bytes, start, of: place, &output) }
    let wanted = wantsMap && type != .map ? "map" : "list"
    throw fault(place, "is \(type.words), and no \(wanted)", at: start)
  }

  /// Puts hashes in the place of a scalar, or of a set's members.
  private mutating func hash(
    _ bytes: Span<UInt8>, _ start: Int, _ type: ItemType, at place: Int, _ output: inout [UInt8]
  ) throws(JSONError) -> Int {
    guard let scalar = type.hashed else { throw fault(place, "is \(type.words)", at: start) }
    guard type.isSet else { return try hashText(bytes, start, scalar, at: place, &output) }
    guard try at(bytes, start) == UInt8(ascii: "[") else {
      throw fault(place, "is no typed value", at: start)
    }
    var i = scanner.skipWhitespace(bytes, at: start + 1)
    while try at(bytes, i) != UInt8(ascii: "]") {
      i = try hashText(bytes, i, scalar, at: place, &output)
      i = scanner.skipWhitespace(bytes, at: i)
      if try at(bytes, i) == UInt8(ascii: ",") { i = scanner.skipWhitespace(bytes, at: i + 1) }
    }
    return i + 1
  }

  private mutating func hashText(
    _ bytes: Span<UInt8>, _ start: Int, _ type: KeyType, at place: Int, _ output: inout [UInt8]
  ) throws(JSONError) -> Int {
    guard try at(bytes, start) == UInt8(ascii: "\"") else {
      throw fault(place, "is no typed value", at: start)
    }
    let end = try scanner.skipString(bytes, at: start)
    copy(bytes, to: start + 1, &output)
    let isHashed = try keyedHash?.append(bytes, start + 1..<end - 1, as: type, to: &output)
    guard isHashed == true else { throw fault(place, "is no \(type.word)", at: start) }
    copied = end - 1
    return end
  }

  /// The type of a typed value, and where its content begins; nil for what is none.
  private mutating func openValue(
    _ bytes: Span<UInt8>, _ start: Int
  ) throws(JSONError) -> (type: ItemType, content: Int)? {
    guard try at(bytes, start) == UInt8(ascii: "{") else { return nil }
    let name = scanner.skipWhitespace(bytes, at: start + 1)
    guard try at(bytes, name) == UInt8(ascii: "\"") else { return nil }
    let end = try scanner.skipString(bytes, at: name)
    let type = try ItemType(bytes, name + 1..<end - 1)
    let colon = scanner.skipWhitespace(bytes, at: end)
    guard try at(bytes, colon) == UInt8(ascii: ":") else { return nil }
    return (type, scanner.skipWhitespace(bytes, at: colon + 1))
  }

  private func at(_ bytes: Span<UInt8>, _ i: Int) throws(JSONError) -> UInt8 {
    guard i < bytes.count else { throw JSONError(.truncated, at: bytes.count) }
    return bytes[i]
  }

  /// Copies what stands between the last change and here.
  private mutating func copy(_ bytes: Span<UInt8>, to end: Int, _ output: inout [UInt8]) {
    guard copied < end else { return }
    bytes.extracting(copied..<end).withUnsafeBufferPointer { output.append(contentsOf: $0) }
    copied = end
  }

  private mutating func fault(_ place: Int, _ what: String, at offset: Int) -> JSONError {
    mismatch = Mismatch(place: place, what: what)
    return JSONError(.unexpectedByte, at: offset)
  }

  /// The error that names the item by its key, as it came.
  private func failure(_ item: Span<UInt8>, _ error: JSONError) -> TransformError {
    var scanner = ItemScanner(key: key)
    var name: [UInt8] = []
    if !key.attributes.isEmpty, (try? scanner.scan(item, at: 0)) != nil {
      KeyObject.append(item, scanner, to: &name)
    }
    let owner = name.isEmpty ? "an item" : "the item \(String(decoding: name, as: UTF8.self))"
    guard let mismatch, let rule = tree.rule(at: mismatch.place) else {
      return TransformError(
        .mismatch, "\(owner) is not DynamoDB's JSON: \(error.code.rawValue) at byte \(error.offset)"
      )
    }
    let path = tree.nodes[mismatch.place].path
    let isHash = tree.nodes[mismatch.place].operation == .hash
    return TransformError(
      .mismatch, "cannot \(rule.words): in \(owner), \(path) \(mismatch.what)",
      hint: isHash
        ? "name what is inside of it, or --set or --remove \(path)"
        : "what is to be changed may stand there in another form: --set or --remove \(path), or mend "
          + "the item")
  }
}
