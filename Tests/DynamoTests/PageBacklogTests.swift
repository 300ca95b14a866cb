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
    let backlog = PageBacklog(limit: 400)
    for _ in 0..<6 { await backlog.enter(0) }
    for _ in 0..<6 { backlog.arrived(100) }
    let waiters = Waiters()
    var tasks: [Task<Void, Never>] = []
    for _ in 0..<5 { tasks.append(waiters.enter(backlog)) }
    while backlog.waiting < 5 { await Task.yield() }
    var left: [Int] = []
    for _ in 0..<6 {
      backlog.left(100)
      left.append(backlog.waiting)
    }
    #expect(left == [5, 5, 4, 3, 1, 0])
    for task in tasks { await task.value }
    #expect(waiters.entered == 5)
  }

  /// Many small pages take no more memory than few large ones, and hold nobody back.
  @Test func smallPagesCountByTheirBytes() async {
    let backlog = PageBacklog(limit: 400)
    for _ in 0..<39 { backlog.arrived(10) }
    await backlog.enter(0)
    backlog.arrived(10)
    let waiters = Waiters()
    let task = waiters.enter(backlog)
    while backlog.waiting < 1 { await Task.yield() }
    backlog.left(10)
    await task.value
    #expect(waiters.entered == 1)
  }

  @Test func whoeverWaitsPassesOnceItIsOpen() async {
    let backlog = PageBacklog(limit: 100)
    await backlog.enter(0)
    backlog.arrived(100)
    let waiters = Waiters()
    let tasks = (0..<3).map { _ in waiters.enter(backlog) }
    while backlog.waiting < 3 { await Task.yield() }
    backlog.open()
    for task in tasks { await task.value }
    await backlog.enter(0)
    #expect(backlog.waiting == 0)
  }
}
