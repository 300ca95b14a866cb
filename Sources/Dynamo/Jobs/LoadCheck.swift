public import Archive

/// How a table is read back after a load.
public struct LoadCheckOptions: Sendable {
  /// How the table is read; consistently, whatever is set here.
  public var read: TableItemsOptions
  /// How it is compared.
  public var diff: DiffOptions
  /// Whether the table may hold items that the archive lacks, as after a load with `merge`.
  public var allowsOthers = false
  /// How the items were changed on their way.
  public var transforms = ItemTransforms.none

  public init(read: TableItemsOptions, diff: DiffOptions) {
    self.read = read
    self.diff = diff
  }
}

/// What a table was found to hold, held against the archive that was loaded.
public struct LoadCheckSummary: Sendable, Equatable {
  /// Items that the archive has.
  public var items = 0
  /// Items that the table holds.
  public var found = 0
  /// Items of the archive that the table lacks.
  public var missing = 0
  /// Items that differ in more than the order of attributes and members and the spelling of numbers.
  public var different = 0
  /// Items that only the table holds.
  public var others = 0
  /// Whether `others` are no difference.
  public var allowsOthers = false
  /// What reading the table took.
  public var traffic = ReadTraffic()

  /// Whether the table holds what the archive does.
  public var isSame: Bool { missing == 0 && different == 0 && (allowsOthers || others == 0) }
}

/// An item that a table does not hold as the archive has it.
public struct LoadDifference: Sendable, Equatable {
  /// `removed`: the table lacks it; `changed`; `added`: only the table has it.
  public var kind: Change.Kind
  /// The key attributes as a typed JSON object.
  public var key: [UInt8]
}

/// Reads a table back after a load, and compares it with the archive item by item: `Diff` of the two.
///
/// What others write to the table meanwhile is told as a difference, as it should be.
public struct LoadCheck: Sendable {
  private let client: DynamoClient
  private let chain: ArchiveChain
  private let target: String
  private let options: LoadCheckOptions

  public init(
    client: DynamoClient, chain: ArchiveChain, target: String, options: LoadCheckOptions
  ) {
    self.client = client
    self.chain = chain
    self.target = target
    self.options = options
  }

  /// Reads and compares; writes nothing.
  ///
  /// - Parameters:
  ///   - progress: called now and then, from any task.
  ///   - difference: called with each item that is not the same, in the order of keys.
  /// - Throws: `DynamoError`, `ServiceError`, `ArchiveError`, `CancellationError`.
  public func run(
    progress: @escaping @Sendable (DiffProgress, ReadTraffic) -> Void,
    difference: (LoadDifference) throws -> Void
  ) async throws -> LoadCheckSummary {
    var read = options.read
    read.consistent = true
    let live = try await TableItems(client: client, tableName: target, options: read)
    var loaded: any ItemSource =
      chain.changes.isEmpty ? try ArchiveItems(chain.base) : try ChainItems(chain)
    if !options.transforms.isEmpty { loaded = TransformedItems(loaded, options.transforms) }
    let diff = try Diff(old: loaded, new: live, options: options.diff)
    let result = try await diff.run(progress: { progress($0, live.traffic) }) { batch in
      for change in batch.changes where change.kind != .added || !options.allowsOthers {
        try difference(LoadDifference(kind: change.kind, key: Array(batch.bytes[change.key])))
      }
    }
    return LoadCheckSummary(
      items: result.old.items, found: result.new.items, missing: result.removed,
      different: result.changed, others: result.added, allowsOthers: options.allowsOthers,
      traffic: live.traffic)
  }
}
