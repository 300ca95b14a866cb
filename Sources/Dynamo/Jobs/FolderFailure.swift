import AWS
public import Archive
import Glibc

extension FolderFailure {
  /// What an index may tell of an error: what the service says, and of dynarc's own words those that name no
  /// path and no host.
  public init(_ error: any Error) {
    switch error {
    case let error as ServiceError where error.cause == nil:
      self.init(code: error.code, message: error.message)
    case let error as ServiceError:
      self.init(code: error.code, message: "\(error.operation) got no answer")
    case let error as DynamoError:
      let message =
        switch error.code {
        case .noSuchTable: "there is no such table"
        case .stuck: "nothing has moved for as long as the dump waits at most"
        case .usage, .notActive, .keyMismatch: error.message
        default: "see the code"
        }
      self.init(code: error.code.rawValue, message: message)
    case let error as ArchiveError:
      let reason = error.errno.map { String(cString: strerror($0)) }
      self.init(
        code: error.code.rawValue, message: reason ?? "the archive could not be written or read")
    case let error as TransformError:
      // Of an item, the message holds its key.
      let isOfItems = [.mismatch, .collision].contains(error.code)
      self.init(
        code: error.code.rawValue,
        message: isOfItems ? "an item cannot be changed as the rules say" : error.message)
    default: self.init(code: "other", message: "\(type(of: error))")
    }
  }

  /// Whether the service, or what is asked for, leaves no hope for another try of the same.
  static func isRefusal(_ error: any Error) -> Bool {
    switch error {
    case let error as ServiceError: error.kind == .final || error.kind == .credentials
    case let error as DynamoError: error.code != .stuck && error.code != .badAnswer
    // The dump has removed what it began.
    case is TransformError: true
    default: false
    }
  }
}
