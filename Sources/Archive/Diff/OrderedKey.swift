/// A key as bytes whose order is the order of keys: partition attributes first, strings and binaries by
/// their bytes, numbers by their value. Equal keys, however they are spelled, are equal bytes.
///
/// Used in memory and in temporary files only.
enum OrderedKey {
  /// Appends the ordered form of a canonical key.
  ///
  /// - Parameter canonical: what `CanonicalKey` wrote.
  static func append(_ canonical: Span<UInt8>, to output: inout [UInt8]) {
    var i = 0
    while i < canonical.count {
      var length = 0
      for shift in 0..<4 { length |= Int(canonical[i + 1 + shift]) << (8 * shift) }
      append(type: canonical[i], canonical.extracting(i + 5..<i + 5 + length), to: &output)
      i += 5 + length
    }
  }

  /// Appends the ordered form of one attribute's value.
  ///
  /// - Parameters:
  ///   - text: an unescaped string, or a number as `CanonicalNumber` writes it.
  ///   - isPrefix: leave out what ends a string or a binary, so that all that begin with it do so.
  static func append(
    type: UInt8, _ text: Span<UInt8>, isPrefix: Bool = false, to output: inout [UInt8]
  ) {
    switch type {
    case UInt8(ascii: "N"): return appendNumber(text, to: &output)
    case UInt8(ascii: "B"):
      var binary: [UInt8] = []
      if Base64Text.decode(text, into: &binary) {
        output.append(0)
        appendText(binary.span, to: &output)
      } else {
        // No binary of the service; as a text of its own.
        output.append(1)
        appendText(text, to: &output)
      }
    default: appendText(text, to: &output)
    }
    // Below everything that can follow in a longer value.
    if !isPrefix { output += [0, 0] }
  }

  private static func appendText(_ text: Span<UInt8>, to output: inout [UInt8]) {
    for i in text.indices {
      output.append(text[i])
      if text[i] == 0 { output.append(0xFF) }
    }
  }

  /// `-?digits E exponent`, as `CanonicalNumber` writes it. Zero has no digits.
  ///
  /// A number is ±0.digits x 10^magnitude; below zero, all but the sign is turned around.
  private static func appendNumber(_ text: Span<UInt8>, to output: inout [UInt8]) {
    let isNegative = text[0] == UInt8(ascii: "-")
    let start = isNegative ? 1 : 0
    var i = start
    while text[i] != UInt8(ascii: "E") { i += 1 }
    guard i > start else { return output.append(1) }
    let digits = start..<i
    let isSmall = text[i + 1] == UInt8(ascii: "-")
    var exponent = 0
    for i in (isSmall ? i + 2 : i + 1)..<text.count {
      exponent = exponent * 10 + Int(text[i] - UInt8(ascii: "0"))
    }
    let magnitude = Int64(digits.count + (isSmall ? -exponent : exponent))
    let flip: UInt8 = isNegative ? 0xFF : 0
    output.append(isNegative ? 0 : 2)
    // Biased, so that the order of the bytes is that of the numbers.
    let biased = UInt64(bitPattern: magnitude) ^ UInt64(1) << 63
    for shift in (0..<8).reversed() {
      output.append(UInt8(truncatingIfNeeded: biased >> UInt64(8 * shift)) ^ flip)
    }
    for i in digits { output.append(text[i] ^ flip) }
    output.append(flip)
  }
}
