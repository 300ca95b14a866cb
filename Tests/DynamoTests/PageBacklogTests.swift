import Synchronization
import Testing

@testable import Dynamo

@Suite struct PageBacklogTests {
  /// Tasks that wait to enter, and how many have.
  private final class Waiters: Sendable {
    private let count = Mutex(0)
    var entered: Int { count.withLock { $0 } }

    func enter(_ backlog: PageBacklog) -> Task<Void, Never> {
      Task {
        await backlog.enter(0)
        count.withLock { $0 += 1 }
      }
    }
  }

  /// Pages arrive up to the limit, and nobody enters until one leaves; then two enter for each that
  /// leaves below half of the limit, one above.
  @Test func requestsWaitForPagesToLeave() async {
    let backlog = PageBacklog(limit: 4)
    for _ in 0..<6 { await backlog.enter(0) }
    for _ in 0..<6 { backlog.arrived() }
    let waiters = Waiters()
    var tasks: [Task<Void, Never>] = []
    for _ in 0..<5 { tasks.append(waiters.enter(backlog)) }
    while backlog.waiting < 5 { await Task.yield() }
    var left: [Int] = []
    for _ in 0..<6 {
      backlog.left()
      left.append(backlog.waiting)
    }
    #expect(left == [5, 5, 4, 3, 1, 0])
    for task in tasks { await task.value }
    #expect(waiters.entered == 5)
  }

  @Test func whoeverWaitsPassesOnceItIsOpen() async {
    let backlog = PageBacklog(limit: 1)
    await backlog.enter(0)
    backlog.arrived()
    let waiters = Waiters()
    let tasks = (0..<3).map { _ in waiters.enter(backlog) }
    while backlog.waiting < 3 { await Task.yield() }
    backlog.open()
    for task in tasks { await task.value }
    await backlog.enter(0)
    #expect(backlog.waiting == 0)
  }
}
