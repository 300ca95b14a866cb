import Archive

extension DumpJob {
  /// What to read: for a dump that goes on, what it was begun with, unless something else is asked
  /// for, which the archive's writer will refuse.
  ///
  /// - Parameter source: what the dump was begun with; nil for one that begins now.
  static func read(_ options: DumpOptions, _ source: ArchiveSource?) throws -> ReadOptions {
    guard let source else { return options.read }
    guard options.read.isWholeTable else {
      var read = options.read
      read.segments = read.segments ?? source.read.totalSegments
      return read
    }
    guard var read = ReadOptions(begun: source) else {
      throw ArchiveError(
        .damaged, "the key condition is none that dynarc makes", file: ArchiveNames.journal,
        hint: "dump the table again into another directory")
    }
    if let segments = options.read.segments { read.segments = segments }
    return read
  }

  /// How items are changed: for a dump that goes on, as it was begun, unless rules are given, which the
  /// archive's writer will compare.
  static func transforms(
    _ options: DumpOptions, _ source: ArchiveSource?
  ) throws(TransformError) -> ItemTransforms {
    guard let source, !source.transforms.isEmpty else { return options.transforms }
    let transforms =
      options.transforms.isEmpty
      ? try ItemTransforms(source.transforms, hashKey: options.hashKey) : options.transforms
    guard transforms.rules != source.transforms || transforms.hashKeyCheck == source.hashKeyCheck
    else {
      throw TransformError(
        .noHashKey, "the hash key is not the one that the dump was begun with",
        hint: "give that by --hash-key-file or DYNARC_HASH_KEY; equal values would have two hashes")
    }
    return transforms
  }

  /// What the dump was begun with; nil where it did not get as far as to note that.
  static func begun(_ storage: any WritableStorage) throws -> ArchiveSource? {
    do throws(ArchiveError) { return try Journal.read(storage)?.source } catch {
      guard error.code == .missing else { throw error }
    }
    do throws(ArchiveError) { return try Archive.open(storage).manifest.source } catch {
      // What there is instead, the archive's writer looks at more closely.
      return nil
    }
  }

  /// Segments in flight.
  var concurrency: Int {
    min(
      options.concurrency ?? min(max(4 * options.cores, 4), 64), plan.description.totalSegments)
  }

  /// Creates the archive, or takes it over from an earlier run.
  func claim(_ manifest: Manifest) async throws -> ArchiveWriter {
    let (storage, options) = (storage, options)
    let compression = Compression(
      level: options.level, segmentsInFlight: concurrency * options.atOnce)
    return try await offPool {
      options.resume
        ? try ArchiveWriter(
          resuming: storage, tool: manifest.tool, startTime: manifest.startTime,
          parameters: manifest.source.json, compression: compression, limits: options.limits)
        : try ArchiveWriter(
          storage: storage, tool: manifest.tool, startTime: manifest.startTime,
          parameters: manifest.source.json, compression: compression, limits: options.limits)
    }
  }

  /// The summary of a dump that an earlier run has finished, so that running it again and again until
  /// it succeeds comes to an end.
  ///
  /// - Throws: `error` where the archive is another dump's.
  func alreadyComplete(_ source: ArchiveSource, _ error: ArchiveError) throws -> DumpSummary {
    let archive = try Archive.open(storage)
    guard archive.manifest.source == source else { throw error }
    let counts = archive.manifest.counts
    return DumpSummary(
      archive: archive, retries: RetrySums(), throttledBy: ThrottleSums(),
      resumed: DumpCounts(
        chunks: archive.manifest.chunks.count, items: counts.items,
        contentBytes: counts.contentBytes, storedBytes: counts.storedBytes,
        reading: PageTotals(
          scannedItems: counts.scannedItems, consumedReadUnits: counts.consumedReadUnits ?? 0),
        segmentsDone: source.read.totalSegments))
  }
}
