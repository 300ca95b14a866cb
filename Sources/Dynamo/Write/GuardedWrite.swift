import Archive
import JSON

/// One conditional request that changes an item only if it is still what was read.
///
/// - An item that was not there is put where there is still none.
/// - An item that was there is changed by UpdateItem, attribute by attribute of the top level. The
///   condition holds each attribute that is set or removed to what was read, and all others, too, where
///   there is room for them. DynamoDB has no condition for "no other attributes": one that somebody adds
///   between reading and writing stays, as if it had been added behind it.
/// - An item is deleted where its attributes, as many as there is room for, are what was read. The answer
///   tells what was deleted.
struct GuardedWrite: Sendable {
  /// Terms of a condition or an update at most: the service takes 300 operators in an expression, and a
  /// term with its conjunction is two (Developer Guide, "Quotas", expression parameters).
  static let maximumTerms = 140
  /// Bytes of names and values at most, by their JSON; the service takes 2 MB.
  static let maximumBytes = 2_000_000

  let operation: String
  let body: [UInt8]

  /// - Parameters:
  ///   - object: the item to put, or the key object of the one to delete.
  ///   - found: the item as it was read; nil for none.
  /// - Returns: nil where what has to be held to what was read does not fit into an expression.
  init?(
    _ kind: WriteKind, _ object: [UInt8], found: [UInt8]?, table: String, key: KeySchema,
    keyObject: [UInt8]
  ) throws {
    var terms = Terms(partitionKey: key.attributes[0].name)
    var request = Array(#"{"TableName":"#.utf8)
    JSONText.quote(table.utf8, into: &request)
    guard let found else {
      operation = "PutItem"
      terms.require("attribute_not_exists(#k)")
      request += #","Item":"#.utf8
      request += object
      terms.close(&request)
      body = request
      return
    }
    terms.require("attribute_exists(#k)")
    request += #","Key":"#.utf8
    request += keyObject
    let isKey = { (name: String) in key.attributes.contains { $0.name.hasSameBytes(as: name) } }
    let old = try GuardedWrite.members(found).filter { !isKey($0.name) }
    switch kind {
    case .put:
      operation = "UpdateItem"
      let new = try GuardedWrite.members(object)
      for name in try GuardedWrite.differing(found, object) {
        let before = old.first { $0.name.hasSameBytes(as: name) }?.value
        let after = new.first { $0.name.hasSameBytes(as: name) }?.value
        terms.change(name, from: before.map { found[$0] }, to: after.map { object[$0] })
      }
      guard terms.fits else { return nil }
    case .delete:
      operation = "DeleteItem"
      request += #","ReturnValues":"ALL_OLD""#.utf8
    }
    for member in old { terms.hold(member.name, at: found[member.value]) }
    terms.close(&request)
    body = request
  }

  /// Names of the attributes of the top level that differ.
  private static func differing(_ old: [UInt8], _ new: [UInt8]) throws -> [String] {
    var finder = AttributeDiff()
    var names: [String] = []
    for change in try finder.changes(old: old.span, new: new.span) {
      guard case .name(let bytes)? = change.path.steps.first else { continue }
      let name = String(decoding: bytes, as: UTF8.self)
      if names.last?.hasSameBytes(as: name) != true { names.append(name) }
    }
    return names
  }

  /// The attributes of an item.
  static func members(_ item: [UInt8]) throws(JSONError) -> [(name: String, value: Range<Int>)] {
    var scanner = JSONScanner()
    var members: [(name: String, value: Range<Int>)] = []
    try JSONWalk.object(item.span, at: 0, &scanner) { name, start, end, _ throws(JSONError) in
      members.append((name, start..<end))
    }
    return members
  }
}

extension GuardedWrite {
  /// The expressions of a request as they grow.
  private struct Terms {
    private var conditions: [String] = []
    private var sets: [String] = []
    private var removals: [String] = []
    /// Members of ExpressionAttributeNames and -Values.
    private var names: [UInt8] = Array(##""#k":"##.utf8)
    private var values: [UInt8] = []
    private var count = 0
    private var touched: [String] = []

    init(partitionKey: String) { JSONText.quote(partitionKey.utf8, into: &names) }

    /// Whether what cannot be left out is within the service's limits.
    var fits: Bool {
      conditions.count <= maximumTerms && names.count + values.count <= maximumBytes
    }

    mutating func require(_ condition: String) { conditions.append(condition) }

    /// Sets an attribute, or removes it, where it is still what it was.
    mutating func change(_ name: String, from old: ArraySlice<UInt8>?, to new: ArraySlice<UInt8>?) {
      let number = add(name)
      touched.append(name)
      if let old {
        conditions.append("#\(number)=:\(number)")
        add(":\(number)", old)
      } else {
        conditions.append("attribute_not_exists(#\(number))")
      }
      if let new {
        sets.append("#\(number)=:n\(number)")
        add(":n\(number)", new)
      } else {
        removals.append("#\(number)")
      }
    }

    /// Holds an attribute that is not touched to what it was, where there is room for that.
    mutating func hold(_ name: String, at value: ArraySlice<UInt8>) {
      guard !touched.contains(where: { $0.hasSameBytes(as: name) }),
        conditions.count < maximumTerms,
        names.count + values.count + name.utf8.count * 6 + value.count + 32 <= maximumBytes
      else { return }
      let number = add(name)
      conditions.append("#\(number)=:\(number)")
      add(":\(number)", value)
    }

    private mutating func add(_ name: String) -> Int {
      count += 1
      names += ",\"#\(count)\":".utf8
      JSONText.quote(name.utf8, into: &names)
      return count
    }

    private mutating func add(_ placeholder: String, _ value: ArraySlice<UInt8>) {
      values += "\(values.isEmpty ? "" : ",")\"\(placeholder)\":".utf8
      values += value
    }

    /// Appends the expressions and the end of the request.
    func close(_ request: inout [UInt8]) {
      request += ",\"ConditionExpression\":\"\(conditions.joined(separator: " AND "))\"".utf8
      let update =
        (sets.isEmpty ? [] : ["SET " + sets.joined(separator: ",")])
        + (removals.isEmpty ? [] : ["REMOVE " + removals.joined(separator: ",")])
      if !update.isEmpty {
        request += ",\"UpdateExpression\":\"\(update.joined(separator: " "))\"".utf8
      }
      request += ",\"ExpressionAttributeNames\":{".utf8 + names + "}".utf8
      if !values.isEmpty { request += ",\"ExpressionAttributeValues\":{".utf8 + values + "}".utf8 }
      request += #","ReturnConsumedCapacity":"TOTAL"}"#.utf8
    }
  }
}
