import Archive
import JSON
import Testing

@testable import Dynamo

private func table(
  arn: String? = "arn:aws:dynamodb:eu-central-1:111122223333:table/Orders", id: String? = nil,
  items: Int = 0, bytes: Int = 0, index: (items: Int, bytes: Int)? = nil
) throws -> TableDescription {
  var raw: JSONObject = [
    "TableName": "Orders",
    "AttributeDefinitions": [["AttributeName": "p", "AttributeType": "S"]],
    "KeySchema": [["AttributeName": "p", "KeyType": "HASH"]],
    "ItemCount": JSONValue(items), "TableSizeBytes": JSONValue(bytes),
  ]
  raw["TableArn"] = arn.map(JSONValue.string)
  raw["TableId"] = id.map(JSONValue.string)
  if let index {
    raw["GlobalSecondaryIndexes"] = [
      [
        "IndexName": "by-p", "KeySchema": [["AttributeName": "p", "KeyType": "HASH"]],
        "Projection": ["ProjectionType": "ALL"], "ItemCount": JSONValue(index.items),
        "IndexSizeBytes": JSONValue(index.bytes),
      ]
    ]
  }
  return try TableDescription(table: raw)
}

@Suite struct SameTableTests {
  private static let other = "arn:aws:dynamodb:eu-central-1:444455556666:table/Orders"

  @Test(
    arguments: [
      // ids, whether the ARN is another, whether the endpoint is one, whether it is one table
      ("1", "1", false, true, true), ("1", "1", false, false, true), ("1", "2", false, true, false),
      ("1", nil, false, true, true), ("1", nil, false, false, false), (nil, nil, false, true, true),
      (nil, nil, false, false, false), ("1", "1", true, true, false), (nil, nil, true, true, false),
    ] as [(String?, String?, Bool, Bool, Bool)])
  func tablesAreToldApart(
    id: String?, otherID: String?, isOtherARN: Bool, isOneEndpoint: Bool, isSame: Bool
  ) throws {
    let one = try table(id: id)
    let two =
      isOtherARN ? try table(arn: SameTableTests.other, id: otherID) : try table(id: otherID)
    #expect(one.isSameTable(as: two, isOneEndpoint: isOneEndpoint) == isSame)
  }
}

@Suite struct TruncateCostTests {
  /// Whole KB of the mean item, in the table and each index; 4 KB of the whole for the scan.
  @Test(
    arguments: [
      (1000, 500_000, nil, 123, 1000), (1000, 1_500_000, nil, 367, 2000),
      (1000, 1_500_000, (400, 40_000), 367, 2400), (0, 0, nil, 0, 0),
    ] as [(Int, Int, (items: Int, bytes: Int)?, Int, Int)])
  func costs(
    items: Int, bytes: Int, index: (items: Int, bytes: Int)?, readUnits: Int, writeUnits: Int
  ) throws {
    let cost = TruncateCost(try table(items: items, bytes: bytes, index: index))
    #expect((cost.items, cost.readUnits, cost.writeUnits) == (items, readUnits, writeUnits))
  }
}

@Suite struct KeysOnlyTests {
  /// Placeholders of its own, beside the user's.
  @Test func onlyTheKeyIsAskedFor() throws {
    var read = ReadOptions()
    read.filter = "#v = :v"
    read.names = ["#v": "v"]
    read.values = [":v": ["N": "1"]]
    read.partition = ["a"]
    let plan = try ReadPlan.keys(of: table(), read, cores: 2)
    let body = plan.request(segment: 0, startKey: nil)
    let request = try JSONValue.parse(body.span)
    #expect(request["ProjectionExpression"] == "#dynarcKey0")
    #expect(request["FilterExpression"] == "#v = :v")
    #expect(request["ExpressionAttributeNames"]?["#dynarcKey0"] == "p")
    #expect(request["ExpressionAttributeNames"]?["#v"] == "v")
    #expect(request["ConsistentRead"] == true)
    #expect(!plan.isKeyless)
  }

  /// A global index cannot be read consistently.
  @Test func anIndexIsReadAsItCan() throws {
    var read = ReadOptions()
    read.index = "by-p"
    let plan = try ReadPlan.keys(of: table(index: (1, 100)), read, cores: 2)
    let body = plan.request(segment: 0, startKey: nil)
    let request = try JSONValue.parse(body.span)
    #expect(request["ConsistentRead"] == false)
    #expect(request["IndexName"] == "by-p")
  }
}

@Suite struct CopyProgressTests {
  @Test func everyItemIsAccountedFor() {
    var progress = CopyProgress()
    progress.read = 10
    progress.add(BatchSender.Tally(written: 9))
    #expect(!progress.addsUp)
    progress.add(BatchSender.Tally(rejected: 1))
    #expect(progress.addsUp)
    progress.toDelete = 3
    #expect(!progress.addsUp)
    progress.add(BatchSender.Tally(written: 3, deleted: 3))
    #expect(progress.addsUp)
    #expect((progress.written, progress.deleted, progress.rejected) == (9, 3, 1))
  }
}
