import Archive
import JSON

/// The page of `diff --html`: one file that asks for nothing beside itself.
///
/// Changes stream into it as they come: JSON lines (`DiffJSON`) in `script` elements of a type that no
/// browser runs. What is known at the end only, the summary, stands behind them, and then the script
/// that shows both. Data reaches the page in these elements alone, and the one byte that could end such an
/// element, `<`, never stands in them: JSON has it inside of strings only, where it is written as
/// `\u003c`. The script writes text nodes, never markup; a content security policy with a nonce forbids
/// requests and every other script.
///
/// The file has another name until it is complete.
struct DiffPage: ~Copyable {
  /// What a page holds where nobody set a limit, so that browsers can open it.
  static let standardLimit = 100_000
  /// Bytes of changes behind which no more are added.
  private static let byteLimit = 256 << 20
  /// Bytes of an element; the script reads them one by one.
  private static let blockBytes = 1 << 20

  private let file: any StorageWriter
  private let path: String
  private let nonce: String
  private var rows: DiffReport
  private var output: [UInt8] = []
  /// Bytes in the element that is open; 0 where none is.
  private var blockBytes = 0
  private var bytes = 0
  private var shown = 0

  /// Claims the path.
  ///
  /// - Throws: `ArchiveError`; code `exists` where something stands there.
  init(path: String, keysOnly: Bool, limit: Int?, filter: AttributeFilter) throws(ArchiveError) {
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    let leaf = slash.map { String(path[path.utf8.index(after: $0)...]) } ?? path
    let directory = slash.map { String(path[...$0]) } ?? "."
    guard !FileSystem.exists(path) else {
      throw ArchiveError(
        .exists, "\(path) exists already, and is not overwritten",
        hint: "choose another name, or remove it first")
    }
    do throws(ArchiveError) {
      file = try LocalStorage(directory: directory).create(leaf)
    } catch {
      guard error.code == .exists else { throw error }
      throw ArchiveError(
        .exists, "\(directory == "." ? "" : directory).\(leaf).tmp stands where \(path) is written",
        hint: "another dynarc is writing there; or one was killed, then remove it")
    }
    self.path = path
    var random = SystemRandomNumberGenerator()
    nonce = (0..<2).map { _ in String(random.next() as UInt64, radix: 36) }.joined()
    rows = DiffReport(
      style: .json, keysOnly: keysOnly, limit: limit ?? DiffPage.standardLimit, filter: filter)
    output += PageTemplate.head(nonce: nonce).utf8
  }

  /// Adds a batch.
  mutating func add(_ batch: borrowing ChangeBatch) throws {
    guard bytes < DiffPage.byteLimit else { return }
    var lines: [UInt8] = []
    try rows.show(batch) { lines += $0 }
    for line in lines.split(separator: 0x0A) {
      if blockBytes == 0 { output += "<script type=\"application/json\" class=\"changes\">\n".utf8 }
      let start = output.count
      DiffPage.escape(line, to: &output)
      output.append(0x0A)
      blockBytes += output.count - start
      shown += 1
      if blockBytes >= DiffPage.blockBytes { try endBlock() }
    }
  }

  private mutating func endBlock() throws(ArchiveError) {
    guard blockBytes > 0 else { return }
    output += "</script>\n".utf8
    bytes += blockBytes
    blockBytes = 0
    try flush()
  }

  private mutating func flush() throws(ArchiveError) {
    do throws(ArchiveError) { try file.write(output.span.bytes) } catch { throw named(error) }
    output.removeAll(keepingCapacity: true)
  }

  private func named(_ error: ArchiveError) -> ArchiveError {
    var error = error
    error.file = path
    return error
  }

  /// Writes the rest, and gives the file its name.
  ///
  /// - Parameter sides: where the items came from.
  /// - Returns: changes that the page does not hold.
  mutating func finish(
    _ summary: DiffSummary, _ statistics: DiffStatistics, sides: [ItemOrigin],
    filter: AttributeFilter, keysOnly: Bool
  ) throws(ArchiveError) -> Int {
    try endBlock()
    let total = summary.added + summary.removed + summary.changed
    let facts: JSONValue = [
      "sides": .array(sides.map { .object($0.side.json) }),
      "stat": DiffStatReport(summary, statistics).json,
      "shown": JSONValue(shown), "total": JSONValue(total), "keysOnly": .bool(keysOnly),
      "ignored": .array(filter.ignored.map { .string($0.description) }),
      "only": .array(filter.only.map { .string($0.description) }),
      "version": .string(Version.number),
    ]
    output += "<script type=\"application/json\" id=\"summary\">\n".utf8
    DiffPage.escape(facts.serialized()[...], to: &output)
    output += "\n</script>\n".utf8
    output += PageTemplate.tail(nonce: nonce).utf8
    try flush()
    do throws(ArchiveError) { try file.commit() } catch { throw named(error) }
    return total - shown
  }

  /// Appends JSON without the sign that begins and ends elements.
  private static func escape(_ json: ArraySlice<UInt8>, to output: inout [UInt8]) {
    for byte in json {
      if byte == UInt8(ascii: "<") { output += "\\u003c".utf8 } else { output.append(byte) }
    }
  }
}
