/// The type of a key attribute (DynamoDB API, AttributeDefinition).
public enum KeyType: String, Sendable, Hashable {
  case string = "S"
  case number = "N"
  case binary = "B"

  /// The word people use for it.
  public var word: String {
    switch self {
    case .string: "string"
    case .number: "number"
    case .binary: "binary"
    }
  }
}

/// One attribute of a key schema.
public struct KeyAttribute: Sendable, Hashable {
  /// What the attribute is for.
  public enum Role: String, Sendable {
    /// Part of the partition key.
    case hash = "HASH"
    /// Part of the sort key.
    case range = "RANGE"
  }

  public var name: String
  public var type: KeyType
  public var role: Role

  public init(name: String, type: KeyType, role: Role) {
    self.name = name
    self.type = type
    self.role = role
  }

  /// Names are compared by their bytes, as DynamoDB does; Swift's strings would take a composed and
  /// a decomposed letter for the same.
  public static func == (one: KeyAttribute, other: KeyAttribute) -> Bool {
    one.type == other.type && one.role == other.role && one.name.utf8.elementsEqual(other.name.utf8)
  }

  public func hash(into hasher: inout Hasher) {
    for byte in name.utf8 { hasher.combine(byte) }
  }
}

/// The key of a table or an index. A table's has one partition attribute and at most one sort
/// attribute; a global index's may have four of each.
public struct KeySchema: Sendable, Hashable {
  /// Partition attributes first, in the service's order.
  public var attributes: [KeyAttribute]

  public init(_ attributes: [KeyAttribute]) { self.attributes = attributes }

  /// The partition attributes.
  public var partition: [KeyAttribute] { attributes.filter { $0.role == .hash } }
  /// The sort attributes.
  public var sort: [KeyAttribute] { attributes.filter { $0.role == .range } }
}

/// Which attributes an index holds.
public struct Projection: Sendable, Hashable {
  /// `ALL`, `KEYS_ONLY` or `INCLUDE`.
  public var type: String
  /// The attributes an `INCLUDE` names.
  public var nonKeyAttributes: [String]

  public init(type: String, nonKeyAttributes: [String] = []) {
    self.type = type
    self.nonKeyAttributes = nonKeyAttributes
  }
}

/// Capacity in units per second.
public struct Throughput: Sendable, Hashable {
  public var read: Int
  public var write: Int

  public init(read: Int, write: Int) {
    self.read = read
    self.write = write
  }
}

/// A secondary index.
public struct IndexSchema: Sendable, Hashable {
  /// Global or local.
  public enum Kind: String, Sendable {
    case global
    case local
  }

  public var name: String
  public var kind: Kind
  public var key: KeySchema
  public var projection: Projection
  /// Provisioned capacity; nil on demand and for local indexes.
  public var provisioned: Throughput?

  public init(
    name: String, kind: Kind, key: KeySchema, projection: Projection, provisioned: Throughput? = nil
  ) {
    self.name = name
    self.kind = kind
    self.key = key
    self.projection = projection
    self.provisioned = provisioned
  }
}

/// How a table's capacity is paid for.
public enum BillingMode: String, Sendable {
  case onDemand = "PAY_PER_REQUEST"
  case provisioned = "PROVISIONED"
}

/// What a table is: its key, its indexes and its billing. The rest of its settings is kept raw.
public struct TableSchema: Sendable, Hashable {
  public var name: String
  public var key: KeySchema
  public var indexes: [IndexSchema]
  public var billingMode: BillingMode
  /// Provisioned capacity; nil on demand.
  public var provisioned: Throughput?

  public init(
    name: String, key: KeySchema, indexes: [IndexSchema] = [], billingMode: BillingMode = .onDemand,
    provisioned: Throughput? = nil
  ) {
    self.name = name
    self.key = key
    self.indexes = indexes
    self.billingMode = billingMode
    self.provisioned = provisioned
  }

  /// The index of a name.
  public func index(named name: String) -> IndexSchema? { indexes.first { $0.name == name } }
}
