/// What went wrong with a table or a job, beyond a single service call.
public struct DynamoError: Error, Sendable, Equatable {
  /// The kind of failure. More may come; switch with a `default`.
  public struct Code: RawRepresentable, Hashable, Sendable {
    /// A stable word, the same in `--json` output.
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The request does not fit the table: an unknown index, a key of the wrong type.
    public static let usage = Code(rawValue: "usage")
    /// The table is not there.
    public static let noSuchTable = Code(rawValue: "no-such-table")
    /// No table is what was looked for.
    public static let noTables = Code(rawValue: "no-tables")
    /// The table's key is another than the archive's.
    public static let keyMismatch = Code(rawValue: "key-mismatch")
    /// The target holds items, and nobody said what to do with them.
    public static let notEmpty = Code(rawValue: "not-empty")
    /// The table is not in a state in which it can be used.
    public static let notActive = Code(rawValue: "not-active")
    /// An answer of the service that does not hold to its API.
    public static let badAnswer = Code(rawValue: "bad-answer")
    /// The archive cannot be loaded: its items have no keys.
    public static let keyless = Code(rawValue: "keyless")
    /// The archive holds items, not changes.
    public static let notChanges = Code(rawValue: "not-changes")
    /// The changes do not tell what was there before.
    public static let noOldImages = Code(rawValue: "no-old-images")
    /// The numbers at the end do not agree.
    public static let countMismatch = Code(rawValue: "count-mismatch")
    /// The folder was begun with other tables, or elsewhere.
    public static let otherSelection = Code(rawValue: "other-selection")
    /// Nothing moved for as long as the job waits at most.
    public static let stuck = Code(rawValue: "stuck")
    /// There is a state file of an unfinished job already.
    public static let stateExists = Code(rawValue: "state-exists")
    /// There is no state file to go on with.
    public static let noState = Code(rawValue: "no-state")
    /// The state file belongs to something else, or cannot be read.
    public static let stateMismatch = Code(rawValue: "state-mismatch")
    /// Another process is at the same work.
    public static let locked = Code(rawValue: "locked")
    /// There is no such backup.
    public static let noSuchBackup = Code(rawValue: "no-such-backup")
    /// Several backups have the name.
    public static let ambiguousBackup = Code(rawValue: "ambiguous-backup")
    /// The service makes no backups.
    public static let noBackups = Code(rawValue: "no-backups")
    /// The table is there already.
    public static let tableExists = Code(rawValue: "table-exists")
    /// The table of that name is not the one that is meant.
    public static let otherTable = Code(rawValue: "other-table")
    /// The state of a table could not be kept before a change, which was not made.
    public static let safeguard = Code(rawValue: "safeguard")
    /// Source and target are one table.
    public static let sameTable = Code(rawValue: "same-table")
    /// The table is protected from being deleted, and so from being emptied.
    public static let protected = Code(rawValue: "protected")
    /// The service refuses item after item.
    public static let allRejected = Code(rawValue: "all-rejected")
  }

  /// The kind of failure.
  public var code: Code
  /// What happened, in one sentence without a full stop.
  public var message: String
  /// What to do next.
  public var hint: String?

  public init(_ code: Code, _ message: String, hint: String? = nil) {
    self.code = code
    self.message = message
    self.hint = hint
  }
}

extension DynamoError: CustomStringConvertible {
  public var description: String { message }
}
