import Archive
import JSON
import Testing

@testable import Dynamo

/// A table with a string and number key, a global index on two attributes, a local one.
private func table(items: Int = 10, bytes: Int = 1000) throws -> TableDescription {
  let json = try JSONValue.parse(
    #"""
    {"TableName":"Orders","TableStatus":"ACTIVE","ItemCount":\#(items),"TableSizeBytes":\#(bytes),
     "TableArn":"arn:aws:dynamodb:eu-west-1:123456789012:table/Orders","TableId":"id-1",
     "AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},
       {"AttributeName":"sk","AttributeType":"N"},{"AttributeName":"day","AttributeType":"B"}],
     "KeySchema":[{"AttributeName":"sk","KeyType":"RANGE"},{"AttributeName":"pk","KeyType":"HASH"}],
     "BillingModeSummary":{"BillingMode":"PAY_PER_REQUEST"},
     "ProvisionedThroughput":{"ReadCapacityUnits":0,"WriteCapacityUnits":0},
     "LocalSecondaryIndexes":[{"IndexName":"by-day","Projection":{"ProjectionType":"ALL"},
       "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"day","KeyType":"RANGE"}]}],
     "GlobalSecondaryIndexes":[{"IndexName":"by-both","IndexStatus":"CREATING",
       "Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["a","b"]},
       "KeySchema":[{"AttributeName":"day","KeyType":"HASH"},{"AttributeName":"pk","KeyType":"HASH"}]}]}
    """#)
  return try TableDescription(table: try #require(json.object))
}

private func plan(_ change: (inout ReadOptions) -> Void) throws -> ReadPlan {
  var options = ReadOptions()
  change(&options)
  return try ReadPlan(table: try table(), options: options, cores: 2)
}

private func request(_ plan: ReadPlan, startKey: String? = nil) throws -> JSONValue {
  try JSONValue.parse(plan.request(segment: 3, startKey: startKey.map { Array($0.utf8) }).span)
}

@Suite struct PageLimitTests {
  @Test(arguments: [nil, 17])
  func aPageIsLimitedWhereABudgetAsksForIt(limit: Int?) throws {
    let body = try plan { _ in }.request(segment: 0, startKey: Array("{}".utf8), limit: limit)
    let request = try JSONValue.parse(body.span)
    #expect(request["Limit"]?.int == limit)
    #expect(request["ExclusiveStartKey"] == .object([:]))
  }
}

@Suite struct QueryRequestTests {
  @Test func aQueryForwardsWithItems() throws {
    let body = try request(try plan { $0.partition = ["a"] })
    #expect(body["ScanIndexForward"] == nil)
    #expect(body["Select"] == nil)
  }

  @Test func backwardsAndCountedOnly() throws {
    var plan = try plan { $0.partition = ["a"] }
    plan.isReversed = true
    plan.countsOnly = true
    let body = try request(plan)
    #expect(body["ScanIndexForward"] == false)
    #expect(body["Select"] == "COUNT")
  }

  @Test func withoutAPartitionItIsNoQuery() {
    let error = #expect(throws: DynamoError.self) { try QueryOptions().check() }
    #expect(error?.code == .usage)
    #expect(error?.hint?.contains("dynarc dump") == true)
  }
}

@Suite struct TableDescriptionTests {
  @Test func readsWhatTheServiceSays() throws {
    let table = try table()
    #expect(table.schema.key.attributes.map(\.name) == ["pk", "sk"])
    #expect(table.schema.key.attributes.map(\.type) == [.string, .number])
    #expect(table.schema.billingMode == .onDemand)
    #expect(table.schema.provisioned == nil)
    #expect(table.accountID == "123456789012")
    #expect(table.region == "eu-west-1")
    #expect(table.pendingIndexes.map(\.name) == ["by-both"])
    #expect(table.schema.index(named: "by-both")?.projection.nonKeyAttributes == ["a", "b"])
  }

  @Test func createTableAsksForTheSame() throws {
    let request = try table().schema.createTableRequest(name: "Copy")
    #expect(request["TableName"] == "Copy")
    #expect(request["BillingMode"] == "PAY_PER_REQUEST")
    #expect(request["ProvisionedThroughput"] == nil)
    #expect(request["AttributeDefinitions"]?.array?.count == 3)
    #expect(request["LocalSecondaryIndexes"]?.array?.count == 1)
    #expect(
      request["GlobalSecondaryIndexes"]?.array?[0]["Projection"]
        == ["ProjectionType": "INCLUDE", "NonKeyAttributes": ["a", "b"]])
  }

  @Test func emptyListsOfIndexesAreLeftOut() throws {
    let schema = TableSchema(
      name: "T", key: KeySchema([KeyAttribute(name: "p", type: .binary, role: .hash)]),
      billingMode: .provisioned, provisioned: Throughput(read: 5, write: 7))
    let request = schema.createTableRequest(name: "T")
    #expect(request["LocalSecondaryIndexes"] == nil)
    #expect(request["GlobalSecondaryIndexes"] == nil)
    #expect(
      request["ProvisionedThroughput"] == ["ReadCapacityUnits": 5, "WriteCapacityUnits": 7])
  }

  @Test(arguments: ["{}", #"{"TableName":"T"}"#]) func unusableAnswers(text: String) throws {
    let object = try #require(try JSONValue.parse(text).object)
    #expect(throws: DynamoError.self) { try TableDescription(table: object) }
  }
}

@Suite struct ReadPlanTests {
  @Test func aScan() throws {
    let plan = try plan { $0.segments = 8 }
    let body = try request(plan, startKey: #"{"pk":{"S":"a"},"sk":{"N":"1.0"}}"#)
    #expect(body["Segment"] == 3)
    #expect(body["TotalSegments"] == 8)
    #expect(body["ConsistentRead"] == false)
    #expect(body["ExclusiveStartKey"]?["sk"]?["N"] == "1.0")
    #expect(body["IndexName"] == nil)
    #expect(plan.expectedItems == 10)
  }

  /// About one a gigabyte, at least four a core, at most a million.
  @Test(arguments: [(0, 8), (1 << 30, 8), (100 << 30, 100), (Int.max, 1_000_000)])
  func segmentsBySize(bytes: Int, segments: Int) throws {
    #expect(try ReadPlan.segments(asked: nil, bytes: bytes, cores: 2) == segments)
  }

  @Test(arguments: [0, -1, 1_000_001]) func impossibleSegments(count: Int) {
    #expect(throws: DynamoError.self) {
      try ReadPlan.segments(asked: count, bytes: 0, cores: 2)
    }
  }

  @Test(arguments: [
    (SortCondition.equal("5"), "#dynarcPk = :dynarcPk AND #dynarcSk = :dynarcSk"),
    (.between("1", "2"), "#dynarcPk = :dynarcPk AND #dynarcSk BETWEEN :dynarcSk AND :dynarcSk1"),
    (.less("5"), "#dynarcPk = :dynarcPk AND #dynarcSk < :dynarcSk"),
    (.lessOrEqual("5"), "#dynarcPk = :dynarcPk AND #dynarcSk <= :dynarcSk"),
    (.greater("5"), "#dynarcPk = :dynarcPk AND #dynarcSk > :dynarcSk"),
    (.greaterOrEqual("-5e3"), "#dynarcPk = :dynarcPk AND #dynarcSk >= :dynarcSk"),
  ])
  func slices(sort: SortCondition, expression: String) throws {
    let plan = try plan {
      $0.partition = ["x"]
      $0.sort = sort
      $0.filter = "#s = :s"
      $0.names = ["#s": "status"]
      $0.values = [":s": ["S": "open"]]
    }
    let body = try request(plan)
    #expect(body["KeyConditionExpression"] == .string(expression))
    #expect(body["ExpressionAttributeNames"]?["#s"] == "status")
    #expect(body["ExpressionAttributeNames"]?["#dynarcSk"] == "sk")
    #expect(body["ExpressionAttributeValues"]?[":dynarcPk"] == ["S": "x"])
    #expect(body["ExpressionAttributeValues"]?[":dynarcSk"]?["N"] != nil)
    #expect(body["Segment"] == nil)
    #expect(plan.description.totalSegments == 1)
  }

  @Test func anIndexWithTwoPartitionAttributes() throws {
    let plan = try plan {
      $0.index = "by-both"
      $0.partition = ["AAE=", "x"]
    }
    let body = try request(plan)
    #expect(body["KeyConditionExpression"] == "#dynarcPk = :dynarcPk AND #dynarcPk1 = :dynarcPk1")
    #expect(body["ExpressionAttributeValues"]?[":dynarcPk"] == ["B": "AAE="])
    #expect(plan.partialBecause?.contains("a, b") == true)
  }

  struct Mistake: Sendable {
    var hint: String
    var options = ReadOptions()

    init(_ hint: String, _ change: (inout ReadOptions) -> Void) {
      self.hint = hint
      change(&options)
    }
  }

  /// Each mistake is told with what would be right.
  @Test(arguments: [
    Mistake("by-both") { $0.index = "by-nobody" },
    Mistake("--pk once for each") { $0.partition = ["a", "b"] },
    Mistake("--pk") { $0.sort = .equal("1") },
    Mistake("6.02E23") { ($0.partition, $0.sort) = (["a"], .equal("x")) },
    Mistake("--sk-between") { ($0.partition, $0.sort) = (["a"], .beginsWith("1")) },
    Mistake("day") {
      ($0.index, $0.partition, $0.sort) = ("by-both", ["AAE=", "x"], .equal("1"))
    },
    Mistake("base64") { ($0.index, $0.partition) = ("by-both", ["?", "x"]) },
    Mistake("--consistent") { ($0.index, $0.consistent) = ("by-both", true) },
    Mistake("--allow-keyless") { $0.projection = "pk, a" },
  ])
  func mistakes(mistake: Mistake) {
    #expect {
      try plan { $0 = mistake.options }
    } throws: { error in
      let error = error as? DynamoError
      return error?.code == .usage && error?.hint?.contains(mistake.hint) == true
    }
  }

  @Test(arguments: [
    ("pk,sk", true), (" pk , sk , a.b[0] ", true), ("#p, sk", true), ("a, pk", false),
    ("pk.x, sk", false), ("#nobody, sk", false), ("pk[0],sk", false),
  ])
  func projections(text: String, hasKeys: Bool) throws {
    let plan = try plan {
      $0.projection = text
      $0.names = ["#p": "pk"]
      $0.allowKeyless = true
    }
    #expect(plan.isKeyless == !hasKeys)
  }

  @Test(arguments: [
    ("", true), ("AAE=", true), ("AA==", true), ("A", false), ("A===", false),
    ("AA=A", false), ("AA-_", false), ("AAE", false),
  ])
  func base64(text: String, valid: Bool) { #expect(Base64.isValid(text) == valid) }
}

/// From what the manifest and the journal tell of a read back to the options that led to it.
@Suite struct BegunReadTests {
  private static let conditions: [SortCondition] = [
    .equal("1"), .between("1", "2"), .less("1"), .lessOrEqual("1"), .greater("-1.5"),
    .greaterOrEqual("1"),
  ]

  private func source(_ plan: ReadPlan) -> ArchiveSource {
    ArchiveSource(tableName: "Orders", read: plan.description, keyless: plan.isKeyless)
  }

  private func expectSame(_ change: (inout ReadOptions) -> Void) throws {
    let begun = try plan(change)
    let options = try #require(ReadOptions(begun: source(begun)))
    let again = try ReadPlan(table: try table(), options: options, cores: 16)
    #expect(again.description == begun.description)
    #expect(again.isKeyless == begun.isKeyless)
  }

  @Test func scans() throws {
    try expectSame { _ in }
    try expectSame { $0.segments = 7 }
    try expectSame { options in
      options.index = "by-day"
      options.consistent = true
      options.filter = "#f = :f"
      options.projection = "a"
      options.allowKeyless = true
      options.names = ["#f": "dynarcPk"]
      options.values = [":f": ["S": "dynarcSk"]]
    }
  }

  @Test(arguments: conditions) func queries(_ sort: SortCondition) throws {
    try expectSame { options in
      options.partition = ["a b"]
      options.sort = sort
      options.filter = "x = :x"
      options.values = [":x": ["N": "1"]]
    }
  }

  @Test func queriesOfIndexes() throws {
    try expectSame { $0.partition = ["a"] }
    try expectSame { options in
      options.index = "by-both"
      options.partition = ["AAEC", "x"]
    }
    try expectSame { options in
      options.index = "by-day"
      options.partition = ["a"]
      options.sort = .beginsWith("AAEC")
    }
  }

  @Test func otherConditionsAreNotGuessed() throws {
    var read = try plan { $0.partition = ["a"] }.description
    read.keyConditionExpression = "pk = :dynarcPk"
    #expect(ReadOptions(begun: ArchiveSource(tableName: "Orders", read: read)) == nil)
  }
}
