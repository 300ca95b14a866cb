import Archive
import Digest
import Synchronization
import Testing

@testable import Dynamo

/// How many are inside at once.
private final class Gauge: Sendable {
  private let state = Mutex((now: 0, most: 0, done: 0))

  var most: Int { state.withLock { $0.most } }
  var done: Int { state.withLock { $0.done } }

  func enter() {
    state.withLock { state in
      state.now += 1
      state.most = max(state.most, state.now)
    }
  }

  func leave() {
    state.withLock { state in
      state.now -= 1
      state.done += 1
    }
  }
}

@Suite struct EngineTests {
  @Test(arguments: [(1, 1), (3, 20), (8, 100)])
  func limiterNeverExceedsItsPermits(permits: Int, tasks: Int) async throws {
    let limiter = AdaptiveLimiter(AIMD(fixed: permits))
    let gauge = Gauge()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<tasks {
        group.addTask {
          let permit = try await limiter.acquire()
          gauge.enter()
          await Task.yield()
          gauge.leave()
          limiter.release(permit, .succeeded)
        }
      }
      try await group.waitForAll()
    }
    #expect(gauge.done == tasks)
    #expect(gauge.most <= permits)
  }

  /// A cancelled waiter neither hangs nor takes a permit with it.
  @Test func cancelledWaitersGiveNothingAway() async throws {
    let limiter = AdaptiveLimiter(AIMD(fixed: 1))
    let held = try await limiter.acquire()
    let waiters = (0..<10).map { _ in
      Task {
        let permit = try await limiter.acquire()
        limiter.release(permit, .other)
      }
    }
    for waiter in waiters { waiter.cancel() }
    for waiter in waiters {
      await #expect(throws: CancellationError.self) { try await waiter.value }
    }
    limiter.release(held, .other)
    _ = try await limiter.acquire()
  }

  @Test func backoffIsFullJitterUpToTwentySeconds() {
    #expect(JobPace.delay(attempt: 0, cause: .throttled, random: 1) == .seconds(1))
    #expect(JobPace.delay(attempt: 3, cause: .throttled, random: 1) == .seconds(8))
    #expect(JobPace.delay(attempt: 3, cause: .throttled, random: 0.5) == .seconds(4))
    #expect(JobPace.delay(attempt: 9, cause: .throttled, random: 1) == .seconds(20))
    #expect(JobPace.delay(attempt: 1_000_000, cause: .unprocessed, random: 1) == .seconds(20))
    #expect(JobPace.delay(attempt: 0, cause: .unprocessed, random: 1) == .milliseconds(100))
    #expect(JobPace.delay(attempt: 5, cause: .transient, random: 0) == .zero)
  }

  @Test func aJobThatNoLongerMovesGivesUp() async throws {
    let pace = JobPace(giveUpAfter: .zero)
    await #expect {
      try await pace.wait(attempt: 0, cause: .transient, because: "the network is down")
    } throws: { error in
      (error as? DynamoError)?.code == .stuck && "\(error)".contains("the network is down")
    }
  }

  private func row(_ segment: Int, _ chunk: Int) -> ChunkRow {
    let digest = SHA256.digest(of: [UInt8]().span.bytes)
    return ChunkRow(
      id: ChunkID(segment: segment, number: chunk), items: 1, contentBytes: 20, storedBytes: 20,
      sha256: digest, contentSHA256: digest)
  }

  /// Every chunk once; within a segment in order; neighbours in the order are far apart.
  @Test func chunksOfDistantSegmentsFollowEachOther() {
    var rows: [ChunkRow] = []
    for segment in 0..<8 {
      for chunk in 0..<(segment == 3 ? 5 : 2) { rows.append(row(segment, chunk)) }
    }
    let order = ChunkOrder.interleaved(rows, by: \.segment)
    #expect(Set(order.map(\.name)) == Set(rows.map(\.name)))
    #expect(order.count == rows.count)
    #expect(order.prefix(8).map(\.segment) == [0, 4, 2, 6, 1, 5, 3, 7])
    #expect(
      order.filter { $0.segment == 3 }.map(\.name) == rows.filter { $0.segment == 3 }.map(\.name))
    #expect(ChunkOrder.interleaved([ChunkRow](), by: \.segment).isEmpty)
    #expect(ChunkOrder.interleaved([row(5, 0)], by: \.segment).map(\.segment) == [5])
  }
}
