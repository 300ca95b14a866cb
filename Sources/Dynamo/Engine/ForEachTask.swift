extension Array where Element: Sendable {
  /// Runs `body` for each element in a task of its own, `width` at a time, in order of their start; the
  /// first failure cancels the rest.
  func forEachTask(
    width: Int, _ body: @escaping @Sendable (Element) async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, element) in enumerated() {
        if index >= Swift.max(width, 1) { try await group.next() }
        group.addTask { try await body(element) }
      }
      while try await group.next() != nil {}
    }
  }
}
