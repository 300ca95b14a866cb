import Dispatch

/// Runs work that blocks on the disk (fsync, rename) away from the cooperative pool, whose few
/// threads carry every other task.
func offPool<Result: Sendable>(
  _ work: @escaping @Sendable () throws -> Result
) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue.global().async { continuation.resume(with: Swift.Result { try work() }) }
  }
}
