import Archive
import JSON
import Testing

@testable import Dynamo

@Suite struct ThrottlingTests {
  private static let table = "arn:aws:dynamodb:eu-central-1:111122223333:table/Orders"

  @Test(arguments: [
    (
      "IndexWriteProvisionedThroughputExceeded", "\(table)/index/by-customer",
      "index by-customer holds the table back (IndexWriteProvisionedThroughputExceeded)"
    ),
    (
      "IndexReadMaxOnDemandThroughputExceeded", "\(table)/index/by-customer",
      "index by-customer holds the job back (IndexReadMaxOnDemandThroughputExceeded)"
    ),
    (
      "TableReadProvisionedThroughputExceeded", table,
      "table Orders holds the job back (TableReadProvisionedThroughputExceeded)"
    ),
    (
      "TableWriteKeyRangeThroughputExceeded", table,
      "a hot partition (key range) of table Orders holds the job back "
        + "(TableWriteKeyRangeThroughputExceeded)"
    ),
    (
      "IndexWriteKeyRangeThroughputExceeded", "\(table)/index/by-day",
      "a hot partition (key range) of index by-day holds the job back "
        + "(IndexWriteKeyRangeThroughputExceeded)"
    ),
    (
      "TableReadAccountLimitExceeded", table,
      "the account's limit for table Orders holds the job back (TableReadAccountLimitExceeded)"
    ),
    ("ThrottlingException", "", "the table holds the job back (ThrottlingException)"),
    ("SomethingNew", "odd", "odd holds the job back (SomethingNew)"),
  ])
  func whatHoldsBackIsSaid(reason: String, resource: String, sentence: String) {
    #expect(ThrottleCause(resource: resource, reason: reason).sentence == sentence)
  }

  @Test func reasonsAreReadAndCounted() throws {
    let list = ThrottleCause.list(
      try JSONValue.parse(
        #"[{"reason":"A","resource":"r"},{"reason":"B"},{"resource":"r"},7,{"reason":"A","resource":"s"}]"#
      ))
    #expect(list.map(\.reason) == ["A", "B", "A"])
    #expect(list.map(\.resource) == ["r", "", "s"])
    #expect(ThrottleCause.list(nil).isEmpty)
    #expect(ThrottleCause.list("A").isEmpty)
    var sums = ThrottleSums()
    sums.add([list[0]], times: 2)
    sums.add([list[1]], times: 1)
    sums.add([list[0]], times: 0)
    #expect(sums.latest == list[1])
    sums.add([list[0]], times: 3)
    #expect(sums.causes.map(\.times) == [5, 1])
    #expect(sums.latest == list[0])
  }
}

@Suite struct CapacityLimitTests {
  private static func table(provisioned: Throughput?) -> TableSchema {
    let key = KeySchema([KeyAttribute(name: "p", type: .string, role: .hash)])
    return TableSchema(
      name: "Orders", key: key,
      indexes: [
        IndexSchema(
          name: "global", kind: .global, key: key, projection: Projection(type: "ALL"),
          provisioned: provisioned.map { Throughput(read: $0.read / 2, write: $0.write / 2) }),
        IndexSchema(name: "local", kind: .local, key: key, projection: Projection(type: "ALL")),
      ], billingMode: provisioned == nil ? .onDemand : .provisioned, provisioned: provisioned)
  }

  private static let provisioned = table(provisioned: Throughput(read: 200, write: 80))
  private static let onDemand = table(provisioned: nil)
  private static let limits: JSONObject = [
    "OnDemandThroughput": ["MaxReadRequestUnits": 400, "MaxWriteRequestUnits": -1],
    "GlobalSecondaryIndexes": [
      ["IndexName": "global", "OnDemandThroughput": ["MaxReadRequestUnits": 10]]
    ],
  ]

  private typealias Case = (
    limit: CapacityLimit, direction: CapacityLimit.Direction, schema: TableSchema, index: String?,
    units: Double
  )
  private static let cases: [Case] = [
    (.units(7), .read, onDemand, nil, 7),
    (.percent(25), .read, provisioned, nil, 50),
    (.percent(25), .write, provisioned, nil, 20),
    (.percent(25), .read, provisioned, "global", 25),
    (.percent(25), .read, provisioned, "local", 50),
    (.percent(2.5), .read, onDemand, nil, 10),
    (.percent(50), .read, onDemand, "global", 5),
    (.percent(50), .read, onDemand, "local", 200),
  ]

  @Test(arguments: cases.indices)
  func percentagesAreOfWhatIsRead(number: Int) throws {
    let one = CapacityLimitTests.cases[number]
    let units = try one.limit.unitsPerSecond(
      one.direction, schema: one.schema, raw: CapacityLimitTests.limits, index: one.index)
    #expect(units == one.units)
  }

  /// -1 is what a maximum is that was taken away again.
  @Test(arguments: [CapacityLimit.Direction.read, .write])
  func aPercentageOfNothingIsWrongUsage(direction: CapacityLimit.Direction) throws {
    let raw = direction == .read ? nil : CapacityLimitTests.limits
    let error = try #require(throws: DynamoError.self) {
      try CapacityLimit.percent(50).unitsPerSecond(
        direction, schema: CapacityLimitTests.onDemand, raw: raw)
    }
    #expect(error.code == .usage)
    #expect(error.hint?.contains(direction == .read ? "--read-units" : "--write-units") == true)
  }
}
