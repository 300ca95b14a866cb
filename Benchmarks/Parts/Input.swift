import Archive
import Glibc
import JSON

/// Pages of a data set, as the page server sends them.
struct Input {
  let name: String
  let key: KeySchema
  let pages: [[UInt8]]
  let items: Int
  var bytes: Int { pages.reduce(0) { $0 + $1.count } }

  /// Reads the pages of a data set, 64 at most.
  init(directory: String) throws {
    let facts = try JSONValue.parse(
      String(decoding: file("\(directory)/dataset.json"), as: UTF8.self))
    let rows = (facts["pages"]?.array ?? []).prefix(64)
    name = facts["name"]?.string ?? "?"
    key = KeySchema(
      (facts["key"]?.array ?? []).enumerated().map { index, attribute in
        let parts = attribute.array ?? []
        return KeyAttribute(
          name: parts[0].string ?? "", type: KeyType(rawValue: parts[1].string ?? "") ?? .string,
          role: index == 0 ? .hash : .range)
      })
    pages = rows.indices.map { index in
      let number = String(index)
      let digits = String(repeating: "0", count: 5 - number.count) + number
      return file("\(directory)/pages/\(digits).json")
    }
    var cutter = PageCutter()
    var items = 0
    for page in pages {
      try cutter.cut(page.span)
      items += cutter.items.count
    }
    self.items = items
  }
}

private func file(_ path: String) -> [UInt8] {
  guard let stream = fopen(path, "rb") else { fatalError("cannot open \(path)") }
  defer { fclose(stream) }
  fseek(stream, 0, SEEK_END)
  let size = ftell(stream)
  rewind(stream)
  return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
    count = fread(buffer.baseAddress, 1, size, stream)
  }
}
