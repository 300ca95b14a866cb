import Synchronization

/// What a job has begun and told of, for whoever must say what becomes of it when the job ends early.
final class Begun<Value: Sendable>: Sendable {
  private let content = Mutex<Value?>(nil)

  /// What has been begun; nil before.
  var value: Value? { content.withLock { $0 } }

  func set(_ value: Value) { content.withLock { $0 = value } }
}
