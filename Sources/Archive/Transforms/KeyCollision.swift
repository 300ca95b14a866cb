extension TransformError {
  /// The error for items that get the key of another one.
  ///
  /// - Parameters:
  ///   - count: of such items.
  ///   - example: one of the keys, as typed JSON.
  package static func collision(_ count: Int, example: String) -> TransformError {
    TransformError(
      .collision, "\(count) item(s) would get the key of another one, for example \(example)",
      hint: "--hash the attribute in the place of --set, which keeps keys apart")
  }
}

extension KeyHashSet {
  /// The key of the first item of a block that is one of these, as typed JSON.
  package func example(in block: borrowing LineBlock, _ key: KeySchema) throws(ItemFault) -> String?
  {
    guard let line = block.lines.first(where: { contains($0.key, in: block.keyBytes) }) else {
      return nil
    }
    var scanner = ItemScanner(key: key)
    _ = try scanner.scan(block.bytes.span, at: line.item.lowerBound)
    var object: [UInt8] = []
    KeyObject.append(block.bytes.span, scanner, to: &object)
    return String(decoding: object, as: UTF8.self)
  }
}
