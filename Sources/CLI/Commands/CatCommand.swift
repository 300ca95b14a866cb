import ArgumentParser
import Archive

struct CatCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cat",
    abstract: "Print an archive's items, one a line.",
    discussion: """
      Typed JSON as DynamoDB has it, or plain JSON with numbers as they were spelled. Of an archive of \
      changes, its lines: {"Item":…} puts, {"Keys":…} deletes.
      """)

  @Argument(help: "Directory of the archive.", completion: .directory)
  var archive: String

  @Option(help: ArgumentHelp("Stop after so many items.", valueName: "n"))
  var limit: Int?

  @Flag(help: "Plain JSON: no types; binaries in base64, sets as lists.")
  var plain = false

  func validate() throws {
    if let limit, limit < 0 { throw ValidationError("--limit takes 0 or more") }
  }

  func run() async throws {
    let opened = try Archive.open(LocalStorage(directory: archive))
    let isChanges = opened.manifest.changes != nil
    if plain, isChanges {
      throw ValidationError("\(archive) holds changes, which have no plain form; leave --plain out")
    }
    var left = limit ?? Int.max
    var printer = ItemPrinter(plain: plain)
    for row in opened.manifest.chunks {
      guard left > 0 else { break }
      var reader = try opened.chunk(row)
      while left > 0, try reader.next() {
        try Task.checkCancellation()
        for line in reader.block.lines.prefix(left) {
          try printer.add(reader.block.bytes.span, isChanges ? line.line : line.item)
        }
        left -= min(left, reader.block.lines.count)
        try printer.print()
      }
    }
  }
}
