import AWS
import Archive

/// A copy at work. Each segment of the source is one task's: it cuts a page into batches while the next
/// page travels, and waits where as many batches are at work as may be. So memory has a bound that no table
/// moves, but for the keys that `--replace` remembers.
struct CopyRun: Sendable {
  private typealias Group = BatchQueue.Group

  let pages: PageReader
  let readers: Int
  let fetcher: ItemFetcher
  /// Whether the pages hold nothing but keys, of items to be read whole.
  let fetchesWhole: Bool
  /// How the items are changed on their way.
  let transforms: ItemTransforms
  let writer: TableWriter
  /// Reads the target's keys, where some of its items may be deleted.
  let targetKeys: PageReader?
  let targetReaders: Int
  let rejects: RejectsFile
  let state: JobState<CopyProgress>

  private var stop: StopSignal { writer.stop }

  /// Deletes what the target holds, of the slice that is copied.
  func truncate() async throws {
    guard let targetKeys else { return }
    state.change { $0.phase = .truncating }
    try await writer.delete(targetKeys, readers: targetReaders) { tally in
      state.change { progress in
        progress.add(tally)
        progress.truncated += tally.deleted
      }
    }
  }

  /// Puts the source's items.
  ///
  /// - Parameter keys: takes in the key of each.
  /// - Throws: `CancellationError` after the wish to stop, once what was in flight has ended.
  func copy(_ keys: KeyHashCollector?) async throws {
    state.change { $0.phase = .copying }
    let queue = BatchQueue(width: writer.concurrency)
    let sender = sender
    try await pages.plan.spreadSegments.forEachTask(width: readers) { segment in
      try await BatchQueue.withGroup { group in
        var builder = writer.builder
        var wanted = fetcher.batch
        var changer = changer
        try await pages.forEachPage(of: segment, key: writer.key, stop: stop) { page in
          count(page)
          guard !fetchesWhole else {
            for entry in page.entries {
              while !wanted.add(
                page.bytes.span.extracting(entry.object),
                key: page.canonical.span.extracting(entry.key))
              {
                try await putFetched(
                  wanted.take(), keys, &changer, &builder, &group, queue, sender)
              }
            }
            return
          }
          var items = KeyedItems(page)
          try items.change(by: &changer)
          keys?.add(items.entries.map(\.key), in: items.canonical)
          state.change { $0.read += items.entries.count }
          try await put(items, &builder, &group, queue, sender)
        }
        if !stop.isRequested {
          try await putFetched(wanted.take(), keys, &changer, &builder, &group, queue, sender)
        }
        try await queue.submit(builder.take(), &group, sender)
      }
    }
    if stop.isRequested { throw CancellationError() }
    try checkSum()
  }

  /// Deletes the target's items that the source has not.
  ///
  /// What was not seen in the source may have been added or changed meanwhile, or may stand outside the
  /// slice, so it is looked up there first: what is there is put, what is not is deleted.
  ///
  /// - Parameter seen: the keys of what was copied.
  func removeRest(but seen: KeyHashSet) async throws {
    guard let targetKeys else { return }
    state.change { $0.phase = .comparing }
    let queue = BatchQueue(width: writer.concurrency)
    let sender = sender
    try await targetKeys.plan.spreadSegments.forEachTask(width: targetReaders) { segment in
      try await BatchQueue.withGroup { group in
        var doubtful = fetcher.batch
        try await targetKeys.forEachPage(of: segment, key: writer.key, stop: stop) { page in
          state.change { progress in
            progress.compared += page.entries.count
            progress.targetReadUnits += page.page.consumedUnits ?? 0
          }
          for entry in page.entries where !seen.contains(entry.key, in: page.canonical) {
            while !doubtful.add(
              page.bytes.span.extracting(entry.object),
              key: page.canonical.span.extracting(entry.key))
            {
              try await settle(doubtful.take(), &group, queue, sender)
            }
          }
        }
        if !stop.isRequested {
          try await settle(doubtful.take(), &group, queue, sender)
        }
      }
    }
    if stop.isRequested { throw CancellationError() }
    try checkSum()
  }

  /// Reads items whole and puts them.
  private func putFetched(
    _ batch: KeyBatch?, _ keys: KeyHashCollector?, _ changer: inout LineTransformer?,
    _ builder: inout BatchBuilder, _ group: inout Group, _ queue: BatchQueue, _ sender: BatchSender
  ) async throws {
    guard let batch else { return }
    try await fetcher.fetch(batch) { answer in
      var items = KeyedItems(answer)
      try items.change(by: &changer)
      keys?.add(items.entries.map(\.key), in: items.canonical)
      state.change { progress in
        progress.read += items.entries.count
        progress.gone += answer.content.absent.count
      }
      try await put(items, &builder, &group, queue, sender)
    }
  }

  /// Puts what the source has of some keys, and deletes the rest: at once, before that can be old news.
  private func settle(
    _ batch: KeyBatch?, _ group: inout Group, _ queue: BatchQueue, _ sender: BatchSender
  ) async throws {
    guard let batch else { return }
    var builder = writer.builder
    var changer = changer
    try await fetcher.fetch(batch) { answer in
      var items = KeyedItems(answer)
      try items.change(by: &changer)
      state.change { progress in
        progress.read += items.entries.count
        progress.caughtUp += items.entries.count
        progress.toDelete += answer.content.absent.count
      }
      try await put(items, &builder, &group, queue, sender)
      for index in answer.content.absent {
        let entry = answer.batch.entries[index]
        while !builder.add(
          .delete, answer.batch.objects.span.extracting(entry.object),
          key: answer.batch.canonical.span.extracting(entry.key))
        {
          try await queue.submit(builder.take(), &group, sender)
        }
      }
      try await queue.submit(builder.take(), &group, sender)
    }
  }

  private func put(
    _ items: KeyedItems, _ builder: inout BatchBuilder, _ group: inout Group, _ queue: BatchQueue,
    _ sender: BatchSender
  ) async throws {
    for entry in items.entries {
      while !builder.add(
        .put, items.bytes.span.extracting(entry.object),
        key: items.canonical.span.extracting(entry.key))
      {
        try await queue.submit(builder.take(), &group, sender)
      }
    }
  }

  /// Changes the items of one task; nil where they stay as they are.
  private var changer: LineTransformer? {
    transforms.isEmpty ? nil : LineTransformer(transforms, key: writer.key)
  }

  private var sender: BatchSender {
    writer.sender(
      reject: { kind, object, error in
        try rejects.append(kind, object, code: error.code, message: error.message)
      },
      progress: { tally in
        let now = state.change { $0.add(tally) }
        try RejectsFile.checkAnyTaken(
          written: now.written + now.deleted, rejected: now.rejected)
      })
  }

  private func count(_ page: KeyedPage) {
    state.change { progress in
      progress.scannedItems += page.page.scannedItems
      progress.sourceReadUnits += page.page.consumedUnits ?? 0
    }
  }

  /// Everything that was to be written must be acknowledged or rejected by name.
  private func checkSum() throws(DynamoError) {
    let end = state.snapshot
    guard end.addsUp else {
      throw DynamoError(
        .countMismatch,
        "\(end.read) items were read and \(end.toDelete) were to be deleted, but \(end.written) were "
          + "written, \(end.deleted - end.truncated) deleted and \(end.rejected) rejected",
        hint: "copy again; if that says the same, report it")
    }
  }
}
