import AWS
import Archive
import JSON

/// An item that is not as the changes have it before, so that it was left alone.
public struct ItemConflict: Sendable, Equatable {
  /// The item's key, typed JSON.
  public var key: [UInt8]
  /// What differs, in words.
  public var message: String
}

/// How `apply --guard` writes: each item by itself. It is read, held against what the changes say it was,
/// and written on the condition that it is still what was read (`GuardedWrite`). An item that is as the
/// changes want it counts as done.
struct GuardedSender: Sendable {
  /// Receives an item or key object that was not written, and why.
  typealias Conflict = @Sendable (WriteKind, Span<UInt8>, ItemConflict) throws -> Void

  /// The gate of reads, with a budget of its own, and that of writes.
  let reads: RequestGate
  let writes: RequestGate
  let meter: WriteMeter
  let builder: BatchBuilder
  let table: String
  let key: KeySchema
  /// Reads and compares, and writes nothing.
  let isDry: Bool
  let reject: TableWriter.Reject
  let conflict: Conflict
  let progress: TableWriter.Progress

  /// How often an item may change between reading and writing before that is a conflict.
  private static let attempts = 5

  /// Makes the changes of a batch, all at a time.
  ///
  /// - Parameter before: for each entry, what is to be there before.
  /// - Returns: how many were not made.
  func send(_ batch: WriteBatch, before: [ItemState]) async throws -> Int {
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for index in batch.entries.indices {
        let change = One(batch.subset([index], builder: builder), before[index])
        group.addTask { try await send(change) }
      }
      return try await group.reduce(0) { $0 + ($1 ? 0 : 1) }
    }
  }

  /// One change.
  private struct One: Sendable {
    var batch: WriteBatch
    var before: ItemState
    var kind: WriteKind { batch.entries[0].kind }
    var object: [UInt8] { Array(batch.body[batch.entries[0].object]) }

    init(_ batch: WriteBatch, _ before: ItemState) {
      self.batch = batch
      self.before = before
    }
  }

  /// - Returns: whether the item is now as it should be.
  private func send(_ change: One) async throws -> Bool {
    let object = change.object
    let after: ItemState = change.kind == .put ? .image(object) : .absent
    let keyObject = try keyObject(change.kind, object)
    var comparison = ItemComparison()
    for _ in 0..<GuardedSender.attempts {
      let found = try await read(keyObject, change)
      if try comparison.isSame(found, after) {
        try progress(BatchSender.Tally(written: 1, unchanged: 1))
        return true
      }
      guard try comparison.isSame(found, change.before) else {
        return try leave(change, keyObject, try difference(found, change.before))
      }
      if isDry {
        try progress(BatchSender.Tally(written: 1))
        return true
      }
      let request = try GuardedWrite(
        change.kind, object, found: found, table: table, key: key, keyObject: keyObject)
      guard let request else {
        return try leave(
          change, keyObject, "more of it changes than a condition can hold to what it was")
      }
      switch try await write(request, change) {
      case .done(let deleted):
        if let found, let deleted, try !comparison.isSame(deleted, .image(found)) {
          return try await putBack(deleted, change, keyObject)
        }
        try progress(BatchSender.Tally(written: 1))
        return true
      case .rejected: return false
      case .conditionFailed: continue
      }
    }
    return try leave(change, keyObject, "it changes again and again while it is read")
  }

  private func leave(_ change: One, _ keyObject: [UInt8], _ message: String) throws -> Bool {
    try conflict(change.kind, change.object.span, ItemConflict(key: keyObject, message: message))
    try progress(BatchSender.Tally(rejected: 1, conflicts: 1))
    return false
  }

  private func keyObject(_ kind: WriteKind, _ object: [UInt8]) throws(ArchiveError) -> [UInt8] {
    guard kind == .put else { return object }
    var scanner = ItemScanner(key: key)
    var output: [UInt8] = []
    do throws(ItemFault) { _ = try scanner.scan(object.span, at: 0) } catch {
      throw ArchiveError(.damaged, "an item is not what it was when it was read: \(error)")
    }
    KeyObject.append(object.span, scanner, to: &output)
    return output
  }

  /// What differs, in words.
  private func difference(_ found: [UInt8]?, _ before: ItemState) throws -> String {
    switch (before, found) {
    case (.absent, _): return "there is an item already"
    case (_, nil): return "the item is not there"
    case (.image(let old), let found?):
      var finder = AttributeDiff()
      let paths = try finder.changes(old: old.span, new: found.span).map(\.path.description)
      let more = paths.count > 5 ? ", and \(paths.count - 5) more" : ""
      return "it differs in \(paths.prefix(5).joined(separator: ", "))\(more)"
    case (.digest, _): return "it is not what it was"
    }
  }
}

extension GuardedSender {
  /// Reads an item, consistently.
  ///
  /// - Returns: its object; nil where there is none.
  private func read(_ keyObject: [UInt8], _ change: One) async throws -> [UInt8]? {
    var body = Array(#"{"TableName":"#.utf8)
    JSONText.quote(table.utf8, into: &body)
    body += #","Key":"#.utf8
    body += keyObject
    body += #","ConsistentRead":true,"ReturnConsumedCapacity":"TOTAL"}"#.utf8
    // A unit for each 4 KB; the item that is there is probably of about the size of its successor.
    let estimate = Double(change.object.count / 4096 + 1)
    let answer = try await call(reads, "GetItem", body, estimate: estimate) {
      try ItemAnswer($0, "Item", key: key, canonicalKey: change.batch.keys)
    }
    try progress(
      BatchSender.Tally(requests: 1, consumedReadUnits: answer?.units ?? 0, wireBytes: body.count))
    return answer?.item
  }

  private enum Outcome {
    /// With the item that was deleted.
    case done([UInt8]?)
    case conditionFailed
    case rejected
  }

  private func write(_ request: GuardedWrite, _ change: One) async throws -> Outcome {
    let estimate = meter.estimate(change.batch)
    do {
      let answer = try await call(writes, request.operation, request.body, estimate: estimate) {
        try ItemAnswer($0, "Attributes", key: key, canonicalKey: change.batch.keys)
      }
      guard let answer else { return .conditionFailed }
      meter.learn(change.batch, consumed: answer.units)
      try progress(
        BatchSender.Tally(
          requests: 1, consumedUnits: answer.units ?? 0, wireBytes: request.body.count))
      return .done(answer.item)
    } catch let error as ServiceError {
      guard error.concernsItems else { throw error }
      try reject(change.kind, change.object.span, error)
      try progress(BatchSender.Tally(rejected: 1, requests: 1))
      return .rejected
    }
  }

  /// Puts an item back that had got more attributes just before it was deleted. It is set aside first:
  /// if this ends here, it is not lost.
  private func putBack(
    _ deleted: [UInt8], _ change: One, _ keyObject: [UInt8]
  ) async throws -> Bool {
    let message = "it was changed while it was being deleted, and has been put back"
    try conflict(.put, deleted.span, ItemConflict(key: keyObject, message: message))
    let request = try GuardedWrite(
      .put, deleted, found: nil, table: table, key: key, keyObject: keyObject)
    if let request { _ = try await write(request, change) }
    try progress(BatchSender.Tally(rejected: 1, conflicts: 1))
    return false
  }

  /// Calls until there is an answer of use.
  ///
  /// - Returns: nil where the condition did not hold.
  private func call(
    _ gate: RequestGate, _ operation: String, _ body: [UInt8], estimate: Double,
    read: (ServiceResponse) throws -> ItemAnswer
  ) async throws -> ItemAnswer? {
    var attempt = 0
    while true {
      try Task.checkCancellation()
      do {
        let answer = try await gate.call(
          operation, estimate: { estimate }, body: { body }
        ) { response in
          let answer = try read(response)
          return .init(content: answer, units: answer.units)
        }
        gate.pace.progressed()
        return answer.content
      } catch let error as ServiceError {
        if error.code == ServiceError.conditionFailed {
          gate.pace.progressed()
          return nil
        }
        if error.concernsItems { throw error }
        try await gate.retry(after: error, attempt: attempt)
      } catch let error as DynamoError {
        guard error.code == .badAnswer else { throw error }
        // What was written is found as it should be when it is read again.
        try await gate.retry(afterBadAnswer: error.message, attempt: attempt)
      }
      attempt += 1
    }
  }
}

extension ServiceError {
  /// What a conditional write says whose condition does not hold. It consumes what the write would have.
  static let conditionFailed = "ConditionalCheckFailedException"
}
