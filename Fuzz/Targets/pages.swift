// Feeds pages to the cutter. What it takes, the other readers of JSON must understand in the same way.
@testable import Archive
import JSON

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let page = Array(UnsafeBufferPointer(start: start, count: count))
  var cutter = PageCutter()
  guard (try? cutter.cut(page.span)) != nil else { return 0 }
  do throws(JSONError) {
    let value = try JSONValue.parse(page.span)
    precondition(value["Items"]?.array?.count == cutter.items.count)
    precondition((value["LastEvaluatedKey"] ?? .null) == .null || cutter.lastEvaluatedKey != nil)
  } catch {
    // The cutter takes the service's word for the names in an item.
    precondition(error.code == .duplicateName)
  }
  var line: [UInt8] = []
  var scanner = ItemScanner(key: KeySchema([]))
  for item in cutter.items {
    line.removeAll()
    JSONText.compact(page.span.extracting(item.range), into: &line)
    precondition(item.hasLineBreak || line.count <= item.range.count)
    do throws(ItemFault) {
      let end = try scanner.scan(line.span, at: 0)
      precondition(end == line.count)
      precondition(!scanner.sawLineBreak)
    } catch {
      guard case .json(let fault) = error, fault.code == .duplicateName else { fatalError() }
    }
  }
  return 0
}
