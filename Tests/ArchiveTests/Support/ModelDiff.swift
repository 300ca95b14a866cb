import Archive

/// Where two values differ, by the plain rules: maps by name, lists by index, sets as a whole.
enum ModelDiff {
  /// Paths with the kind of each difference.
  static func differences(_ old: ModelItem, _ new: ModelItem) -> [AttributePath: Change.Kind] {
    var found: [AttributePath: Change.Kind] = [:]
    members(old.attributes, new.attributes, AttributePath(), &found)
    return found
  }

  private static func members(
    _ old: [ModelText: ModelValue], _ new: [ModelText: ModelValue], _ path: AttributePath,
    _ found: inout [AttributePath: Change.Kind]
  ) {
    for name in Set(old.keys).union(new.keys) {
      compare(old[name], new[name], AttributePath(path.steps + [.name(name.utf8)]), &found)
    }
  }

  private static func compare(
    _ old: ModelValue?, _ new: ModelValue?, _ path: AttributePath,
    _ found: inout [AttributePath: Change.Kind]
  ) {
    switch (old, new) {
    case (nil, nil): break
    case (nil, _): found[path] = .added
    case (_, nil): found[path] = .removed
    case (.map(let old), .map(let new)): members(old, new, path, &found)
    case (.list(let old), .list(let new)):
      for index in 0..<max(old.count, new.count) {
        compare(
          index < old.count ? old[index] : nil, index < new.count ? new[index] : nil,
          AttributePath(path.steps + [.index(index)]), &found)
      }
    default: if old != new { found[path] = .changed }
    }
  }
}
