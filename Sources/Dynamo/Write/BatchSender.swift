import AWS
import Archive
import Synchronization

/// Sends batches until each operation is done: what was not processed goes again after a backoff,
/// and an item that the service rejects for good is isolated by bisection and set aside.
struct BatchSender: Sendable {
  /// What became of the operations sent so far.
  struct Tally: Sendable, Equatable {
    var written = 0
    var rejected = 0
    /// Operations that came back unprocessed, each time counted.
    var unprocessed = 0
    var requests = 0
    /// Retries inside calls.
    var retries = 0
    var consumedUnits = 0.0
    var wireBytes = 0
  }

  let client: DynamoClient
  let builder: BatchBuilder
  let key: KeySchema
  let pace: JobPace
  /// Receives the item or key object of an operation that was rejected, and why.
  let reject: @Sendable (Span<UInt8>, ServiceError) throws -> Void
  /// Receives what was done since the last call.
  let progress: @Sendable (Tally) throws -> Void

  /// Sends one batch to its end.
  ///
  /// - Returns: how many of its operations were rejected.
  func send(_ batch: WriteBatch) async throws -> Int {
    var stack = [batch]
    var rejected = 0
    while let next = stack.popLast() {
      switch try await process(next) {
      case .done: break
      case .rejected: rejected += 1
      case .halved(let halves): stack.append(contentsOf: halves)
      }
    }
    return rejected
  }

  /// How the sending of a batch ended.
  private enum Outcome {
    case done
    /// It was one operation, and is set aside.
    case rejected
    /// The service rejected something in it: these are to be sent instead.
    case halved([WriteBatch])
  }

  /// Sends until all is processed or something is rejected.
  private func process(_ batch: WriteBatch) async throws -> Outcome {
    var pending = batch
    var attempt = 0
    while true {
      try Task.checkCancellation()
      do {
        let response = try await client.call("BatchWriteItem", pending.body)
        let answer = try BatchAnswer(response.body.span, batch: pending, key: key)
        let done = pending.entries.count - answer.unprocessed.count
        try progress(
          Tally(
            written: done, unprocessed: answer.unprocessed.count, requests: 1,
            retries: response.attempts - 1, consumedUnits: answer.consumedUnits,
            wireBytes: pending.body.count))
        if done > 0 {
          pace.progressed()
          attempt = 0
        }
        if answer.unprocessed.isEmpty { return .done }
        if done > 0 { pending = pending.subset(answer.unprocessed, builder: builder) }
        try await pace.wait(
          attempt: attempt, cause: .unprocessed, because: "every item came back unprocessed")
      } catch let error as ServiceError {
        try progress(Tally(requests: 1, retries: error.attempts - 1))
        if error.concernsItems {
          guard pending.entries.count > 1 else {
            try reject(pending.body.span.extracting(pending.entries[0].object), error)
            try progress(Tally(rejected: 1))
            return .rejected
          }
          let middle = pending.entries.count / 2
          return .halved([
            pending.subset(middle..<pending.entries.count, builder: builder),
            pending.subset(0..<middle, builder: builder),
          ])
        }
        guard let cause = error.waitCause else { throw error }
        try await pace.wait(attempt: attempt, cause: cause, because: "\(error)")
      } catch let error as DynamoError where error.code == .badAnswer {
        // Puts and deletes may be sent twice without harm; whoever answered thus may do better.
        try await pace.wait(attempt: attempt, cause: .transient, because: error.message)
      }
      attempt += 1
    }
  }
}

extension ServiceError {
  /// Whether the service rejected what is in the request, rather than the request: then smaller
  /// requests tell which items it was. One bad item rejects a whole batch (API reference,
  /// BatchWriteItem).
  var concernsItems: Bool {
    switch code {
    case "ValidationException", "SerializationException",
      "ItemCollectionSizeLimitExceededException",
      "RequestEntityTooLarge", "RequestTooLargeException":
      true
    default: status == 413
    }
  }

  /// How a job waits before it tries again what a call gave up; nil where trying again is no use.
  var waitCause: JobPace.Cause? {
    switch kind {
    case .throttling: .throttled
    case .transient: .transient
    case .transport:
      if case .transport(let error) = cause, error.isRetryable { .transient } else { nil }
    default: nil
    }
  }
}
