import JSON

/// What stands for keys and accounts of the archive's side on the target's.
public struct IdentityMap: Sendable, Equatable {
  /// KMS keys by ARN or by id; `alias/aws/dynamodb` is the one that AWS manages.
  public var keys: [String: String] = [:]
  /// Accounts by their 12 digits.
  public var accounts: [String: String] = [:]

  public init() {}
}

/// A table as an ARN names it: `arn:aws:dynamodb:REGION:ACCOUNT:table/NAME`.
public struct TableIdentity: Sendable, Equatable {
  public var name: String
  /// Nil where it is not known.
  public var account: String?
  public var region: String?
  public var partition = "aws"

  public init(name: String, account: String?, region: String?) {
    self.name = name
    self.account = account
    self.region = region
  }

  /// Reads an ARN.
  public init(name: String, arn: String?) {
    self.name = name
    let fields = (arn ?? "").split(separator: ":", omittingEmptySubsequences: false)
    guard fields.count > 5 else { return }
    partition = String(fields[1])
    region = fields[3].isEmpty ? nil : String(fields[3])
    account = fields[4].isEmpty ? nil : String(fields[4])
  }

  /// The ARN; of a table that is not there yet, with a word in the place of what is not known.
  public var arn: String {
    "arn:\(partition):dynamodb:\(region ?? "REGION"):\(account ?? "ACCOUNT"):table/\(name)"
  }
}

/// What identifiers of the source's side become on the target's. An identifier that means something else
/// there, or nothing, is foreign, and no setting with one is applied.
struct IdentityTranslation: Sendable, Equatable {
  var source: TableIdentity
  var target: TableIdentity
  var map: IdentityMap

  /// An identifier that is foreign, and why.
  struct Foreign: Error, Equatable {
    var reason: String
  }

  private var isSameAccount: Bool { source.account != nil && source.account == target.account }
  private var isSameRegion: Bool { source.region != nil && source.region == target.region }

  /// The name of the key that AWS manages for DynamoDB in each account.
  static let managedKey = "alias/aws/dynamodb"

  /// The key that stands for one of the source's.
  func key(_ arn: String) throws(Foreign) -> String {
    let id = arn.split(separator: "/").last.map(String.init) ?? arn
    if let key = map.keys[arn] ?? map.keys[id] { return key }
    guard isSameAccount, isSameRegion else {
      throw Foreign(
        reason: "the key is of another account or region; say which to take with --map-kms "
          + "\(id)=KEY (\(IdentityTranslation.managedKey) is the one that AWS manages)")
    }
    return arn
  }

  /// The Kinesis data stream that stands for one of the source's. It must be in the table's account and
  /// region.
  func stream(_ arn: String) throws(Foreign) -> String {
    var fields = arn.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard fields.count > 5, fields[3] == target.region else {
      throw Foreign(
        reason: "the stream is not in the table's region; enable another one there")
    }
    if fields[4] == target.account { return arn }
    guard let account = map.accounts[fields[4]] else {
      throw Foreign(
        reason:
          "the stream is of another account; say which stands for it with --account-map "
          + "\(fields[4])=ACCOUNT")
    }
    fields[4] = account
    return fields.joined(separator: ":")
  }

  /// A resource-based policy with the target's ARN in the place of the source's and accounts as they are
  /// mapped. Within one account everything else stays as it is.
  func policy(_ text: String) throws(Foreign) -> String {
    guard let document = try? JSONValue.parse(text) else {
      guard isSameAccount else {
        throw Foreign(reason: "the policy is no JSON, and of another account")
      }
      return text
    }
    var foreign: Set<String> = []
    let translated = translate(document, &foreign)
    guard foreign.isEmpty || isSameAccount else {
      let accounts = foreign.filter { $0.utf8.count == 12 && $0.utf8.allSatisfy(isDigit) }.sorted()
      let others = foreign.subtracting(accounts).sorted()
      let maps = accounts.map { "--account-map \($0)=ACCOUNT" }.joined(separator: " ")
      throw Foreign(
        reason:
          "the policy names \((accounts + others).joined(separator: ", ")) of another account; "
          + (others.isEmpty
            ? "say what stands for them with \(maps)" : "write the policy anew for the account"))
    }
    return String(decoding: translated.serialized(), as: UTF8.self)
  }

  private func translate(_ value: JSONValue, _ foreign: inout Set<String>) -> JSONValue {
    switch value {
    case .string(let text): return .string(translate(text, &foreign))
    case .array(let elements): return .array(elements.map { translate($0, &foreign) })
    case .object(let object):
      return .object(
        JSONObject(
          object.members.map { .init(name: $0.name, value: translate($0.value, &foreign)) }))
    default: return value
    }
  }

  private func translate(_ text: String, _ foreign: inout Set<String>) -> String {
    let old = source.arn
    if text == old || text.hasPrefix(old + "/") {
      return target.arn + text.dropFirst(old.count)
    }
    guard !isSameAccount else { return text }
    if isIdentifier(text) { foreign.insert(text) }
    return mapAccounts(text, &foreign)
  }

  /// Whether the text is an id that belongs to one account or organisation: of a network, an endpoint, a
  /// principal (IAM User Guide, "IAM identifiers") or an organisation.
  private func isIdentifier(_ text: String) -> Bool {
    if ["vpc-", "vpce-", "o-", "r-", "ou-"].contains(where: text.hasPrefix) { return true }
    let prefixes = ["AIDA", "AROA", "AGPA", "ANPA", "AIPA"]
    return prefixes.contains(where: text.hasPrefix) && text.utf8.count > 15
  }

  /// Replaces each run of exactly 12 digits that is mapped.
  private func mapAccounts(_ text: String, _ foreign: inout Set<String>) -> String {
    var result: [UInt8] = []
    var digits: [UInt8] = []
    func end(_ foreign: inout Set<String>) {
      let run = String(decoding: digits, as: UTF8.self)
      digits = []
      guard run.utf8.count == 12 else { return result.append(contentsOf: run.utf8) }
      if let account = map.accounts[run] { return result.append(contentsOf: account.utf8) }
      if run != target.account { foreign.insert(run) }
      result.append(contentsOf: run.utf8)
    }
    for byte in text.utf8 {
      if isDigit(byte) {
        digits.append(byte)
      } else {
        end(&foreign)
        result.append(byte)
      }
    }
    end(&foreign)
    return String(decoding: result, as: UTF8.self)
  }

  private func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}
