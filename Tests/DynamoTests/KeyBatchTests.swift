import Archive
import JSON
import Testing

@testable import Dynamo

private let key = KeySchema([
  KeyAttribute(name: "p", type: .string, role: .hash),
  KeyAttribute(name: "n", type: .number, role: .range),
])

private func keyObject(_ p: String, _ n: String) -> String {
  #"{"p":{"S":"\#(p)"},"n":{"N":"\#(n)"}}"#
}

private func canonical(_ object: String) throws -> [UInt8] {
  var scanner = ItemScanner(key: key)
  let bytes = Array(object.utf8)
  _ = try scanner.scan(bytes.span, at: 0)
  var canonical: [UInt8] = []
  try CanonicalKey.append(bytes.span, scanner, to: &canonical)
  return canonical
}

private func add(_ object: String, to batch: inout KeyBatch) throws -> Bool {
  let key = try canonical(object)
  return batch.add(Array(object.utf8).span, key: key.span)
}

private func batch(_ objects: [String]) throws -> KeyBatch {
  var batch = KeyBatch()
  for object in objects {
    let added = try add(object, to: &batch)
    try #require(added)
  }
  return batch
}

@Suite struct KeyBatchTests {
  @Test func aHundredAndNoMore() throws {
    var batch = KeyBatch()
    for n in 1...100 {
      let added = try add(keyObject("a", "\(n)"), to: &batch)
      #expect(added)
    }
    let more = try add(keyObject("a", "101"), to: &batch)
    #expect(!more)
    let taken = batch.take()
    let full = try #require(taken)
    #expect((full.count, batch.count) == (100, 0))
    let empty = batch.take()
    #expect(empty == nil)
  }

  /// `1.0` and `1` are one key, which the service would refuse to see twice.
  @Test func noKeyTwice() throws {
    var batch = KeyBatch()
    let first = try add(keyObject("a", "1"), to: &batch)
    let again = try add(keyObject("a", "1.0"), to: &batch)
    let other = try add(keyObject("b", "1"), to: &batch)
    #expect((first, again, other) == (true, false, true))
  }

  @Test func theRequestReadsConsistently() throws {
    let batch = try batch([keyObject("a", "1"), keyObject("ä\\n", "-2.50")])
    let body = batch.request(quotedTable: Array(#""T""#.utf8))
    let request = try JSONValue.parse(body.span)
    #expect(
      request == [
        "RequestItems": [
          "T": [
            "Keys": [
              ["p": ["S": "a"], "n": ["N": "1"]],
              ["p": ["S": "ä\n"], "n": ["N": "-2.50"]],
            ],
            "ConsistentRead": true,
          ]
        ],
        "ReturnConsumedCapacity": "TOTAL",
      ])
  }

  @Test func aSubsetIsABatchOfItsOwn() throws {
    let whole = try batch((1...5).map { keyObject("a", "\($0)") })
    let part = whole.subset([1, 3])
    #expect(part.count == 2)
    #expect(part.objects[part.entries[1].object].elementsEqual(keyObject("a", "4").utf8))
    #expect(part.index(ofKey: try canonical(keyObject("a", "4"))) == 1)
    #expect(part.index(ofKey: try canonical(keyObject("a", "3"))) == nil)
  }
}

@Suite struct BatchGetAnswerTests {
  private let objects = (1...4).map { keyObject("a", "\($0)") }

  private func read(_ answer: String) throws -> BatchGetAnswer {
    let batch = try batch(objects)
    return try BatchGetAnswer(Array(answer.utf8).span, batch: batch, table: "T", key: key)
  }

  private func item(_ n: String) -> String { #"{"v":{"S":"x"},"p":{"S":"a"},"n":{"N":"\#(n)"}}"# }

  @Test func eachKeyIsFoundAbsentOrUnprocessed() throws {
    let text = """
      {"ConsumedCapacity":[{"TableName":"T","CapacityUnits":2.5}],
       "UnprocessedKeys":{"T":{"ConsistentRead":true,"Keys":[\(objects[0])]}},
       "Responses":{"T":[\(item("3.0")), \(item("2"))]}}
      """
    let answer = try read(text)
    #expect(answer.found.map(\.key) == [2, 1])
    #expect(
      answer.found.map { String(decoding: Array(text.utf8)[$0.item], as: UTF8.self) }
        == [item("3.0"), item("2")])
    #expect((answer.absent, answer.unprocessed, answer.consumedUnits) == ([3], [0], 2.5))
  }

  @Test func nothingIsThere() throws {
    let answer = try read(#"{"Responses":{"T":[]},"UnprocessedKeys":{}}"#)
    #expect((answer.found.count, answer.absent, answer.unprocessed) == (0, [0, 1, 2, 3], []))
  }

  @Test func nothingWasProcessed() throws {
    let keys = objects.joined(separator: ",")
    let answer = try read(#"{"Responses":{},"UnprocessedKeys":{"T":{"Keys":[\#(keys)]}}}"#)
    #expect((answer.found.count, answer.absent, answer.unprocessed) == (0, [], [0, 1, 2, 3]))
  }

  /// What an answer does not tell beyond doubt must not be taken for an item that is not there: it would be
  /// deleted.
  @Test(arguments: [
    #""#, #"{}"#, #"[]"#, #"null"#,
    // No list of the table's items.
    #"{"UnprocessedKeys":{}}"#,
    #"{"Responses":{},"UnprocessedKeys":{}}"#,
    #"{"Responses":{"Other":[]},"UnprocessedKeys":{}}"#,
    #"{"Responses":null,"UnprocessedKeys":{}}"#,
    #"{"Responses":{"T":null},"UnprocessedKeys":{}}"#,
    #"{"Responses":{"T":{}},"UnprocessedKeys":{}}"#,
    #"{"Responses":{"T":[]},"Responses":{"T":[]}}"#,
    #"{"Responses":{"T":[],"T":[]}}"#,
    #"{"responses":{"T":[]}}"#,
    // Cut short, or more than an answer.
    #"{"Responses":{"T":[]}"#,
    #"{"Responses":{"T":[{"p":{"S":"a"},"n":{"N":"1"}}"#,
    #"{"Responses":{"T":[]}}{}"#,
    // Items that were not asked for, have no key, or come twice.
    #"{"Responses":{"T":[{"p":{"S":"a"},"n":{"N":"9"}}]}}"#,
    #"{"Responses":{"T":[{"p":{"S":"a"}}]}}"#,
    #"{"Responses":{"T":[{"p":{"S":"a"},"n":{"S":"1"}}]}}"#,
    #"{"Responses":{"T":[1]}}"#,
    #"{"Responses":{"T":[{"p":{"S":"a"},"n":{"N":"1"}},{"p":{"S":"a"},"n":{"N":"1.0"}}]}}"#,
    #"{"Responses":{"T":[{"p":{"S":"a"},"n":{"N":"1"},"v":{"S":"1"},"v":{"S":"2"}}]}}"#,
    // Found and unprocessed at once, unprocessed twice, or never asked for.
    #"{"Responses":{"T":[{"p":{"S":"a"},"n":{"N":"1"}}]},"UnprocessedKeys":{"T":{"Keys":[{"p":{"S":"a"},"n":{"N":"1"}}]}}}"#,
    #"{"Responses":{"T":[]},"UnprocessedKeys":{"T":{"Keys":[{"p":{"S":"a"},"n":{"N":"1"}},{"p":{"S":"a"},"n":{"N":"1"}}]}}}"#,
    #"{"Responses":{"T":[]},"UnprocessedKeys":{"T":{"Keys":[{"p":{"S":"z"},"n":{"N":"1"}}]}}}"#,
    #"{"Responses":{"T":[]},"UnprocessedKeys":{"T":{"Keys":{}}}}"#,
    #"{"Responses":{"T":[]},"UnprocessedKeys":[]}"#,
  ])
  func damagedAnswersAreOfNoUse(answer: String) throws {
    let error = #expect(throws: DynamoError.self) { try read(answer) }
    #expect(error?.code == .badAnswer)
  }

  /// Every way to cut a good answer short is noticed.
  @Test func everyCutIsNoticed() throws {
    let whole = #"{"Responses":{"T":[\#(item("1")),\#(item("2"))]},"UnprocessedKeys":{}}"#
    _ = try read(whole)
    for count in 0..<whole.utf8.count {
      #expect(throws: DynamoError.self) {
        try read(String(decoding: whole.utf8.prefix(count), as: UTF8.self))
      }
    }
  }
}

@Suite struct KeyReadMeterTests {
  @Test(arguments: [
    // rate, bytes of an item, keys a call
    (Double?.none, 500, 100), (nil, 100_000, 10), (nil, 400_000, 2), (nil, 0, 100),
    (3200, 500, 100), (320, 500, 10), (5, 500, 1), (320, 40_000, 1),
  ])
  func keysOfACall(rate: Double?, bytes: Int, keys: Int) {
    #expect(KeyReadMeter(rate: rate, bytesPerItem: bytes).maximumKeys == keys)
  }

  @Test func learnsFromWhatAnswersCost() {
    let meter = KeyReadMeter(rate: 320, bytesPerItem: 500)
    for _ in 0..<40 { meter.learn(keys: 10, consumed: 50) }
    #expect(meter.maximumKeys == 2)
    #expect(abs(meter.estimate(10) - 50) < 1)
  }
}
