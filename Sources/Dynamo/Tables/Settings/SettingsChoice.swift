public import Archive
import JSON

/// When secondary indexes are made.
public enum IndexChoice: String, Sendable, CaseIterable {
  /// With the table.
  case with
  /// Global ones when the items are in; local ones with the table, which is the only time for them.
  case after
  /// Not at all.
  case none
}

/// What of an archive is loaded.
public enum LoadedPart: String, Sendable {
  case everything
  /// The table without items.
  case schema
  /// The items, and of a table that is not there key and indexes.
  case data
}

/// What a person wants a table to have of what an archive tells, and what else.
public struct SettingsChoice: Sendable, Equatable {
  /// Which settings.
  public enum Wanted: Sendable, Equatable {
    /// All but warm throughput, which costs money when it is asked for.
    case all
    case only(Set<TableSetting>)

    public static let none = Wanted.only([])
  }

  /// Nil where nobody says: all for a table that is created, none for one that is there.
  public var wanted: Wanted?
  /// Also warm throughput where `wanted` is all.
  public var warms = false
  /// Nil as the archive has it.
  public var billing: BillingMode?
  /// Of the table and of each global index; nil as the archive has it.
  public var provisioned: Throughput?
  /// Nil as the archive has it.
  public var tableClass: String?
  public var indexes = IndexChoice.with
  public var part = LoadedPart.everything
  /// Tags beside the archive's, or in their place.
  public var tags: [TableTag] = []
  public var identities = IdentityMap()

  /// Everything as the archive has it.
  public init() {}

  /// Whether a setting is to be given to a table.
  ///
  /// - Parameter created: whether the table is a new one.
  func wants(_ setting: TableSetting, created: Bool) -> Bool {
    switch part == .data ? Wanted.none : wanted ?? (created ? Wanted.all : Wanted.none) {
    case .all: setting != .warmThroughput || warms
    case .only(let settings): settings.contains(setting)
    }
  }

  /// Whether settings were asked for one by one.
  var isNamed: Bool {
    if case .only = wanted { return true }
    return false
  }

  /// What of the choice only makes sense for a table that is created, as its option.
  var forCreation: String? {
    if billing != nil { return "--billing" }
    if tableClass != nil { return "--table-class" }
    return indexes != .with ? "--indexes \(indexes.rawValue)" : nil
  }
}

extension SettingsChoice {
  /// For the state file of a load.
  var json: JSONObject {
    var object: JSONObject = [
      "indexes": .string(indexes.rawValue), "part": .string(part.rawValue), "warms": .bool(warms),
      "tags": .array(tags.map { [.string($0.key), .string($0.value)] }),
      "kms": .object(SettingsChoice.object(identities.keys)),
      "accounts": .object(SettingsChoice.object(identities.accounts)),
    ]
    switch wanted {
    case .all: object["wanted"] = "all"
    case .only(let settings):
      object["wanted"] = .array(settings.map(\.rawValue).sorted().map(JSONValue.string))
    case nil: break
    }
    object["billing"] = billing.map { .string($0.rawValue) }
    object["provisioned"] = provisioned.map { [JSONValue($0.read), JSONValue($0.write)] }
    object["tableClass"] = tableClass.map(JSONValue.string)
    return object
  }

  /// Reads what `json` wrote; nil for anything else.
  init?(_ json: JSONValue) {
    guard let indexes = json["indexes"]?.string.flatMap(IndexChoice.init(rawValue:)),
      let part = json["part"]?.string.flatMap(LoadedPart.init(rawValue:))
    else { return nil }
    self.indexes = indexes
    self.part = part
    warms = json["warms"]?.bool ?? false
    if json["wanted"] == "all" {
      wanted = .all
    } else if let names = json["wanted"]?.array {
      wanted = .only(Set(names.compactMap { $0.string.flatMap(TableSetting.init(rawValue:)) }))
    }
    billing = json["billing"]?.string.flatMap(BillingMode.init(rawValue:))
    if let units = json["provisioned"]?.array, units.count == 2, let read = units[0].int,
      let write = units[1].int
    {
      provisioned = Throughput(read: read, write: write)
    }
    tableClass = json["tableClass"]?.string
    tags = (json["tags"]?.array ?? []).compactMap { pair in
      guard let pair = pair.array, pair.count == 2, let key = pair[0].string,
        let value = pair[1].string
      else { return nil }
      return TableTag(key: key, value: value)
    }
    identities.keys = SettingsChoice.dictionary(json["kms"])
    identities.accounts = SettingsChoice.dictionary(json["accounts"])
  }

  private static func object(_ dictionary: [String: String]) -> JSONObject {
    JSONObject(
      dictionary.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: .string($0.value)) })
  }

  private static func dictionary(_ json: JSONValue?) -> [String: String] {
    var dictionary: [String: String] = [:]
    for member in json?.object?.members ?? [] { dictionary[member.name] = member.value.string }
    return dictionary
  }
}
