import AWS
import Archive
import JSON
import Testing

@testable import Dynamo

/// What a batch holds, read back by the tree parser that the builder does not use.
private func requests(_ batch: WriteBatch, table: String = "T") throws -> [JSONValue] {
  try #require(JSONValue.parse(batch.body.span)["RequestItems"]?[table]?.array)
}

private func add(_ builder: inout BatchBuilder, _ item: String, key: String) -> Bool {
  builder.add(.put, Array(item.utf8).span, key: Array(key.utf8).span)
}

/// `#require` wraps what it is given in closures, which cannot change a variable.
private func taken(_ builder: inout BatchBuilder) throws -> WriteBatch {
  let batch = builder.take()
  return try #require(batch)
}

@Suite struct BatchBuilderTests {
  @Test func twentyFiveAndNoMore() throws {
    var builder = BatchBuilder(quotedTable: Array("\"T\"".utf8))
    for n in 0..<25 { #expect(add(&builder, #"{"p":{"S":"\#(n)"}}"#, key: "\(n)")) }
    #expect(!add(&builder, #"{"p":{"S":"25"}}"#, key: "25"))
    let batch = try taken(&builder)
    let list = try requests(batch)
    #expect(list.count == 25)
    #expect(list[24]["PutRequest"]?["Item"]?["p"]?["S"] == "24")
    #expect(builder.isEmpty)
    #expect(add(&builder, #"{"p":{"S":"25"}}"#, key: "25"))
  }

  /// A budget's limit counts whole KB of each item; one item always goes.
  @Test func kilobytesBound() throws {
    let text = String(repeating: "x", count: 1_500)
    var builder = BatchBuilder(quotedTable: Array("\"T\"".utf8), maximumKilobytes: 5)
    #expect(add(&builder, #"{"p":{"S":"a"},"v":{"S":"\#(text)"}}"#, key: "a"))
    #expect(add(&builder, #"{"p":{"S":"b"},"v":{"S":"\#(text)"}}"#, key: "b"))
    #expect(!add(&builder, #"{"p":{"S":"c"},"v":{"S":"\#(text)"}}"#, key: "c"))
    #expect(add(&builder, #"{"p":{"S":"d"}}"#, key: "d"))
    let batch = try taken(&builder)
    #expect(batch.kilobytes == 5)
    #expect(batch.subset([0, 2], builder: builder).kilobytes == 3)
    let large = String(repeating: "x", count: 100_000)
    #expect(add(&builder, #"{"p":{"S":"a"},"v":{"S":"\#(large)"}}"#, key: "a"))
    #expect(!add(&builder, #"{"p":{"S":"b"}}"#, key: "b"))
  }

  @Test func noKeyTwice() throws {
    var builder = BatchBuilder(quotedTable: Array("\"T\"".utf8))
    #expect(add(&builder, #"{"p":{"S":"a"}}"#, key: "a"))
    #expect(add(&builder, #"{"p":{"S":"b"}}"#, key: "b"))
    #expect(!add(&builder, #"{"p":{"S":"a"},"v":{"N":"2"}}"#, key: "a"))
    #expect(try requests(taken(&builder)).count == 2)
    #expect(add(&builder, #"{"p":{"S":"a"},"v":{"N":"2"}}"#, key: "a"))
  }

  /// 16 MB on the wire: six items of 3 MB do not fit, five do.
  @Test func sixteenMegabytesOnTheWire() throws {
    var builder = BatchBuilder(quotedTable: Array("\"T\"".utf8))
    let text = String(repeating: "x", count: 3_000_000)
    var added = 0
    while add(&builder, #"{"p":{"S":"\#(added)"},"v":{"S":"\#(text)"}}"#, key: "\(added)") {
      added += 1
      if added > 25 { break }
    }
    #expect(added == 5)
    let batch = try taken(&builder)
    #expect(batch.body.count <= BatchBuilder.maximumBytes)
    #expect(try requests(batch).count == 5)
  }

  /// A single item is sent whatever its size: then the service says what is wrong with it.
  @Test func oneGiantItemIsABatchOfItsOwn() throws {
    var builder = BatchBuilder(quotedTable: Array("\"T\"".utf8))
    let text = String(repeating: "x", count: BatchBuilder.maximumBytes)
    #expect(add(&builder, #"{"p":{"S":"a"},"v":{"S":"\#(text)"}}"#, key: "a"))
    #expect(!add(&builder, #"{"p":{"S":"b"}}"#, key: "b"))
    #expect(try taken(&builder).entries.count == 1)
  }

  @Test func deletesAndOddTableNames() throws {
    var quoted: [UInt8] = []
    JSONText.quote("a.b-c_d".utf8, into: &quoted)
    var builder = BatchBuilder(quotedTable: quoted)
    let key = Array(#"{"p":{"S":"a"}}"#.utf8)
    let added = builder.add(.delete, key.span, key: Array("a".utf8).span)
    #expect(added)
    let list = try requests(taken(&builder), table: "a.b-c_d")
    #expect(list == [["DeleteRequest": ["Key": ["p": ["S": "a"]]]]])
  }

  /// A subset holds the same bytes for the entries chosen, in their order.
  @Test(arguments: [[0], [4], [0, 2, 4], [1, 3], [0, 1, 2, 3, 4]])
  func subset(of chosen: [Int]) throws {
    var builder = BatchBuilder(quotedTable: Array("\"T\"".utf8))
    for n in 0..<5 {
      #expect(add(&builder, #"{"p":{"S":"\#(n)"},"n":{"N":"1.\#(n)0"}}"#, key: "\(n)"))
    }
    let empty = builder
    let batch = try taken(&builder)
    let part = batch.subset(chosen, builder: empty)
    let all = try requests(batch)
    #expect(try requests(part) == chosen.map { all[$0] })
    for (index, original) in chosen.enumerated() {
      #expect(
        part.body[part.entries[index].object] == batch.body[batch.entries[original].object])
      #expect(part.index(ofKey: Array("\(original)".utf8).span) == index)
    }
  }
}

@Suite struct BatchAnswerTests {
  private func batch(_ items: [(String, KeyType)]) throws -> (WriteBatch, KeySchema) {
    let key = KeySchema([KeyAttribute(name: "p", type: items[0].1, role: .hash)])
    var builder = BatchBuilder(quotedTable: Array("\"T\"".utf8))
    var scanner = ItemScanner(key: key)
    for (value, type) in items {
      let item = Array(#"{"p":{"\#(type.rawValue)":"\#(value)"}}"#.utf8)
      _ = try scanner.scan(item.span, at: 0)
      var canonical: [UInt8] = []
      try CanonicalKey.append(item.span, scanner, to: &canonical)
      let added = builder.add(.put, item.span, key: canonical.span)
      #expect(added)
    }
    return (try taken(&builder), key)
  }

  @Test func nothingLeftOver() throws {
    let (batch, key) = try batch([("a", .string), ("b", .string)])
    let answer = try BatchAnswer(
      Array(
        #"{"UnprocessedItems":{},"ConsumedCapacity":[{"TableName":"T","CapacityUnits":2.5}]}"#.utf8
      ).span, batch: batch, key: key)
    #expect(answer.unprocessed.isEmpty)
    #expect(answer.consumedUnits == 2.5)
  }

  /// The service may respell what it echoes; the key still tells which item it is.
  @Test func respelledEchoesAreFoundByKey() throws {
    let (batch, key) = try batch([("1e3", .number), ("2.50", .number), ("-0", .number)])
    let echo =
      #"{"UnprocessedItems":{"T":[{"PutRequest":{"Item":{"x":{"S":"y"},"p":{"N":"2.5"}}}},"#
      + #"{"PutRequest":{"Item":{"p":{"N":"1000"}}}}]}}"#
    let answer = try BatchAnswer(Array(echo.utf8).span, batch: batch, key: key)
    #expect(answer.unprocessed == [0, 1])
  }

  @Test(arguments: [
    "", "[]", "nonsense", #"{"UnprocessedItems":[]}"#, #"{"UnprocessedItems":{"T":{}}}"#,
    // An item that was never in the batch, and one named twice.
    #"{"UnprocessedItems":{"T":[{"PutRequest":{"Item":{"p":{"S":"z"}}}}]}}"#,
    #"{"UnprocessedItems":{"T":[{"PutRequest":{"Item":{"p":{"S":"a"}}}},{"PutRequest":{"Item":{"p":{"S":"a"}}}}]}}"#,
    #"{"UnprocessedItems":{"T":[{"PutRequest":{"Item":{"p":{"N":"1"}}}}]}}"#,
    #"{"UnprocessedItems":{"T":[{"PutRequest":{"Item":{}}}]}}"#,
  ])
  func unusableAnswers(text: String) throws {
    let (batch, key) = try batch([("a", .string), ("b", .string)])
    #expect(throws: DynamoError.self) {
      try BatchAnswer(Array(text.utf8).span, batch: batch, key: key)
    }
  }
}
