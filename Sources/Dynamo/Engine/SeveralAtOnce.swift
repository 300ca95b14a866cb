/// Does work for each of several elements, some at a time, in their order.
///
/// - Parameters:
///   - limit: how many at a time.
///   - stop: no more are begun once this is requested; nil for no such wish.
/// - Returns: what came of each, at its place; nil for those that were not begun.
/// - Throws: the first error of `work`; the others are cancelled then, and waited for.
func severalAtOnce<Element: Sendable, Result: Sendable>(
  _ elements: [Element], limit: Int, until stop: StopSignal? = nil,
  _ work: @escaping @Sendable (Element) async throws -> Result
) async throws -> [Result?] {
  try await withThrowingTaskGroup(of: (place: Int, result: Result).self) { group in
    var results = [Result?](repeating: nil, count: elements.count)
    var (begun, ended) = (0, 0)
    while true {
      while begun - ended < max(limit, 1), begun < elements.count, stop?.isRequested != true {
        let place = begun
        begun += 1
        group.addTask { (place, try await work(elements[place])) }
      }
      guard let one = try await group.next() else { return results }
      ended += 1
      results[one.place] = one.result
    }
  }
}
