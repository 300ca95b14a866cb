/// Command lines that people can paste.
enum ShellCommand {
  /// Words as a POSIX shell takes them.
  static func line(_ words: [String]) -> String { words.map(quoted).joined(separator: " ") }

  /// This command once more, for when it has ended half-way: what was there before is kept already.
  ///
  /// - Parameter more: options that it needs now.
  static func againWithoutBackup(_ more: [String] = []) -> String {
    var words = ["dynarc"]
    var rest = CommandLine.arguments.dropFirst()
    while let word = rest.popFirst() {
      if word == "--backup" {
        _ = rest.popFirst()
      } else if word != "--yes", !word.hasPrefix("--backup=") {
        words.append(word)
      }
    }
    return line(words + more + ["--backup", "none", "--yes"])
  }

  private static func quoted(_ word: String) -> String {
    let isPlain =
      !word.isEmpty
      && word.utf8.allSatisfy {
        switch $0 {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"):
          true
        default: "-_./:@%+=,".utf8.contains($0)
        }
      }
    if isPlain { return word }
    return "'"
      + word.split(separator: "'", omittingEmptySubsequences: false)
      .joined(separator: "'\\''") + "'"
  }
}
