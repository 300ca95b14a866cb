/// How far a job is that writes an archive into a table.
public struct WriteProgress: Sendable, Equatable {
  /// What the job is at.
  public enum Phase: String, Sendable {
    case checking, creating, truncating, writing, indexing, settings
  }

  public var phase = Phase.checking
  /// Items looked at before the first write, where rules change them.
  public var checked = 0
  /// The index that is being made once the items are in.
  public var index: IndexProgress?
  /// Puts and deletes of the archive acknowledged by the service.
  public var written = 0
  /// Puts and deletes that were not made, conflicts included.
  public var rejected = 0
  /// With `--guard`, of those written in this run, the ones that needed no writing.
  public var unchanged = 0
  /// With `--guard`, conflicts found in this run.
  public var conflicts = 0
  /// Items deleted beforehand.
  public var deleted = 0
  /// Puts and deletes of the archive.
  public var items = 0
  /// Bytes sent in requests.
  public var wireBytes = 0
  /// Write capacity units, as the service told.
  public var consumedUnits = 0.0
  /// Read capacity units that guarded writes consumed.
  public var consumedReadUnits = 0.0
  /// Requests and items that had to be sent again.
  public var retries = RetrySums()
  /// Why a request was last taken up again.
  public var lastFault: String?
  /// What was at its limit.
  public var throttledBy = ThrottleSums()
}

extension WriteProgress: TrafficProgress {
  mutating func add(_ tally: BatchSender.Tally) {
    wireBytes += tally.wireBytes
    consumedUnits += tally.consumedUnits
    consumedReadUnits += tally.consumedReadUnits
    unchanged += tally.unchanged
    conflicts += tally.conflicts
  }
}

/// What the tasks of one job that writes an archive share.
typealias WriteState = JobState<WriteProgress>

extension JobState where Progress == WriteProgress {
  convenience init(items: Int, progress: @escaping @Sendable (WriteProgress) -> Void) {
    self.init(WriteProgress(items: items), progress: progress)
  }
}
