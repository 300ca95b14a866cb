internal import JSON

extension ItemTransforms {
  /// Bytes that values of key attributes have at most (DynamoDB quotas).
  fileprivate static let partitionKeyLimit = 2048
  fileprivate static let sortKeyLimit = 1024

  /// Holds the rules against a table's keys, and those of its indexes.
  ///
  /// - Parameter rekey: whether rules may change key attributes.
  /// - Throws: `TransformError`: `key` for a rule about a key attribute without `rekey`, one that removes an
  ///   attribute of the table's key, and rules that give all items one key; `type` for a value that its
  ///   key attribute cannot have, and for a path into one.
  public func check(_ schema: TableSchema, rekey: Bool) throws(TransformError) {
    let keys =
      [("table \(schema.name)", schema.key)]
      + schema.indexes.map { ("index \($0.name)", $0.key) }
    for rule in rules {
      for (place, (owner, key)) in keys.enumerated() {
        guard let attribute = rule.keyAttribute(key) else { continue }
        guard rekey else {
          throw TransformError(
            .key, "\(attribute.name) is a key attribute of \(owner), and the rules \(rule.words)",
            hint: "add --rekey if items are to get other keys")
        }
        try rule.check(attribute, of: owner, isTable: place == 0)
      }
    }
    guard !schema.key.attributes.isEmpty, schema.key.attributes.allSatisfy(isSet) else { return }
    throw TransformError(
      .key,
      "every item would get the same key: "
        + schema.key.attributes.map { "\($0.name) is set" }.joined(separator: ", and "),
      hint: "set one attribute of the key at most, or --hash it")
  }

  /// Whether a rule sets an attribute of the table's key: then two items may get one key.
  public func canCollide(_ key: KeySchema) -> Bool { key.attributes.contains(where: isSet) }

  private func isSet(_ attribute: KeyAttribute) -> Bool {
    rules.contains { rule in
      guard case .set = rule.operation else { return false }
      return rule.path.steps == [.name(Array(attribute.name.utf8))]
    }
  }
}

extension ItemTransforms.Rule {
  /// The attribute of a key that the rule is about.
  fileprivate func keyAttribute(_ key: KeySchema) -> KeyAttribute? {
    guard case .name(let name) = path.steps.first else { return nil }
    return key.attributes.first { $0.name.utf8.elementsEqual(name) }
  }

  fileprivate func check(
    _ attribute: KeyAttribute, of owner: String, isTable: Bool
  ) throws(TransformError) {
    guard path.steps.count == 1 else {
      throw TransformError(
        .type,
        "\(attribute.name) is a \(attribute.type.word), as the key of \(owner) demands, and there "
          + "is no \(path)", hint: "name \(attribute.name) itself")
    }
    switch operation {
    case .hash: return
    case .remove:
      // An item without an index's key is not in the index, which is no fault.
      guard isTable else { return }
      throw TransformError(
        .key, "\(attribute.name) cannot be removed: it is a part of the key of \(owner)",
        hint: "--hash it, or --set it to something else")
    case .set(let value): try check(value, attribute, of: owner)
    }
  }

  private func check(
    _ value: [UInt8], _ attribute: KeyAttribute, of owner: String
  ) throws(TransformError) {
    let content = (try? JSONValue.parse(value.span))?[attribute.type.rawValue]?.string
    guard let content else {
      throw TransformError(
        .type,
        "\(attribute.name) is of type \(attribute.type.rawValue) (\(attribute.type.word)) in the "
          + "key of \(owner), and \(String(decoding: value, as: UTF8.self)) is not",
        hint: "give it a value of that type")
    }
    var bytes = Array(content.utf8)
    if attribute.type == .binary {
      bytes.removeAll()
      _ = Base64Text.decode(Array(content.utf8).span, into: &bytes)
    }
    let limit =
      attribute.role == .hash
      ? ItemTransforms.partitionKeyLimit : ItemTransforms.sortKeyLimit
    guard !bytes.isEmpty, bytes.count <= limit else {
      throw TransformError(
        .type,
        "the value for \(attribute.name) has \(bytes.count) bytes, and the key of \(owner) takes 1 "
          + "to \(limit)", hint: "give it another value")
    }
  }
}
