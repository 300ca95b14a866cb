// Feeds manifests, and indexes of folders, to their readers. What they take comes back from what the writer makes
// of it.
@testable import Archive

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let text = Array(UnsafeBufferPointer(start: start, count: count))
  _ = try? Sums(parsing: text.span)
  if let index = try? FolderIndex(parsing: text.span) {
    guard let again = try? FolderIndex(parsing: index.serialized.span) else { fatalError() }
    precondition(again == index)
  }
  guard let manifest = try? Manifest(parsing: text.span) else { return 0 }
  guard let again = try? Manifest(parsing: manifest.serialized.span) else { fatalError() }
  precondition(again == manifest)
  return 0
}
