import AWS
public import Archive
import JSON

extension DynamoClient {
  /// Tables that are looked at for their tags at the same time.
  private static let tagReaders = 8

  /// The names of the tables that are meant, in order.
  ///
  /// Tags are asked for table by table (DescribeTable for the ARN, ListTagsOfResource); a table that is deleted
  /// meanwhile is none that is meant.
  ///
  /// - Throws: `ServiceError`, `DynamoError` of code `badAnswer`, `CancellationError`.
  public func tables(_ selection: TableSelection) async throws -> [String] {
    let names = try await tableNames().filter { selection.pattern?.matches($0) ?? true }.sorted()
    guard !selection.tags.isEmpty else { return names }
    let meant = try await severalAtOnce(names, limit: DynamoClient.tagReaders) { name in
      guard let tags = try await tags(ofTable: name) else { return false }
      return selection.tags.allSatisfy { condition in
        tags.contains { condition.isMet(byKey: $0.key, value: $0.value) }
      }
    }
    return zip(names, meant).filter { $0.1 == true }.map(\.0)
  }

  /// The names of all tables of the account in the region; ListTables gives a hundred at a time.
  private func tableNames() async throws -> [String] {
    var names: Set<String> = []
    var request = JSONObject()
    repeat {
      let answer = try await call("ListTables", .object(request))
      guard let page = answer["TableNames"]?.array?.map(\.string) else {
        throw DynamoError(.badAnswer, "ListTables answered without TableNames")
      }
      for name in page {
        guard let name, TableName.isValid(name) else {
          throw DynamoError(.badAnswer, "ListTables answered with something that names no table")
        }
        names.insert(name)
      }
      let last = answer["LastEvaluatedTableName"]
      guard last == nil || last != request["ExclusiveStartTableName"] else {
        throw DynamoError(.badAnswer, "ListTables does not get any further")
      }
      request["ExclusiveStartTableName"] = last
    } while request["ExclusiveStartTableName"]?.string != nil
    return Array(names)
  }

  /// The tags of a table; nil where it is gone.
  private func tags(ofTable name: String) async throws -> [TableTag]? {
    guard let table = try await describeTableIfPresent(name), let arn = table.arn else {
      return nil
    }
    do {
      let found = try await TableSettings.pages("Tags", ["ResourceArn": .string(arn)]) {
        try await call("ListTagsOfResource", $0)
      }
      return found.compactMap { tag in
        guard let key = tag["Key"]?.string, let value = tag["Value"]?.string else { return nil }
        return TableTag(key: key, value: value)
      }
    } catch let error as ServiceError {
      guard error.code == "ResourceNotFoundException" else { throw error }
      return nil
    }
  }
}
