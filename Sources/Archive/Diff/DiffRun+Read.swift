internal import Synchronization

extension DiffRun {
  /// The first reading: records of the items that may not be the same on both sides.
  func read() async throws -> RecordStore {
    let store = newStore()
    if readsTogether {
      try await readTogether(store)
    } else {
      try await readInTurn(store)
    }
    return store
  }

  /// What a reader notes down while it reads.
  private struct Notes {
    var gatherer: ItemGatherer
    var lane: RecordStore.Lane
    var hashes: BlockHashes

    init(_ run: DiffRun, _ store: RecordStore) {
      gatherer = run.gatherer()
      lane = RecordStore.Lane(store)
      hashes = BlockHashes(run.hash, usesKeys: run.usesKeys)
    }

    mutating func finish(_ run: DiffRun) throws {
      try lane.finish()
      run.sorters.put(gatherer.sorter)
    }
  }

  /// Whether another item may be gathered before it is known to be wanted: where much differs it may be in
  /// spelling only, and then it is better left to the second reading.
  private var gathersEarly: Bool {
    early.load(ordering: .relaxed) <= 20_000 + counter.newItems / 16
  }

  /// Reads the old side and then the new one. Of every item there is a record, but of those on the new side
  /// that the old one surely lacks: they are gathered at once, so that most parts of the new side need no
  /// second reading.
  private func readInTurn(_ store: RecordStore) async throws {
    var filter: HashFilter?
    for side in sides.indices {
      let known = filter
      try await forEach(
        partsToRead[side].map { (side, $0) }, atATime: sides[side].readers(options)
      ) { [self] side, part in
        var notes = Notes(self, store)
        var index = 0
        try await sides[side].read(part: part, usesKeys ? .keys : .lines) { block in
          try check(side, index + block.lines.count)
          notes.hashes.take(block)
          try note(block, side, part, index, known, &notes)
          index += block.lines.count
          counter.read(side, block)
          return true
        }
        try notes.finish(self)
      }
      if side == 0, !usesKeys { filter = try HashFilter(store, memory: options.memory / 8) }
    }
  }

  /// Reads both sides at the same time, in step: items that are the same meet in a pool and are done with.
  /// Strays have a record, and are gathered at once, so that there is nothing to be read again. Where the
  /// two tell their items in no common order, it goes on as `readInTurn` does.
  private func readTogether(_ store: RecordStore) async throws {
    let readers = max(1, options.concurrency / 2)
    let meeting = ItemMeeting(memory: options.memory / 8, readers: readers)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for side in sides.indices {
        for parts in shares(side, readers) {
          group.addTask { [self] in
            for part in parts { try await read(side, part, store, meeting) }
            meeting.finished(side)
          }
        }
      }
      while try await group.next() != nil {}
    }
    var strays = Strays()
    meeting.drain(&strays)
    var notes = Notes(self, store)
    try note(strays, &notes)
    try notes.finish(self)
  }

  /// The parts of a side for each of its readers, in their order, about as many bytes for each: so the
  /// readers of both sides stand at the same places.
  private func shares(_ side: Int, _ readers: Int) -> [[Int]] {
    let parts = partsToRead[side]
    let sizes = parts.map { max(1, sides[side].parts[$0].contentBytes ?? 1) }
    let total = sizes.reduce(0) { $0.addingReportingOverflow($1).partialValue }
    var shares = [[Int]](repeating: [], count: readers)
    var passed = 0.0
    for (part, size) in zip(parts, sizes) {
      let middle = (passed + Double(size) / 2) / Double(max(total, 1))
      shares[min(max(Int(middle * Double(readers)), 0), readers - 1)].append(part)
      passed += Double(size)
    }
    return shares
  }

  private func read(
    _ side: Int, _ part: Int, _ store: RecordStore, _ meeting: ItemMeeting
  ) async throws {
    var notes = Notes(self, store)
    var strays = Strays()
    var index = 0
    let place = ItemRecord.place(side, part)
    try await sides[side].read(part: part, .lines) { block in
      try check(side, index + block.lines.count)
      notes.hashes.take(block)
      if meeting.take(block, notes.hashes.items, place: place, index: index, strays: &strays) {
        try note(strays, &notes)
        strays.clear()
      } else {
        try await meeting.turn(of: side)
        let filter = side == 1 ? try meeting.filter(store) : nil
        try note(block, side, part, index, filter, &notes)
      }
      index += block.lines.count
      counter.read(side, block)
      try await meeting.turn(of: side)
      return true
    }
    try notes.finish(self)
  }

  private func check(_ side: Int, _ items: Int) throws(ArchiveError) {
    guard items <= Int(UInt32.max) else {
      throw ArchiveError(
        .unsupported, "\(sides[side].name) has a part of more than 2^32 items")
    }
  }

  /// Notes down a block's items.
  private func note(
    _ block: borrowing LineBlock, _ side: Int, _ part: Int, _ first: Int, _ filter: HashFilter?,
    _ notes: inout Notes
  ) throws {
    let place = ItemRecord.place(side, part)
    if let filter { notes.hashes.judge(filter) }
    let isOpen = filter != nil && gathersEarly
    var gathered = 0
    for number in block.lines.indices {
      if isOpen, notes.hashes.isForeign[number] {
        try notes.gatherer.add(
          block.bytes.span, block.lines[number], index: first + number, isNew: side == 1,
          file: sides[side].parts[part].file)
        gathered += 1
        continue
      }
      try notes.lane.add(
        ItemRecord(
          hash: notes.hashes.items[number], keyHash: notes.hashes.keys[number], place: place,
          index: UInt32(first + number)))
    }
    early.add(gathered, ordering: .relaxed)
  }

  /// Notes down strays.
  private func note(_ strays: borrowing Strays, _ notes: inout Notes) throws {
    for stray in strays.items {
      var record = ItemRecord(
        hash: stray.hash, keyHash: UInt64(truncatingIfNeeded: stray.hash), place: stray.place,
        index: stray.index)
      if gathersEarly {
        let side = record.isNew ? 1 : 0
        try notes.gatherer.add(
          strays.bytes.span, stray.line, index: Int(stray.index), isNew: record.isNew,
          file: sides[side].parts[record.part].file)
        record.isGathered = true
        early.add(1, ordering: .relaxed)
      }
      try notes.lane.add(record)
    }
  }
}
