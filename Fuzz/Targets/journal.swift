// Feeds journals to their reader. What it takes is the same without what was torn off, and its sums
// are those of its rows.
@testable import Archive

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let text = Array(UnsafeBufferPointer(start: start, count: count))
  guard let journal = try? Journal(parsing: text.span) else { return 0 }
  precondition(journal.length <= text.count && text[journal.length - 1] == 0x0A)
  let whole = Array(text[..<journal.length])
  guard let again = try? Journal(parsing: whole.span) else { fatalError() }
  precondition(again.segments == journal.segments)
  precondition(journal.counts.chunks == journal.rows.count)
  precondition(journal.counts.items == journal.rows.reduce(0) { $0 + $1.items })
  precondition(
    journal.counts.segmentsDone == journal.segments.values.count { $0.position == .done })
  for row in journal.rows {
    var copy = journal
    guard (try? copy.drop(row.id)) != nil else { fatalError() }
    precondition(copy.segments[row.segment]?.nextChunk == row.id.number)
  }
  _ = try? journal.source
  return 0
}
