import Archive
import Testing

/// Keys of several lengths, one behind the other, and where each stands.
private func keys(_ numbers: Range<Int>, _ prefix: String) -> (bytes: [UInt8], ranges: [Range<Int>])
{
  var bytes: [UInt8] = []
  var ranges: [Range<Int>] = []
  for number in numbers {
    let start = bytes.count
    bytes += "\(prefix)\(number)\(String(repeating: "x", count: number % 40))".utf8
    ranges.append(start..<bytes.count)
  }
  return (bytes, ranges)
}

@Suite struct KeyHashesTests {
  /// More than fill the blocks of every partition.
  @Test func everyKeyTakenInIsFoundAndNoOther() {
    let collector = KeyHashCollector()
    let (taken, ranges) = keys(0..<400_000, "k")
    for start in stride(from: 0, to: ranges.count, by: 1000) {
      collector.add(Array(ranges[start..<start + 1000]), in: taken)
    }
    let set = collector.sorted()
    #expect(set.count == 400_000)
    #expect(ranges.allSatisfy { set.contains($0, in: taken) })
    let (others, otherRanges) = keys(0..<100_000, "other-")
    #expect(!otherRanges.contains { set.contains($0, in: others) })
  }

  @Test func nothingIsInAnEmptySet() {
    let set = KeyHashCollector().sorted()
    #expect(set.count == 0)
    #expect(!set.contains(0..<1, in: [1]))
    #expect(!set.contains(0..<0, in: []))
  }

  /// Keys that begin alike, or are parts of each other, are keys of their own.
  @Test func lengthsCount() {
    let bytes: [UInt8] = [0, 0, 0, 0]
    let collector = KeyHashCollector()
    collector.add([0..<2], in: bytes)
    let set = collector.sorted()
    #expect(set.contains(2..<4, in: bytes))
    #expect(!set.contains(0..<3, in: bytes))
    #expect(!set.contains(0..<1, in: bytes))
    #expect(!set.contains(0..<0, in: bytes))
  }

  @Test func aKeyTakenInTwiceIsFound() {
    let (bytes, ranges) = keys(0..<1, "k")
    let collector = KeyHashCollector()
    collector.add(ranges, in: bytes)
    collector.add(ranges, in: bytes)
    let set = collector.sorted()
    #expect(set.count == 2)
    #expect(set.contains(ranges[0], in: bytes))
  }

  @Test func tasksAddAtATime() async {
    let collector = KeyHashCollector()
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask {
          let (bytes, ranges) = keys(task * 10_000..<(task + 1) * 10_000, "k")
          for range in ranges { collector.add([range], in: bytes) }
        }
      }
    }
    let set = collector.sorted()
    let (bytes, ranges) = keys(0..<80_000, "k")
    #expect(set.count == 80_000)
    #expect(ranges.allSatisfy { set.contains($0, in: bytes) })
  }
}
