import AWS
import Archive

/// Fetches and cuts the pages of a planned read.
struct PageReader: Sendable {
  let plan: ReadPlan
  /// For messages.
  let tableName: String
  let gate: RequestGate
  let meter: PageMeter

  /// One page, for as long as that takes.
  ///
  /// - Parameters:
  ///   - startKey: the `LastEvaluatedKey` of the page before.
  ///   - most: items to read at most, whatever a budget allows.
  /// - Throws: `ServiceError`, `DynamoError` of code `stuck`, `CancellationError`; `ArchiveError` of code
  ///   `badPage` for a page that makes no sense however often it is asked for.
  func page(_ segment: Int, startKey: [UInt8]?, atMost most: Int? = nil) async throws -> Page {
    let operation = plan.description.operation
    var (attempt, badPages) = (0, 0)
    while true {
      try Task.checkCancellation()
      do {
        var limit: Int?
        let answer = try await gate.call(
          operation.rawValue, estimate: { meter.estimate },
          body: {
            limit = [meter.limit, most].compactMap(\.self).min()
            return plan.request(segment: segment, startKey: startKey, limit: limit)
          }
        ) {
          let page = try Page($0.body, countsOnly: plan.countsOnly)
          return .init(content: page, units: page.consumedUnits)
        }
        gate.pace.progressed()
        meter.learn(limit: limit, scanned: answer.content.scannedItems, units: answer.units)
        return answer.content
      } catch let error as ServiceError {
        try await gate.retry(after: error, attempt: attempt)
      } catch var error as ArchiveError {
        // A page that is whole by its checksum and still no JSON may be a proxy's; but one that
        // comes again and again is the service's, and nothing here will mend it.
        badPages += 1
        guard badPages < 5 else {
          let place = startKey.map { " behind the key \(String(decoding: $0, as: UTF8.self))" }
          error.message =
            "\(operation.rawValue) of \(tableName), segment \(segment)\(place ?? ""): \(error.message)"
          throw error
        }
        try await gate.retry(afterBadAnswer: error.message, attempt: attempt)
      }
      attempt += 1
    }
  }
}

extension PageReader {
  /// A reader whose pages are as large as the gate's budget wants them.
  init(plan: ReadPlan, tableName: String, gate: RequestGate) {
    self.init(
      plan: plan, tableName: tableName, gate: gate,
      meter: PageMeter(
        gate.budget.map {
          PageSizer(
            rate: $0.rate, consistent: plan.description.consistentRead,
            unitsPerItem: plan.unitsPerItem)
        }))
  }
}
