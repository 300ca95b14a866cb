import Archive
import JSON

/// Items as a table for people:
///
///     customer  number  status  total
///     a         1       open    19.90
///     b         2       closed  5      +1
///
/// The columns are the keys and what else the first items have, in the order in which it appears, up to a
/// hundred. An item with more than that ends in the number of its other attributes. Strings stand bare.
struct ItemTable {
  /// Items that are looked at before the columns are laid out, and bytes of their cells at most.
  private static let sampleItems = 50
  private static let sampleBytes = 1 << 20
  /// Columns at most: an item may have a hundred thousand attributes.
  private static let mostColumns = 100
  /// Width that a cell is padded to at most where nothing is cut.
  private static let widest = 64
  /// Room for a cell at least, and between two of them.
  private static let narrowest = 6
  private static let gap = 2
  /// Room for the gap and `+12345` behind the cells.
  private static let restWidth = 8

  private struct Column {
    /// UTF-8: names are compared by their bytes.
    var name: [UInt8]
    var width: Int
  }

  private struct Row {
    /// Names in the item's order.
    var names: [[UInt8]] = []
    var cells: [[UInt8]: String] = [:]
  }

  private let keys: [[UInt8]]
  /// Columns of the terminal; nil where nothing is cut.
  private let width: Int?
  private var columns: [Column] = []
  private var sample: [Row]? = []
  private var sampled = 0
  private var lines: [UInt8] = []
  /// Items with attributes that have no column.
  private var itemsWithMore = 0

  /// - Parameters:
  ///   - keys: names of the key attributes, which come first.
  ///   - width: columns of the terminal; nil cuts nothing.
  init(keys: [String], width: Int?) {
    var unique: [[UInt8]] = []
    for name in keys.map({ Array($0.utf8) }) where !unique.contains(name) { unique.append(name) }
    self.keys = unique
    self.width = width
  }

  /// - Parameter item: the bytes of its object.
  mutating func add(_ bytes: Span<UInt8>, _ item: Range<Int>) throws {
    let found = try row(bytes, item)
    guard sample != nil else { return append(found) }
    sample?.append(found)
    sampled += found.cells.values.reduce(0) { $0 + $1.utf8.count }
    if sample?.count == ItemTable.sampleItems || sampled > ItemTable.sampleBytes { layOut() }
  }

  /// Prints the rows that are ready.
  mutating func print() throws(ArchiveError) {
    try Terminal.output(lines.span)
    lines.removeAll(keepingCapacity: true)
  }

  /// Prints the rest.
  mutating func finish() throws(ArchiveError) {
    layOut()
    try print()
  }

  /// What the table does not show.
  var note: String? {
    guard itemsWithMore > 0 else { return nil }
    return "\(Format.count(itemsWithMore)) item\(itemsWithMore == 1 ? " has" : "s have") more "
      + "attributes than the table has columns (+N); see them without --table"
  }

  private func row(_ bytes: Span<UInt8>, _ item: Range<Int>) throws -> Row {
    var row = Row()
    var scanner = JSONScanner()
    var values: [(name: [UInt8], range: Range<Int>)] = []
    try JSONWalk.object(bytes, at: item.lowerBound, &scanner) { name, start, end, _ in
      values.append((Array(name.utf8), start..<end))
    }
    for (name, range) in values {
      row.names.append(name)
      row.cells[name] = try ItemTable.cell(bytes.extracting(range))
    }
    return row
  }

  /// A value in one line that a terminal does not obey.
  private static func cell(_ value: Span<UInt8>) throws -> String {
    var plain: [UInt8] = []
    try PlainJSON.append(value: value, to: &plain)
    var text = String(decoding: plain, as: UTF8.self)
    if plain.first == UInt8(ascii: "\""), let string = try JSONValue.parse(plain.span).string,
      !string.isEmpty
    {
      text = string
    }
    return line(text)
  }

  private static func line(_ text: String) -> String {
    Terminal.printable(text).replacing("\n", with: "\\n")
  }

  /// Chooses the columns, and makes lines of the items that have been kept for that.
  private mutating func layOut() {
    guard let rows = sample, !rows.isEmpty else { return }
    sample = nil
    var names = keys
    var known = Set(keys)
    for name in rows.lazy.map(\.names).joined() where known.insert(name).inserted {
      names.append(name)
    }
    let titles = names.prefix(ItemTable.mostColumns).map {
      ItemTable.line(String(decoding: $0, as: UTF8.self))
    }
    columns = zip(names, titles).map { name, title in
      let cells = [title] + rows.compactMap { $0.cells[name] }
      return Column(name: name, width: cells.map(TextWidth.of).max() ?? 0)
    }
    fit()
    append(cells: Array(titles.prefix(columns.count)), rest: 0)
    for row in rows { append(row) }
  }

  /// Makes the columns fit: the widest become narrower, and what has no room even so is left to `+N`.
  private mutating func fit() {
    guard let width else {
      for index in columns.indices {
        columns[index].width = min(columns[index].width, ItemTable.widest)
      }
      return
    }
    let room = max(width - ItemTable.restWidth, ItemTable.narrowest + ItemTable.gap)
    let most = max((room + ItemTable.gap) / (ItemTable.narrowest + ItemTable.gap), 1)
    columns = Array(columns.prefix(most))
    let cells = room - ItemTable.gap * (columns.count - 1)
    var bound = columns.map(\.width).max() ?? 0
    while columns.reduce(0, { $0 + min($1.width, bound) }) > cells, bound > ItemTable.narrowest {
      bound -= 1
    }
    for index in columns.indices { columns[index].width = min(columns[index].width, bound) }
  }

  private mutating func append(_ row: Row) {
    let found = columns.map { row.cells[$0.name] }
    let rest = row.names.count - found.count { $0 != nil }
    if rest > 0 { itemsWithMore += 1 }
    append(cells: found.map { $0 ?? "" }, rest: rest)
  }

  private mutating func append(cells: [String], rest: Int) {
    var line = ""
    for (column, cell) in zip(columns, cells) {
      let shown = width == nil ? cell : TextWidth.cut(cell, to: column.width)
      let padding = max(column.width - TextWidth.of(shown), 0) + ItemTable.gap
      line += shown + String(repeating: " ", count: padding)
    }
    if rest > 0 { line += "+\(rest)" }
    while line.last == " " { line.removeLast() }
    lines += "\(line)\n".utf8
  }
}
