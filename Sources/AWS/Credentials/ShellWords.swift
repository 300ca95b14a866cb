/// A command line cut into words as a POSIX shell does (Shell Command Language, "Quoting"), without
/// expanding anything.
enum ShellWords {
  /// The words; nil where a quotation or a backslash has no end.
  static func split(_ line: String) -> [String]? {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var rest = line[...]
    while let character = rest.popFirst() {
      switch (quote, character) {
      case ("'", "'"), ("\"", "\""): quote = nil
      case ("\"", "\\"):
        guard let next = rest.popFirst() else { return nil }
        word = (word ?? "") + (next == "\"" || next == "\\" ? "\(next)" : "\\\(next)")
      case (_?, _): word = (word ?? "") + "\(character)"
      case (nil, "'"), (nil, "\""):
        quote = character
        word = word ?? ""
      case (nil, "\\"):
        guard let next = rest.popFirst() else { return nil }
        word = (word ?? "") + "\(next)"
      case (nil, _) where character.isWhitespace:
        if let done = word { words.append(done) }
        word = nil
      case (nil, _): word = (word ?? "") + "\(character)"
      }
    }
    guard quote == nil else { return nil }
    if let word { words.append(word) }
    return words
  }
}
