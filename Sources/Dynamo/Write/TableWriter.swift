import AWS
import Archive
import JSON

/// The write engine: many batches in flight against one table, fed from an archive or from a scan
/// of the table's own keys.
struct TableWriter: Sendable {
  typealias Reject = @Sendable (WriteKind, Span<UInt8>, ServiceError) throws -> Void
  typealias Progress = @Sendable (BatchSender.Tally) throws -> Void
  /// Receives the lines of a batch that has ended, and how many of them were rejected.
  private typealias Completed = @Sendable (Range<Int>, Int) async throws -> Void
  /// Sends a batch, with what its entries are to be before where that matters; answers how many of its
  /// operations were rejected.
  private typealias Send = @Sendable (WriteBatch, [ItemState]) async throws -> Int

  let gate: RequestGate
  let meter: WriteMeter
  let table: String
  let key: KeySchema
  let stop: StopSignal
  /// Batches at work at most, be it in flight or waiting for their turn; it bounds the memory.
  let concurrency: Int

  var builder: BatchBuilder {
    var quoted: [UInt8] = []
    JSONText.quote(table.utf8, into: &quoted)
    return BatchBuilder(quotedTable: quoted, maximumKilobytes: meter.maximumKilobytes)
  }

  /// Writes what every line of some chunks asks for, but for what the checkpoint tells to be done.
  ///
  /// - Parameters:
  ///   - lasting: which lines are written of those of a chain; nil for all.
  ///   - direction: of an archive of changes; a snapshot's lines are all puts.
  ///   - readers: chunks read at a time.
  ///   - checkpoint: nil where nothing is noted.
  ///   - guarded: writes what must find the item as it was; nil writes whatever there is.
  /// - Throws: `CancellationError` after `stop`, once what was in flight has ended.
  func write(
    _ parts: [ArchivePart], _ lasting: LastingLines?, _ direction: ChangesDirection, readers: Int,
    checkpoint: LoadCheckpoint?, guarded: GuardedSender? = nil, reject: @escaping Reject,
    progress: @escaping Progress
  ) async throws {
    let batches = BatchSender(
      gate: gate, meter: meter, builder: builder, key: key, reject: reject, progress: progress)
    let send: Send = { batch, before in
      if let guarded { return try await guarded.send(batch, before: before) }
      return try await batches.send(batch)
    }
    let slots = AdaptiveLimiter(AIMD(fixed: concurrency))
    let open = ChunkOrder.interleaved(parts) { $0.place << 20 | $0.row.segment }.filter {
      checkpoint?.position(of: $0.name).lines ?? 0 < $0.row.items
    }
    try await forEach(open, width: readers) { part in
      try await write(
        part, lasting, direction, checkpoint, isGuarded: guarded != nil, slots, send)
    }
    if stop.isRequested { throw CancellationError() }
  }

  /// Writes what the lines of a chunk ask for that are not done yet. Lines that do not last are not
  /// counted, so that a position is one among the lines that are written.
  private func write(
    _ part: ArchivePart, _ lasting: LastingLines?, _ direction: ChangesDirection,
    _ checkpoint: LoadCheckpoint?, isGuarded: Bool, _ slots: AdaptiveLimiter,
    _ send: @escaping Send
  ) async throws {
    let start = checkpoint?.position(of: part.name) ?? ChunkTracker.Position()
    let tracker = ChunkTracker(start)
    let completed: Completed = { lines, rejected in
      let position = tracker.completed(lines, rejected: rejected)
      if let checkpoint, checkpoint.record(part.name, position) {
        try await offPool { try checkpoint.flush() }
      }
    }
    try await withThrowingDiscardingTaskGroup { group in
      // The job has checked every file before it began to write.
      var reader = try part.archive.chunk(part.row, storedIsChecked: true)
      var builder = builder
      var operations = LineOperations(direction, key: key)
      var before: [ItemState] = []
      var line = 0
      var first = start.lines
      while try reader.next() {
        if let lasting { reader.keepLines(lasting, place: part.place) }
        for index in reader.block.lines.indices {
          defer { line += 1 }
          guard line >= start.lines else { continue }
          while try !operations.add(index, of: reader.block, to: &builder) {
            if stop.isRequested { return }
            try await submit(builder.take(), before, first..<line, slots, &group, send, completed)
            first = line
            before = []
          }
          if isGuarded { before.append(operations.before(index, of: reader.block)) }
        }
      }
      if stop.isRequested { return }
      try await submit(builder.take(), before, first..<line, slots, &group, send, completed)
    }
  }

  /// Deletes every item of the table: a scan of the keys, parallel batches of deletes.
  func truncate(segments: Int, progress: @escaping Progress) async throws {
    let sender = BatchSender(
      gate: gate, meter: meter, builder: builder, key: key,
      // A delete that the service refuses leaves the table as it must not be: that is no reject.
      reject: { _, _, error in throw error }, progress: progress)
    let send: Send = { batch, _ in try await sender.send(batch) }
    let slots = AdaptiveLimiter(AIMD(fixed: concurrency))
    try await forEach(Array(0..<segments), width: segments) { segment in
      try await withThrowingDiscardingTaskGroup { group in
        var startKey: [UInt8]?
        repeat {
          let page = try await keyPage(segment, of: segments, startKey: startKey)
          var builder = builder
          for entry in page.keys {
            while !builder.add(
              .delete, page.bytes.span.extracting(entry.object),
              key: page.canonical.span.extracting(entry.key))
            {
              try await submit(builder.take(), [], 0..<0, slots, &group, send)
            }
          }
          try await submit(builder.take(), [], 0..<0, slots, &group, send)
          if stop.isRequested { return }
          startKey = page.lastEvaluatedKey
        } while startKey != nil
      }
    }
    if stop.isRequested { throw CancellationError() }
  }

  /// Starts sending a batch once there is room for one more at work.
  private func submit(
    _ batch: WriteBatch?, _ before: [ItemState], _ lines: Range<Int>, _ slots: AdaptiveLimiter,
    _ group: inout ThrowingDiscardingTaskGroup<any Error>, _ send: @escaping Send,
    _ completed: @escaping Completed = { _, _ in }
  ) async throws {
    guard let batch else { return }
    let slot = try await slots.acquire()
    group.addTask {
      defer { slots.release(slot, .other) }
      let rejected = try await send(batch, before)
      try await completed(lines, rejected)
    }
  }

  /// Runs `body` for each element, `width` at a time, in order of their start; the first failure
  /// cancels the rest.
  private func forEach<Element: Sendable>(
    _ elements: [Element], width: Int, _ body: @escaping @Sendable (Element) async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, element) in elements.enumerated() {
        if index >= max(width, 1) { try await group.next() }
        group.addTask { try await body(element) }
      }
      while try await group.next() != nil {}
    }
  }

  /// Reads a page of the table's keys, for as long as that takes.
  private func keyPage(_ segment: Int, of total: Int, startKey: [UInt8]?) async throws -> KeyPage {
    var names = JSONObject()
    for (index, attribute) in key.attributes.enumerated() {
      names["#k\(index)"] = .string(attribute.name)
    }
    var request: JSONObject = [
      "TableName": .string(table), "Segment": JSONValue(segment), "TotalSegments": JSONValue(total),
      "ConsistentRead": true, "ExpressionAttributeNames": .object(names),
      "ProjectionExpression": .string(names.members.map(\.name).joined(separator: ",")),
    ]
    if let startKey { request["ExclusiveStartKey"] = try JSONValue.parse(startKey.span) }
    let body = JSONValue.object(request).serialized()
    var (attempt, badPages) = (0, 0)
    while true {
      do {
        let response = try await gate.client.call("Scan", body)
        gate.note(RequestNotes(response))
        let page = try KeyPage(response.body, key: key)
        gate.pace.progressed()
        return page
      } catch let error as ServiceError {
        gate.note(RequestNotes(error))
        try await gate.retry(after: error, attempt: attempt)
      } catch let error as ArchiveError {
        badPages += 1
        guard badPages < 5 else { throw error }
        try await gate.retry(afterBadAnswer: error.message, attempt: attempt)
      }
      attempt += 1
    }
  }
}

/// A page of a table's keys.
private struct KeyPage: Sendable {
  var bytes: [UInt8]
  var keys: [(object: Range<Int>, key: Range<Int>)] = []
  var canonical: [UInt8] = []
  var lastEvaluatedKey: [UInt8]?

  init(_ body: [UInt8], key: KeySchema) throws {
    bytes = body
    var cutter = PageCutter()
    try cutter.cut(bytes.span)
    var scanner = ItemScanner(key: key)
    var canonical: [UInt8] = []
    for item in cutter.items {
      _ = try scanner.scan(bytes.span, at: item.range.lowerBound)
      let start = canonical.count
      try CanonicalKey.append(bytes.span, scanner, to: &canonical)
      keys.append((item.range, start..<canonical.count))
    }
    self.canonical = canonical
    lastEvaluatedKey = cutter.lastEvaluatedKey.map { Array(body[$0]) }
  }
}
