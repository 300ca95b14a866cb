import Synchronization

/// Buffers of response bodies that have been read and can be used again.
///
/// A page of a scan is a MB. Memory that is fresh for each costs a fault every 4 KB of it.
final class BodyPool: Sendable {
  /// Buffers smaller than this are cheap to get, and are let go.
  private static let smallest = 256 << 10

  private let limit: Int
  private let buffers = Mutex<[[UInt8]]>([])

  /// - Parameter limit: buffers kept at most.
  init(limit: Int) { self.limit = limit }

  /// An empty buffer, with memory where there is some.
  func take(_ size: Int) -> [UInt8] {
    guard size >= BodyPool.smallest, var buffer = buffers.withLock({ $0.popLast() }) else {
      return []
    }
    // Of a buffer that somebody else still holds this makes a new one.
    buffer.removeAll(keepingCapacity: true)
    return buffer
  }

  func give(_ buffer: [UInt8]) {
    guard buffer.capacity >= BodyPool.smallest else { return }
    buffers.withLock { if $0.count < limit { $0.append(buffer) } }
  }
}
