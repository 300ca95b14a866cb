import Dynamo
import Synchronization

/// Tells the first conflicts as they come; all are in the file of what was not written.
final class ConflictList: Sendable {
  private static let told = 20
  private let count = Mutex(0)

  func add(_ conflict: ItemConflict) {
    let number = count.withLock { count in
      count += 1
      return count
    }
    guard number <= ConflictList.told else { return }
    let key = (try? DiffListing.key(conflict.key[...])) ?? ""
    Terminal.say("conflict: \(key): \(conflict.message)")
  }

  /// Says how many were not told.
  func tellRest() {
    let more = count.withLock { $0 } - ConflictList.told
    if more > 0 { Terminal.say("\(Format.count(more)) more conflicts are not shown") }
  }
}
