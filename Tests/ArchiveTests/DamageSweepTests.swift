@testable import Archive
import Glibc
import Testing

/// Damage at random places of every file. It is always found, the file is named, and load's own checks
/// refuse what verify does, and nothing else.
@Suite struct DamageSweepTests {
  private struct Sample {
    let directory = TemporaryDirectory()
    let storage: LocalStorage
    /// All files, by name.
    let files: [(name: String, bytes: [UInt8])]

    init() throws {
      storage = LocalStorage(directory: directory.path + "/a")
      var random = Seeded(7)
      let segments = (0..<3).map { segment in
        (0..<2).map { chunk in
          (0..<20).map { number in
            let text = String(
              decoding: (0..<100).map { _ in UInt8.random(in: 97...122, using: &random) },
              as: UTF8.self)
            return order("\(segment)\(chunk)", number, more: ",\"text\":{\"S\":\"\(text)\"}")
          }
        }
      }
      try writeArchive(storage, segments)
      let names = try Archive.open(storage).sums.digests.keys.sorted() + [ArchiveNames.sums]
      let directory = storage.directory
      files = try names.map { ($0, try readFile("\(directory)/\($0)")) }
    }

    func path(_ name: String) -> String { "\(storage.directory)/\(name)" }

    func restore() throws { for file in files { try writeFile(path(file.name), file.bytes) } }
  }

  /// What a load looks at before and while it reads an archive.
  private static func loadProblem(_ storage: LocalStorage) -> ArchiveError? {
    do throws(ArchiveError) {
      let archive = try Archive.open(storage)
      try archive.checkStored()
      for row in archive.manifest.chunks {
        var reader = try archive.chunk(row)
        while try reader.next() {}
      }
      return nil
    } catch { return error }
  }

  private static func expectFound(
    _ sample: Sample, in name: String, _ comment: Comment
  ) async throws {
    let problems = await verify(sample.storage, mode: .full).problems
    #expect(!problems.isEmpty, comment)
    if name == ArchiveNames.sums, problems.first?.code == .unfinished {
      #expect(!exists(sample.path(name)), comment)
    } else {
      #expect(
        problems.contains { $0.file == name || $0.message.contains(name) },
        "\(problems), \(comment)")
    }
    #expect(loadProblem(sample.storage) != nil, comment)
  }

  @Test func theSampleIsSound() async throws {
    let sample = try Sample()
    #expect(await verify(sample.storage, mode: .full).isSound)
    #expect(Self.loadProblem(sample.storage) == nil)
  }

  /// A thousand in all, spread over the files by their sizes.
  @Test(arguments: 0..<10) func flippedBits(_ seed: Int) async throws {
    let sample = try Sample()
    var random = Seeded(seed)
    let total = sample.files.reduce(0) { $0 + $1.bytes.count }
    for _ in 0..<100 {
      var bit = Int.random(in: 0..<total * 8, using: &random)
      let file = try #require(
        sample.files.first { file in
          if bit < file.bytes.count * 8 { return true }
          bit -= file.bytes.count * 8
          return false
        })
      var bytes = file.bytes
      bytes[bit / 8] ^= 1 << (bit % 8)
      try writeFile(sample.path(file.name), bytes)
      try await Self.expectFound(sample, in: file.name, "bit \(bit) of \(file.name)")
      try writeFile(sample.path(file.name), file.bytes)
    }
    #expect(await verify(sample.storage, mode: .full).isSound)
  }

  @Test func cutFiles() async throws {
    let sample = try Sample()
    var random = Seeded(3)
    for file in sample.files {
      let random = (0..<10).map { _ in Int.random(in: 0..<file.bytes.count, using: &random) }
      for length in [0, 1, file.bytes.count - 1] + random {
        try writeFile(sample.path(file.name), Array(file.bytes[..<length]))
        try await Self.expectFound(sample, in: file.name, "\(file.name) cut at \(length)")
      }
      try writeFile(sample.path(file.name), file.bytes)
    }
  }

  @Test func deletedFiles() async throws {
    let sample = try Sample()
    for file in sample.files {
      #expect(unlink(sample.path(file.name)) == 0)
      try await Self.expectFound(sample, in: file.name, "\(file.name) deleted")
      try writeFile(sample.path(file.name), file.bytes)
    }
  }

  @Test func swappedFiles() async throws {
    let sample = try Sample()
    for one in sample.files.indices {
      for other in 0..<one {
        let (left, right) = (sample.files[one], sample.files[other])
        try writeFile(sample.path(left.name), right.bytes)
        try writeFile(sample.path(right.name), left.bytes)
        // What cannot be opened keeps the rest from being looked at.
        let named =
          [ArchiveNames.sums, ArchiveNames.manifest].first { [left.name, right.name].contains($0) }
          ?? right.name
        try await Self.expectFound(sample, in: named, "\(left.name) and \(right.name) swapped")
        try sample.restore()
      }
    }
  }

  /// A copy under a name that a chunk could have, and one behind itself.
  @Test func doubledFiles() async throws {
    let sample = try Sample()
    for file in sample.files {
      let copy = ChunkID(segment: 9, number: 0).name
      try writeFile(sample.path(copy), file.bytes)
      try await Self.expectFound(sample, in: copy, "\(file.name) twice")
      #expect(unlink(sample.path(copy)) == 0)
      try writeFile(sample.path(file.name), file.bytes + file.bytes)
      try await Self.expectFound(sample, in: file.name, "\(file.name) behind itself")
      try writeFile(sample.path(file.name), file.bytes)
    }
  }
}
