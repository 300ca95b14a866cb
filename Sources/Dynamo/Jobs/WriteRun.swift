import AWS
import Archive

/// How to write an archive into a table, whatever it holds.
public struct WriteOptions: Sendable, PacedOptions {
  /// Requests in flight at most; nil chooses by the machine's cores.
  public var concurrency: Int?
  /// Go on with a job that was stopped.
  public var resume = false
  /// Where the job notes how far it is.
  public var statePath: String
  /// What writing may consume, indexes included; nil takes what the table gives.
  public var writeUnits: CapacityLimit?
  /// What the reads of guarded writes may consume.
  public var readUnits: CapacityLimit?
  /// How long nothing may move before the job gives up.
  public var giveUpAfter = Duration.seconds(900)
  /// Ends the job soon and well.
  public var stop = StopSignal()
  /// Processors to keep busy.
  public var cores: Int

  public init(statePath: String, cores: Int) {
    self.statePath = statePath
    self.cores = cores
  }
}

/// What load and apply have in common: the state file, the write engine, the end.
struct WriteRun: Sendable {
  let client: DynamoClient
  /// What is written.
  let parts: [ArchivePart]
  let key: KeySchema
  let options: WriteOptions
  let rejects: RejectsFile
  /// How the items are changed on their way.
  var transforms = ItemTransforms.none

  /// The state of earlier runs, locked; nil for a first run, which must find none.
  func checkpoint(toGoOnWith identity: LoadCheckpoint.Identity) throws -> LoadCheckpoint? {
    guard options.resume else {
      try StateFile.refuseLeftover(at: options.statePath, identity.work.words)
      return nil
    }
    let checkpoint = try LoadCheckpoint.resume(options.statePath, identity)
    for part in parts where checkpoint.position(of: part.name).lines > part.row.items {
      throw DynamoError(
        .stateMismatch, "\(options.statePath) says more of \(part.name) than there is",
        hint: "remove it, and \(identity.work.again)")
    }
    return checkpoint
  }

  /// A write engine for a table.
  func writer(
    _ table: String, _ schema: TableSchema, writeUnits: Double?, _ state: WriteState
  ) -> TableWriter {
    var writer = TableWriter(
      client: client, table: table, schema: schema, options: options, writeUnits: writeUnits,
      note: state.note)
    writer.transforms = transforms
    return writer
  }

  /// Writes what the lines ask for, but for what earlier runs did. The state file stays.
  ///
  /// - Parameters:
  ///   - lasting: which lines are written of those of a chain; nil for all.
  ///   - guarding: makes the writes guarded; nil for those that are not.
  func write(
    _ writer: TableWriter, _ direction: ChangesDirection, lasting: LastingLines? = nil,
    _ checkpoint: LoadCheckpoint, _ state: WriteState, guarding: Guarding? = nil
  ) async throws -> WriteProgress {
    try checkpoint.noteWriting()
    if let path = checkpoint.rejects { try rejects.goOn(with: path) }
    let done = checkpoint.total
    state.change { progress in
      progress.phase = .writing
      progress.written = done.lines - done.rejected
      progress.rejected = done.rejected
    }
    do {
      try await writeLines(writer, direction, lasting, checkpoint, state, guarding)
    } catch {
      do { try await offPool { try checkpoint.flush() } } catch let failure {
        // What stopped the job says more than what came of it; a wish to stop says nothing.
        if error is CancellationError { throw failure }
      }
      throw error
    }
    let end = state.snapshot
    guard end.written + end.rejected == end.items else {
      throw DynamoError(
        .countMismatch,
        "the archive's manifest counts \(end.items) lines; \(end.written) were written and "
          + "\(end.rejected) rejected",
        hint: "check the archive with: dynarc verify")
    }
    return end
  }

  /// - Parameter checkpoint: nil for a dry run.
  func writeLines(
    _ writer: TableWriter, _ direction: ChangesDirection, _ lasting: LastingLines?,
    _ checkpoint: LoadCheckpoint?, _ state: WriteState, _ guarding: Guarding?
  ) async throws {
    let reject: TableWriter.Reject = { [rejects] kind, object, error in
      try rejects.append(kind, object, code: error.code, message: error.message)
      if let path = rejects.written?.path { try checkpoint?.note(rejects: path) }
    }
    let progress: TableWriter.Progress = { tally in
      let now = state.change { progress in
        progress.written += tally.written
        progress.rejected += tally.rejected
        progress.add(tally)
      }
      try RejectsFile.checkAnyTaken(
        written: now.written, rejected: now.rejected - now.conflicts)
    }
    let guarded = guarding.map { guarding in
      GuardedSender(
        reads: guarding.reads, writes: writer.gate, meter: writer.meter, builder: writer.builder,
        table: writer.table, key: writer.key, isDry: checkpoint == nil, reject: reject,
        conflict: { [rejects] kind, object, conflict in
          guarding.report(conflict)
          guard let checkpoint else { return }
          try rejects.append(kind, object, code: "Conflict", message: conflict.message)
          if let path = rejects.written?.path { try checkpoint.note(rejects: path) }
        }, progress: progress)
    }
    try await writer.write(
      parts, lasting, direction, readers: 2 * options.cores, checkpoint: checkpoint,
      guarded: guarded,
      reject: reject, progress: progress)
  }
}

/// What guarded writes need beside the engine.
struct Guarding: Sendable {
  /// The gate of reads.
  var reads: RequestGate
  /// Told of each conflict.
  var report: @Sendable (ItemConflict) -> Void
}

extension TableDescription {
  /// What tells this table from one that was deleted and made anew: its id, where the server gives
  /// one, and its ARN.
  var identity: String { [arn, id].compactMap(\.self).joined(separator: " ") }
}
