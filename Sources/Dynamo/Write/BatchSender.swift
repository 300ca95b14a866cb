import AWS
import Archive
import Synchronization

/// Sends batches until each operation is done: what was not processed goes again after a backoff,
/// and an item that the service rejects for good is isolated by bisection and set aside.
struct BatchSender: Sendable {
  /// What became of the operations sent so far.
  struct Tally: Sendable, Equatable {
    var written = 0
    /// Operations of a batch that begins to be sent; once each.
    var begun = 0
    /// Of those written, the deletes.
    var deleted = 0
    /// Of those written, the ones that were as they should be before.
    var unchanged = 0
    var rejected = 0
    /// Of those rejected, the ones that were not as the changes have them before.
    var conflicts = 0
    var requests = 0
    var consumedUnits = 0.0
    var consumedReadUnits = 0.0
    var wireBytes = 0
  }

  let gate: RequestGate
  let meter: WriteMeter
  let builder: BatchBuilder
  let key: KeySchema
  /// Receives the item or key object of an operation that was rejected, and why.
  let reject: @Sendable (WriteKind, Span<UInt8>, ServiceError) throws -> Void
  /// Receives what was done since the last call.
  let progress: @Sendable (Tally) throws -> Void

  /// Sends one batch to its end.
  ///
  /// - Returns: how many of its operations were rejected.
  func send(_ batch: WriteBatch) async throws -> Int {
    var stack = [batch]
    var rejected = 0
    try progress(Tally(begun: batch.entries.count))
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
        let answer = try await write(pending)
        let done = pending.entries.count - answer.unprocessed.count
        try progress(
          Tally(
            written: done, deleted: pending.deletes(without: answer.unprocessed), requests: 1,
            consumedUnits: answer.consumedUnits ?? 0,
            wireBytes: pending.body.count))
        if done > 0 {
          gate.pace.progressed()
          attempt = 0
        }
        if answer.unprocessed.isEmpty { return .done }
        if done > 0 { pending = pending.subset(answer.unprocessed, builder: builder) }
        var retries = RetrySums()
        retries.unprocessedItems = answer.unprocessed.count
        gate.note(RequestNotes(retries: retries))
        try await gate.pace.wait(
          attempt: attempt, cause: .unprocessed, because: "every item came back unprocessed")
      } catch let error as ServiceError {
        try progress(Tally(requests: 1))
        if error.concernsItems {
          guard pending.entries.count > 1 else {
            let entry = pending.entries[0]
            try reject(entry.kind, pending.body.span.extracting(entry.object), error)
            try progress(Tally(rejected: 1))
            return .rejected
          }
          let middle = pending.entries.count / 2
          return .halved([
            pending.subset(middle..<pending.entries.count, builder: builder),
            pending.subset(0..<middle, builder: builder),
          ])
        }
        try await gate.retry(after: error, attempt: attempt)
      } catch let error as DynamoError where error.code == .badAnswer {
        // Puts and deletes may be sent twice without harm; whoever answered thus may do better.
        try await gate.retry(afterBadAnswer: error.message, attempt: attempt)
      }
      attempt += 1
    }
  }

  /// Sends a batch once.
  private func write(_ batch: WriteBatch) async throws -> BatchAnswer {
    let answer = try await gate.call(
      "BatchWriteItem", estimate: { meter.estimate(batch) }, body: { batch.body }
    ) { response in
      let answer = try BatchAnswer(response.body.span, batch: batch, key: key)
      return .init(
        content: answer, units: answer.consumedUnits, isThrottled: !answer.unprocessed.isEmpty)
    }
    if answer.content.unprocessed.isEmpty { meter.learn(batch, consumed: answer.units) }
    return answer.content
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
}
