import Archive
import Digest

/// What looks at every byte: checksum and digest, the page cutter, the item scanner with its keys.
func measureScanning(_ input: Input) throws {
  report("CRC-32 of a page", input.name, bytes: input.bytes) {
    for page in input.pages { use(CRC32.checksum(page.span.bytes)) }
  }
  report("SHA-256, 64 KiB at a time", input.name, bytes: input.bytes) {
    var hash = SHA256()
    for page in input.pages {
      for start in stride(from: 0, to: page.count, by: 64 << 10) {
        hash.update(page.span.extracting(start..<min(start + 64 << 10, page.count)).bytes)
      }
    }
    use(hash.finish())
  }
  var cutter = PageCutter()
  try report("cut and validate a page", input.name, bytes: input.bytes) {
    for page in input.pages { try cutter.cut(page.span) }
  }

  let items = try input.pages.map { page in
    try cutter.cut(page.span)
    return cutter.items.map(\.range)
  }
  var scanner = ItemScanner(key: input.key)
  try report("validate an item and find its key", input.name, bytes: input.bytes) {
    for (page, ranges) in zip(input.pages, items) {
      for range in ranges { use(try scanner.scan(page.span, at: range.lowerBound)) }
    }
  }
  let page = input.pages[0]
  var keys: [UInt8] = []
  let repetitions = 100
  try report(
    "canonical key", input.name, calls: items[0].count * repetitions
  ) {
    for range in items[0] {
      _ = try scanner.scan(page.span, at: range.lowerBound)
      keys.removeAll(keepingCapacity: true)
      for _ in 0..<repetitions { try CanonicalKey.append(page.span, scanner, to: &keys) }
    }
  }
}
