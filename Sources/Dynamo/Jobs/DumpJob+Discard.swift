import AWS
import Archive

extension DumpJob {
  /// Whether there is nothing to go on with behind an error: an item is not as the rules expect, or the
  /// service refused, and will again, before there was anything.
  func isUseless(_ archive: ArchiveWriter, _ error: any Error) -> Bool {
    if error is TransformError { return true }
    guard let error = error as? ServiceError else { return false }
    return (error.kind == .final || error.kind == .credentials) && archive.counts == DumpCounts()
  }
}
