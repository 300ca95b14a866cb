/// Which attributes count in a comparison: all, or some, or all but some.
public struct AttributeFilter: Sendable, Equatable {
  /// Differences at or below these paths are none.
  public var ignored: [AttributePath]
  /// Where it is not empty, only differences at or below these paths are any.
  public var only: [AttributePath]

  public init(ignored: [AttributePath] = [], only: [AttributePath] = []) {
    self.ignored = ignored
    self.only = only
  }

  /// Whether every attribute counts.
  public var isEmpty: Bool { ignored.isEmpty && only.isEmpty }
}

extension AttributeFilter {
  /// How a difference at a path is to be taken.
  enum Scope: Equatable {
    /// It counts.
    case inside
    /// It does not count.
    case outside
    /// Paths below it are ignored; all else there counts.
    case aboveIgnored
    /// Only paths below it count.
    case aboveOnly
  }

  func scope(of path: AttributePath) -> Scope {
    if ignored.contains(where: { $0.contains(path) }) { return .outside }
    if only.isEmpty || only.contains(where: { $0.contains(path) }) {
      return ignored.contains { path.contains($0) } ? .aboveIgnored : .inside
    }
    return only.contains { path.contains($0) } ? .aboveOnly : .outside
  }
}
