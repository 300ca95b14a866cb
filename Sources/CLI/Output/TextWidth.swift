/// How many columns of a terminal text takes.
enum TextWidth {
  /// The columns of a text without control characters.
  static func of(_ text: String) -> Int {
    // The usual case needs no look at Unicode's properties.
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
    return text.reduce(0) { $0 + of($1) }
  }

  /// A character takes two columns at most, of however many scalars it is made.
  private static func of(_ character: Character) -> Int {
    min(character.unicodeScalars.reduce(0) { $0 + of($1) }, 2)
  }

  private static func of(_ scalar: Unicode.Scalar) -> Int {
    guard scalar.value >= 0x300 else { return scalar == "\u{AD}" ? 0 : 1 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    return wide.contains { $0.contains(scalar.value) } || scalar.properties.isEmojiPresentation
      ? 2 : 1
  }

  /// Blocks of wide and fullwidth characters (Unicode Standard Annex 11, EastAsianWidth.txt, classes
  /// W and F), emoji left out, which have a property of their own.
  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
    0xA000...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19,
    0xFE30...0xFE6B, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x18CFF, 0x1AFF0...0x1B2FF,
    0x1F200...0x1F265, 0x20000...0x3FFFD,
  ]

  /// A text in at most so many columns; an ellipsis stands for what is cut off.
  static func cut(_ text: String, to width: Int) -> String {
    guard text.utf8.count > width, of(text) > width else { return text }
    guard width > 0 else { return "" }
    var (cut, left) = ("", width - 1)
    for character in text {
      left -= of(character)
      guard left >= 0 else { break }
      cut.append(character)
    }
    return cut + "…"
  }
}
