import AWS
import Archive
import JSON

/// Reads whole items by their keys, consistently, many a call.
struct ItemFetcher: Sendable {
  let gate: RequestGate
  let table: String
  let key: KeySchema
  let meter: KeyReadMeter
  /// Receives the read capacity units of each answer.
  let consumed: @Sendable (Double) -> Void

  /// What is known of some keys.
  struct Answer: Sendable {
    var batch: KeyBatch
    /// The answer that the items stand in.
    var bytes: [UInt8]
    var content: BatchGetAnswer
  }

  /// An empty batch, for as many keys as are to go into one call.
  var batch: KeyBatch { KeyBatch(limit: meter.maximumKeys) }

  /// Reads until of each key it is known whether there is an item.
  ///
  /// - Parameter take: receives each answer; together they tell of every key once.
  /// - Throws: `ServiceError`, `DynamoError` of code `stuck`, `CancellationError`, what `take` throws.
  func fetch(_ batch: KeyBatch, _ take: (Answer) async throws -> Void) async throws {
    var pending = batch
    var attempt = 0
    while true {
      try Task.checkCancellation()
      guard let answer = try await read(pending, attempt: attempt) else {
        attempt += 1
        continue
      }
      try await take(answer)
      let left = answer.content.unprocessed
      if left.isEmpty { return }
      if left.count < pending.count {
        attempt = 0
        pending = pending.subset(left)
      }
      var retries = RetrySums()
      retries.unprocessedItems = left.count
      gate.note(RequestNotes(retries: retries))
      try await gate.pace.wait(
        attempt: attempt, cause: .unprocessed, because: "every key came back unprocessed")
      attempt += 1
    }
  }

  /// Asks once.
  ///
  /// - Returns: nil where it is worth while to ask again, now that the backoff is over.
  private func read(_ batch: KeyBatch, attempt: Int) async throws -> Answer? {
    do {
      let answer = try await gate.call(
        "BatchGetItem", estimate: { meter.estimate(batch.count) },
        body: {
          var quoted: [UInt8] = []
          JSONText.quote(table.utf8, into: &quoted)
          return batch.request(quotedTable: quoted)
        }
      ) { response in
        let content = try BatchGetAnswer(
          response.body.span, batch: batch, table: table, key: key)
        return .init(
          content: Answer(batch: batch, bytes: response.body, content: content),
          units: content.consumedUnits, isThrottled: !content.unprocessed.isEmpty)
      }
      let done = batch.count - answer.content.content.unprocessed.count
      if done > 0 { gate.pace.progressed() }
      if let units = answer.units {
        consumed(units)
        meter.learn(keys: done, consumed: units)
      }
      return answer.content
    } catch let error as ServiceError {
      try await gate.retry(after: error, attempt: attempt)
    } catch let error as DynamoError {
      guard error.code == .badAnswer else { throw error }
      try await gate.retry(afterBadAnswer: error.message, attempt: attempt)
    }
    return nil
  }
}
