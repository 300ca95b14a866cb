import AWS
import Archive
import JSON

/// How far the making of indexes is.
public struct IndexProgress: Sendable, Equatable {
  /// The index that is being made.
  public var name: String
  /// Its place among those to be made, from 1.
  public var number: Int
  public var count: Int
  /// Whether the service fills it with the table's items, in the place of preparing it.
  public var isBackfilling: Bool
}

/// A table that has been created for an archive.
struct CreatedTable {
  var description: TableDescription
  /// What is left to do, now that the table's account is known.
  var blueprint: TableBlueprint
  /// What became of the settings that it was to have from the start.
  var results: [SettingResult]
}

extension SettingsJob {
  /// Creates a table with all that CreateTable takes. Where that is refused, it is created with key, indexes
  /// and billing, and each setting is asked for by itself, so that only those are missing which the service
  /// does not take.
  ///
  /// - Parameter account: the account of the credentials; nil where it is not known, which costs a request
  ///   more where a KMS key is to be used.
  func create(
    _ schema: TableSchema, _ settings: TableSettings, name: String, account: String?,
    choice: SettingsChoice
  ) async throws -> CreatedTable {
    func blueprint(_ target: TableIdentity) throws -> TableBlueprint {
      try TableBlueprint(creating: schema, settings: settings, target: target, choice: choice)
    }
    let first = try blueprint(TableIdentity(name: name, account: account, region: client.region))
    var table: TableDescription
    var isBare = false
    do {
      table = try await client.createTable(first.creation, key: schema.key, name: name)
    } catch let error as ServiceError {
      guard error.kind == .final, first.creation != first.bareCreation,
        !SettingsJob.keepsFromCreating.contains(error.code)
      else { throw error }
      table = try await client.createTable(first.bareCreation, key: schema.key, name: name)
      isBare = true
    }
    let final = try blueprint(TableIdentity(name: name, arn: table.arn))
    // Of what the table was created with, only the ARN was not known. More is asked for where the account had
    // to be known, as for a KMS key.
    let done = isBare ? [] : first.ofCreation.map(\.words)
    let open = final.ofCreation.filter { !done.contains($0.words) }
    var results = final.ofCreation.filter { done.contains($0.words) }
      .map { SettingResult($0.setting, $0.words, .restored) }
    results += try await run(open, leaving: [], comparing: false, table: table) { _ in }
    if !open.isEmpty { table = try await client.describeTable(name) }
    return CreatedTable(description: table, blueprint: final, results: results)
  }

  /// Refusals of CreateTable that have nothing to do with settings.
  private static let keepsFromCreating: Set<String> = [
    "ResourceInUseException", "LimitExceededException",
  ]

  /// Adds global indexes to a table, one after the other, as DynamoDB wants it, and waits for each. Those that
  /// are there are left out, so that this can be gone on with.
  ///
  /// - Throws: `ServiceError`, `DynamoError`, `CancellationError`.
  func addIndexes(
    _ indexes: [TableBlueprint.LaterIndex], to name: String,
    progress: @Sendable (IndexProgress) -> Void
  ) async throws {
    for (number, wanted) in indexes.enumerated() {
      var state = IndexProgress(
        name: wanted.index.name, number: number + 1, count: indexes.count, isBackfilling: false)
      progress(state)
      var isAskedFor = false
      var pause = Duration.milliseconds(100)
      while true {
        let table = try await client.describeTable(name)
        let index = table.raw["GlobalSecondaryIndexes"]?.array?
          .first { $0["IndexName"]?.string == wanted.index.name }
        if let index {
          if index["IndexStatus"]?.string ?? "ACTIVE" == "ACTIVE" { break }
          let isBackfilling = index["Backfilling"]?.bool ?? false
          if state.isBackfilling != isBackfilling {
            state.isBackfilling = isBackfilling
            progress(state)
          }
        } else if !isAskedFor {
          isAskedFor = true
          try await whileBusy { try await add(wanted, to: table.schema) }
          continue
        }
        try await stop.sleep(for: pause)
        pause = min(pause * 2, .seconds(5))
      }
    }
  }

  private func add(_ wanted: TableBlueprint.LaterIndex, to schema: TableSchema) async throws {
    var schema = schema
    schema.indexes.append(wanted.index)
    _ = try await client.call(
      "UpdateTable",
      [
        "TableName": .string(schema.name), "AttributeDefinitions": schema.definitions(),
        "GlobalSecondaryIndexUpdates": [["Create": .object(wanted.action)]],
      ])
  }
}
