import AWS
import Archive
import JSON

/// The write engine: many batches in flight against one table, fed from an archive, from a read of the
/// table's own keys, or by a copy.
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
  /// Batches at work at most (`BatchQueue`).
  let concurrency: Int
  /// How the items of an archive are changed on their way.
  var transforms = ItemTransforms.none

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
    let batches = sender(reject: reject, progress: progress)
    let send: Send = { batch, before in
      if let guarded { return try await guarded.send(batch, before: before) }
      return try await batches.send(batch)
    }
    let queue = BatchQueue(width: concurrency)
    let open = ChunkOrder.interleaved(parts) { $0.place << 20 | $0.row.segment }.filter {
      checkpoint?.position(of: $0.name).lines ?? 0 < $0.row.items
    }
    try await open.forEachTask(width: readers) { part in
      try await write(
        part, lasting, direction, checkpoint, isGuarded: guarded != nil, queue, send)
    }
    if stop.isRequested { throw CancellationError() }
  }

  /// Writes what the lines of a chunk ask for that are not done yet. Lines that do not last are not
  /// counted, so that a position is one among the lines that are written.
  private func write(
    _ part: ArchivePart, _ lasting: LastingLines?, _ direction: ChangesDirection,
    _ checkpoint: LoadCheckpoint?, isGuarded: Bool, _ queue: BatchQueue, _ send: @escaping Send
  ) async throws {
    let start = checkpoint?.position(of: part.name) ?? ChunkTracker.Position()
    let tracker = ChunkTracker(start)
    let completed: Completed = { lines, rejected in
      let position = tracker.completed(lines, rejected: rejected)
      if let checkpoint, checkpoint.record(part.name, position) {
        try await offPool { try checkpoint.flush() }
      }
    }
    try await BatchQueue.withGroup { group in
      // The job has checked every file before it began to write.
      var reader = try part.archive.chunk(part.row, storedIsChecked: true)
      var builder = builder
      var operations = LineOperations(direction, key: key)
      var before: [ItemState] = []
      var changer = transforms.isEmpty ? nil : LineTransformer(transforms, key: key)
      var line = 0
      var first = start.lines
      while try reader.next() {
        if let lasting { reader.keepLines(lasting, place: part.place) }
        try changer?.change(reader.block)
        let block = changer?.block ?? reader.block
        for index in block.lines.indices {
          defer { line += 1 }
          guard line >= start.lines else { continue }
          while try !operations.add(index, of: block, to: &builder) {
            if stop.isRequested { return }
            try await queue.submit(builder.take(), &group) { [before, lines = first..<line] in
              try await completed(lines, send($0, before))
            }
            first = line
            before = []
          }
          if isGuarded { before.append(operations.before(index, of: block)) }
        }
      }
      if stop.isRequested { return }
      try await queue.submit(builder.take(), &group) { [before, lines = first..<line] in
        try await completed(lines, send($0, before))
      }
    }
  }

  /// Deletes the items whose keys a read of the table gives.
  ///
  /// - Parameter keys: reads nothing but keys (`ReadOptions.keysOnly`).
  /// - Throws: `CancellationError` after `stop`, once what was in flight has ended.
  func delete(_ keys: PageReader, readers: Int, progress: @escaping Progress) async throws {
    // A delete that the service refuses leaves the table as it must not be: that is no reject.
    let sender = sender(reject: { _, _, error in throw error }, progress: progress)
    let queue = BatchQueue(width: concurrency)
    try await keys.plan.spreadSegments.forEachTask(width: readers) { segment in
      try await BatchQueue.withGroup { group in
        var builder = builder
        try await keys.forEachPage(of: segment, key: key, stop: stop) { page in
          try progress(BatchSender.Tally(consumedReadUnits: page.page.consumedUnits ?? 0))
          for entry in page.entries {
            while !builder.add(
              .delete, page.bytes.span.extracting(entry.object),
              key: page.canonical.span.extracting(entry.key))
            {
              try await queue.submit(builder.take(), &group, sender)
            }
          }
        }
        try await queue.submit(builder.take(), &group, sender)
      }
    }
    if stop.isRequested { throw CancellationError() }
  }

  func sender(reject: @escaping Reject, progress: @escaping Progress) -> BatchSender {
    BatchSender(
      gate: gate, meter: meter, builder: builder, key: key, reject: reject, progress: progress)
  }
}

extension TableWriter {
  /// A write engine of a job.
  ///
  /// - Parameters:
  ///   - table: the name, which may be another than the schema's.
  ///   - pace: the job's; nil where it has no other requests.
  ///   - writeUnits: units a second at most; nil without a bound.
  init(
    client: DynamoClient, table: String, schema: TableSchema, options: some PacedOptions,
    pace: JobPace? = nil, writeUnits: Double?, note: @escaping @Sendable (RequestNotes) -> Void
  ) {
    let globalIndexes = schema.indexes.count { $0.kind == .global }
    self.init(
      gate: options.gate(
        client, pace: pace ?? options.pace, maximum: options.writers, rate: writeUnits, note: note),
      meter: WriteMeter(globalIndexes: globalIndexes, rate: writeUnits), table: table,
      key: schema.key, stop: options.stop, concurrency: options.writers)
  }
}

/// The way in for batches of many tasks: it bounds how many are at work, be it in flight or waiting for
/// their turn, and so the memory.
struct BatchQueue: Sendable {
  typealias Group = ThrowingDiscardingTaskGroup<any Error>

  private let slots: AdaptiveLimiter

  /// - Parameter width: batches at work at most.
  init(width: Int) { slots = AdaptiveLimiter(AIMD(fixed: width)) }

  /// Makes a group for the batches of one task, and waits for all of them.
  ///
  /// - Throws: what `body` throws, or the first batch that fails. Either cancels the rest, and the group by
  ///   itself may rethrow no more than that: why it was is what counts.
  static func withGroup(_ body: (inout Group) async throws -> Void) async throws {
    var failure: (any Error)?
    do {
      try await withThrowingDiscardingTaskGroup { group in
        do { try await body(&group) } catch {
          failure = error
          throw error
        }
      }
    } catch {
      guard let failure, !isCancellation(failure) else { throw error }
      throw failure
    }
  }

  private static func isCancellation(_ error: any Error) -> Bool {
    error is CancellationError || (error as? ServiceError)?.kind == .cancelled
  }

  /// Starts sending a batch, where there is one, once there is room for one more at work.
  func submit(
    _ batch: WriteBatch?, _ group: inout Group,
    _ send: @escaping @Sendable (WriteBatch) async throws -> Void
  ) async throws {
    guard let batch else { return }
    let slot = try await slots.acquire()
    group.addTask {
      defer { slots.release(slot, .other) }
      try await send(batch)
    }
  }

  func submit(_ batch: WriteBatch?, _ group: inout Group, _ sender: BatchSender) async throws {
    try await submit(batch, &group) { _ = try await sender.send($0) }
  }
}
