/// The order in which a load reads chunks.
///
/// Items of one segment are in hash order, so neighbours in an archive are neighbours in one
/// partition, whose limit is 1,000 write units a second. Segments are visited far apart from each
/// other instead (bit-reversed), one chunk of each at a time.
enum ChunkOrder {
  /// - Parameter segment: tells chunks apart that need not follow each other.
  static func interleaved<Chunk>(_ rows: [Chunk], by segment: (Chunk) -> Int) -> [Chunk] {
    let bySegment = Dictionary(grouping: rows, by: segment)
    let segments = bySegment.keys.sorted()
    let bits = segments.count <= 1 ? 0 : Int.bitWidth - (segments.count - 1).leadingZeroBitCount
    let spread = segments.indices.sorted { reversed($0, bits) < reversed($1, bits) }
    var result: [Chunk] = []
    result.reserveCapacity(rows.count)
    var round = 0
    while result.count < rows.count {
      for index in spread {
        if let chunks = bySegment[segments[index]], round < chunks.count {
          result.append(chunks[round])
        }
      }
      round += 1
    }
    return result
  }

  private static func reversed(_ value: Int, _ bits: Int) -> Int {
    var (value, result) = (value, 0)
    for _ in 0..<bits {
      result = result << 1 | value & 1
      value >>= 1
    }
    return result
  }
}
