/// How two sides are compared.
public struct DiffOptions: Sendable {
  /// 256 MB.
  public static let standardMemory = 256_000_000
  /// The least that there is room for anything in: 16 MB.
  public static let leastMemory = 16_000_000

  /// Bytes that the comparison's own tables and buffers may take; what is more goes to
  /// `temporaryDirectory`. Decompressors and the program itself come on top, about 10 MB for each of
  /// `concurrency`.
  public var memory = DiffOptions.standardMemory
  /// Where files go that do not fit into memory. They have no name there and are gone with the process,
  /// however it ends.
  public var temporaryDirectory: String
  /// Parts that are read at the same time.
  public var concurrency: Int
  /// Which attributes count.
  public var attributes = AttributeFilter()

  public init(temporaryDirectory: String, concurrency: Int) {
    self.temporaryDirectory = temporaryDirectory
    self.concurrency = concurrency
  }
}

/// How far a comparison is.
public struct DiffProgress: Sendable, Equatable {
  /// Items read of both sides, those of skipped parts included.
  public var items = 0
  /// Items that there are on both sides, where that is known.
  public var expectedItems: Int?
  /// Bytes of lines read, the second reading of some parts included.
  public var contentBytes = 0
  /// Changes given out.
  public var changes = 0

  public init() {}
}

/// What a comparison came to.
public struct DiffSummary: Sendable, Equatable {
  /// Items of one side.
  public struct Side: Sendable, Equatable {
    /// Items in it.
    public var items = 0
    /// Bytes of its lines.
    public var contentBytes = 0
    /// Parts that were not read, since the other side has the same.
    public var partsSkipped = 0

    public init() {}
  }

  public var old = Side()
  public var new = Side()
  public var added = 0
  public var removed = 0
  public var changed = 0
  /// Bytes of lines that were read, the second reading of some parts included.
  public var bytesRead = 0
  /// Bytes that went through the temporary directory.
  public var bytesSpilled = 0

  public init() {}

  /// Whether there is any change.
  public var isEmpty: Bool { added + removed + changed == 0 }
}
