import ArgumentParser
import Archive
import Dynamo

/// What a table is to have of an archive's settings.
struct SettingsArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Settings to bring back: all, none, or some of \(SettingsArguments.names), with commas; otherwise "
        + "all for a table that is created and none for one that is there.", valueName: "list"),
    transform: WantedSettings.parse)
  var settings: WantedSettings?

  @Option(
    help: ArgumentHelp(
      "How a table that is created is paid for: on-demand, provisioned, or provisioned=READ,WRITE for "
        + "the table and each global index; otherwise as it was.", valueName: "mode"),
    transform: BillingArgument.parse)
  var billing: BillingArgument?

  @Option(
    help: ArgumentHelp(
      "Class of a table that is created: standard or infrequent-access; otherwise as it was.",
      valueName: "class"),
    transform: SettingsArguments.tableClass)
  var tableClass: String?

  @Option(
    help: ArgumentHelp(
      "Indexes of a table that is created: with it, global ones after the items are in, or none.",
      valueName: "with|after|none"))
  var indexes: IndexChoice = .with

  @Flag(help: "Bring back the table with its settings, and no items.")
  var schemaOnly = false

  @Flag(help: "Bring back the items, and of a table that is not there only key and indexes.")
  var dataOnly = false

  @Option(
    help: ArgumentHelp(
      "A tag for the table, beside the archive's or in the place of one; may be given again.",
      valueName: "key=value"), transform: { try SettingsArguments.pair($0, "--tag") })
  var tag: [Pair] = []

  @Option(
    help: ArgumentHelp(
      "The KMS key to use in the place of one of the archive's; may be given again. "
        + "alias/aws/dynamodb is the one that AWS manages.", valueName: "src=dst"),
    transform: { try SettingsArguments.pair($0, "--map-kms") })
  var mapKms: [Pair] = []

  @Option(
    help: ArgumentHelp(
      "The account that stands for one of the archive's in ARNs and policies; may be given again.",
      valueName: "src=dst"), transform: SettingsArguments.accounts)
  var accountMap: [Pair] = []

  /// Two texts with `=` between them.
  struct Pair {
    var left: String
    var right: String
  }

  static let names = TableSetting.allCases.map(\.rawValue).joined(separator: ", ")

  func validate() throws {
    guard !(schemaOnly && dataOnly) else {
      throw ValidationError("--schema-only and --data-only exclude each other")
    }
    if let own = tag.first(where: { $0.left.hasPrefix("aws:") }) {
      throw ValidationError("--tag \(own.left): tags that begin with aws: are given by AWS alone")
    }
    if dataOnly, settings != nil || !tag.isEmpty {
      throw ValidationError("--data-only brings no settings back; leave --settings and --tag out")
    }
  }

  /// Whether anything was asked for.
  var isGiven: Bool {
    settings != nil || billing != nil || tableClass != nil || indexes != .with || schemaOnly
      || dataOnly || !tag.isEmpty || !mapKms.isEmpty || !accountMap.isEmpty
  }

  var choice: SettingsChoice {
    var choice = SettingsChoice()
    choice.wanted = settings?.wanted
    choice.warms = settings?.warms ?? false
    choice.billing = billing?.mode
    choice.provisioned = billing?.throughput
    choice.tableClass = tableClass
    choice.indexes = indexes
    choice.part = schemaOnly ? .schema : dataOnly ? .data : .everything
    for pair in tag {
      choice.tags.removeAll { $0.key == pair.left }
      choice.tags.append(TableTag(key: pair.left, value: pair.right))
    }
    for pair in mapKms { choice.identities.keys[pair.left] = pair.right }
    for pair in accountMap { choice.identities.accounts[pair.left] = pair.right }
    return choice
  }

  private static func tableClass(_ argument: String) throws -> String {
    switch argument.lowercased() {
    case "standard": "STANDARD"
    case "infrequent-access", "standard_infrequent_access": "STANDARD_INFREQUENT_ACCESS"
    default: throw ValidationError("--table-class takes standard or infrequent-access")
    }
  }

  private static func pair(_ argument: String, _ option: String) throws -> Pair {
    // A tag's key may hold no =, an ARN holds none.
    guard let sign = argument.firstIndex(of: "="), sign > argument.startIndex else {
      throw ValidationError("\(option) takes two texts with = between them")
    }
    return Pair(
      left: String(argument[..<sign]), right: String(argument[argument.index(after: sign)...]))
  }

  private static func accounts(_ argument: String) throws -> Pair {
    let pair = try pair(argument, "--account-map")
    for account in [pair.left, pair.right] {
      guard account.utf8.count == 12, account.allSatisfy({ $0.isASCII && $0.isNumber }) else {
        throw ValidationError("\"\(account)\" is no account: one has 12 digits")
      }
    }
    return pair
  }
}

extension IndexChoice: ExpressibleByArgument {}

/// `all`, `none`, `ttl,tags` or `all,warm-throughput`.
struct WantedSettings {
  var wanted: SettingsChoice.Wanted
  var warms = false

  static func parse(_ argument: String) throws -> WantedSettings {
    guard let settings = WantedSettings(argument) else {
      throw ValidationError(
        "--settings takes all, none, or some of \(SettingsArguments.names), with commas, and not "
          + "\"\(argument)\"")
    }
    return settings
  }

  private init?(_ argument: String) {
    let names = argument.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    if names == ["none"] {
      wanted = .none
      return
    }
    let settings = Set(names.compactMap(TableSetting.init(rawValue:)))
    guard names.allSatisfy({ $0 == "all" || TableSetting(rawValue: $0) != nil }) else { return nil }
    warms = settings.contains(.warmThroughput)
    wanted = names.contains("all") ? .all : .only(settings)
  }
}

/// `on-demand`, `provisioned` or `provisioned=100,50`.
struct BillingArgument {
  var mode: BillingMode
  var throughput: Throughput?

  static func parse(_ argument: String) throws -> BillingArgument {
    guard let billing = BillingArgument(argument) else {
      throw ValidationError(
        "--billing takes on-demand, provisioned, or provisioned=READ,WRITE with units of 1 or more, and "
          + "not \"\(argument)\"")
    }
    return billing
  }

  private init?(_ argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    switch (parts.first, parts.count) {
    case ("on-demand", 1): mode = .onDemand
    case ("provisioned", 1): mode = .provisioned
    case ("provisioned", 2):
      let units = parts[1].split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
      guard units.count == 2, let read = units[0], let write = units[1], read > 0, write > 0 else {
        return nil
      }
      mode = .provisioned
      throughput = Throughput(read: read, write: write)
    default: return nil
    }
  }
}
