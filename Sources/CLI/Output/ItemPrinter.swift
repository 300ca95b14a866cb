import Archive

/// Items, one a line, on stdout.
struct ItemPrinter {
  /// Plain JSON; otherwise as DynamoDB has it.
  let plain: Bool
  private var output: [UInt8] = []

  init(plain: Bool) { self.plain = plain }

  /// - Parameter object: an item's bytes, or a whole line's, which is not for plain JSON.
  mutating func add(_ bytes: Span<UInt8>, _ object: Range<Int>) throws(ArchiveError) {
    if plain {
      try PlainJSON.append(bytes, object, to: &output)
    } else {
      bytes.extracting(object).withUnsafeBufferPointer { output.append(contentsOf: $0) }
    }
    output.append(0x0A)
  }

  /// Prints what has been added.
  mutating func print() throws(ArchiveError) {
    try Terminal.output(lines: output.span)
    output.removeAll(keepingCapacity: true)
  }
}
