import Archive
import JSON
import Testing

@testable import Dynamo

/// What a guarded write asks for, read back from its body.
struct GuardedWriteTests {
  private let key = KeySchema([KeyAttribute(name: "pk", type: .string, role: .hash)])
  private let keyObject = Array(#"{"pk":{"S":"a"}}"#.utf8)

  private func request(
    _ kind: WriteKind, _ object: String, found: String?
  ) throws -> (operation: String, body: JSONValue)? {
    let write = try GuardedWrite(
      kind, Array(object.utf8), found: found.map { Array($0.utf8) }, table: "T", key: key,
      keyObject: keyObject)
    return try write.map { ($0.operation, try JSONValue.parse($0.body.span)) }
  }

  @Test func anItemThatWasNotThereIsPutOnlyWhereThereIsNone() throws {
    let (operation, body) = try #require(
      try request(.put, #"{"pk":{"S":"a"},"x":{"N":"1"}}"#, found: nil))
    #expect(operation == "PutItem")
    #expect(body["ConditionExpression"] == "attribute_not_exists(#k)")
    #expect(body["ExpressionAttributeNames"] == ["#k": "pk"])
    #expect(body["ExpressionAttributeValues"] == nil)
  }

  @Test func onlyWhatDiffersIsTouchedAndAllElseIsHeld() throws {
    let (operation, body) = try #require(
      try request(
        .put, #"{"pk":{"S":"a"},"same":{"N":"1.0"},"other":{"S":"new"},"more":{"BOOL":true}}"#,
        found: #"{"pk":{"S":"a"},"gone":{"S":"x"},"other":{"S":"old"},"same":{"N":"1"}}"#))
    #expect(operation == "UpdateItem")
    // In the order of the names: gone, more, other; then what stays.
    #expect(body["UpdateExpression"] == "SET #2=:n2,#3=:n3 REMOVE #1")
    #expect(
      body["ConditionExpression"]
        == "attribute_exists(#k) AND #1=:1 AND attribute_not_exists(#2) AND #3=:3 AND #4=:4")
    #expect(
      body["ExpressionAttributeNames"]
        == ["#k": "pk", "#1": "gone", "#2": "more", "#3": "other", "#4": "same"])
    #expect(body["ExpressionAttributeValues"]?[":4"] == ["N": "1"])
  }

  @Test func whatDoesNotFitIsLeftOutOrRefused() throws {
    func item(_ count: Int, _ value: String) -> String {
      "{\"pk\":{\"S\":\"a\"}" + (0..<count).map { ",\"a\($0)\":{\"S\":\"\(value)\"}" }.joined()
        + "}"
    }
    let (operation, body) = try #require(
      try request(.delete, #"{"pk":{"S":"a"}}"#, found: item(300, "x")))
    #expect(operation == "DeleteItem" && body["ReturnValues"] == "ALL_OLD")
    let condition = try #require(body["ConditionExpression"]?.string)
    #expect(condition.split(separator: " AND ").count == GuardedWrite.maximumTerms)
    #expect(condition.utf8.count <= 4096)
    let most = GuardedWrite.maximumTerms - 1
    #expect(try request(.put, item(most, "y"), found: item(most, "x")) != nil)
    #expect(try request(.put, item(most + 1, "y"), found: item(most + 1, "x")) == nil)
  }

  @Test func statesAreComparedByWhatTheyMean() throws {
    var comparison = ItemComparison()
    let one = Array(#"{"a":{"N":"1.0"},"b":{"SS":["x","y"]}}"#.utf8)
    let same = Array(#"{"b":{"SS":["y","x"]},"a":{"N":"1"}}"#.utf8)
    #expect(try comparison.isSame(one, .image(same)))
    #expect(try !comparison.isSame(one, .image(Array(#"{"a":{"N":"1"}}"#.utf8))))
    #expect(try !comparison.isSame(one, .absent))
    #expect(try !comparison.isSame(nil, .image(one)))
    #expect(try comparison.isSame(nil, .absent))
    #expect(try !comparison.isSame(one, .digest(Array(String(repeating: "0", count: 64).utf8))))
  }
}
