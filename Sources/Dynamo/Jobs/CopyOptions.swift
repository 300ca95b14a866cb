public import Archive

/// What to do with what the target holds.
public enum CopyMode: String, Sendable {
  /// Put the source's items over it.
  case merge
  /// The same, and then delete what the source has not.
  case replace
  /// Delete it first.
  case truncateFirst = "truncate-first"
}

/// How to copy.
public struct CopyOptions: Sendable, PacedOptions {
  /// The table to copy into; nil takes the source's name.
  public var target: String?
  /// What to do with a target that holds items; nil refuses it.
  public var mode: CopyMode?
  /// Which items; whole ones, so without a projection.
  public var read = ReadOptions()
  /// How items are changed on their way.
  public var transforms = ItemTransforms.none
  /// Whether these may change keys.
  public var rekey = false
  /// What reading the source may consume, and reading the target's keys likewise.
  public var readUnits: CapacityLimit?
  /// What writing may consume, indexes included.
  public var writeUnits: CapacityLimit?
  /// Requests in flight at most, to each table; nil chooses by the machine's cores.
  public var concurrency: Int?
  /// How long nothing may move before the job gives up.
  public var giveUpAfter = Duration.seconds(900)
  /// Ends the job soon and well.
  public var stop = StopSignal()
  /// Processors to keep busy.
  public var cores: Int

  public init(cores: Int) { self.cores = cores }
}

/// What a copy is about to do, checked against both tables; nothing has been written.
public struct CopyPlan: Sendable {
  /// The table that is copied.
  public let source: TableDescription
  /// The name of the table that is copied into.
  public let target: String
  /// The table that is copied into; nil where it must be created.
  public let targetTable: TableDescription?
  /// Whether it holds items now.
  public let holdsItems: Bool
  /// Whether the source, of which the target is made a likeness, is found to hold no item at all.
  public let sourceIsEmpty: Bool
  /// What happens to these; `merge` where there are none and nothing else was asked for.
  public let mode: CopyMode
  /// How the source is read.
  public let read: ReadPlan
  /// Why not all of the source's items are copied; nil for the whole table.
  public let sliceBecause: String?
  /// The index whose items are only parts, so that the whole ones are read from the table.
  public let partialIndex: String?
  /// How the items are changed on their way.
  public let transforms: ItemTransforms
  /// The source's settings where the target must be created, which gets key, indexes and billing only.
  public let settings: TableSettings?
  /// Units a second at most; nil without a bound.
  public let readUnits: Double?
  public let targetReadUnits: Double?
  public let writeUnits: Double?
  /// How the target's keys are read, where some of its items may be deleted.
  let targetKeys: ReadPlan?

  /// Items that the service says the source has, up to six hours ago; nil for a slice.
  public var expectedItems: Int? { sliceBecause == nil ? read.expectedItems : nil }
  /// Key, indexes and billing of the target, be it there or to be created.
  public var targetSchema: TableSchema { (targetTable ?? source).schema }
}

/// How far a copy is.
public struct CopyProgress: Sendable, Equatable {
  /// What the job is at.
  public enum Phase: String, Sendable {
    case checking, creating
    /// Deleting what the target holds, before anything is copied.
    case truncating
    /// Putting the source's items.
    case copying
    /// Looking for items that only the target has, and deleting them.
    case comparing
  }

  public var phase = Phase.checking
  /// Items of the source that were to be put.
  public var read = 0
  /// Items read in the source before a filter.
  public var scannedItems = 0
  /// Items of an index that were gone from the table when they were read there.
  public var gone = 0
  /// Puts acknowledged by the service.
  public var written = 0
  /// Puts and deletes that the service refused for good.
  public var rejected = 0
  /// Puts and deletes that were sent, or are about to be: beyond those acknowledged and refused, some may have
  /// arrived.
  public var begun = 0
  /// Keys of the target looked at.
  public var compared = 0
  /// Of the items read, those that came to light when the target's keys were compared.
  public var caughtUp = 0
  /// Items of the target that the source has not.
  public var toDelete = 0
  /// Deletes acknowledged by the service.
  public var deleted = 0
  /// Items that the service says there are, up to six hours ago; nil for a slice.
  public var expectedItems: Int?
  /// Bytes sent in requests that write.
  public var wireBytes = 0
  /// Capacity units, as the service told.
  public var sourceReadUnits = 0.0
  public var targetReadUnits = 0.0
  public var writeUnits = 0.0
  /// Requests and items that had to be sent again.
  public var retries = RetrySums()
  /// Why a request was last taken up again.
  public var lastFault: String?
  /// What was at its limit.
  public var throttledBy = ThrottleSums()

  /// Of the items deleted, those deleted before anything was copied.
  var truncated = 0

  /// Whether every item is accounted for.
  var addsUp: Bool { read + toDelete == written + deleted - truncated + rejected }
}

extension CopyProgress: TrafficProgress {
  mutating func add(_ tally: BatchSender.Tally) {
    written += tally.written - tally.deleted
    deleted += tally.deleted
    rejected += tally.rejected
    begun += tally.begun
    wireBytes += tally.wireBytes
    writeUnits += tally.consumedUnits
    targetReadUnits += tally.consumedReadUnits
  }
}

/// What a copy did.
public struct CopySummary: Sendable {
  public var plan: CopyPlan
  public var progress: CopyProgress
  /// Where the rejected items are, if any were.
  public var rejects: (path: String, count: Int)?
}
