public import Archive
import JSON

/// A table as a text from which other tools make it again. Pure: it takes what an archive tells, and asks nobody.
public struct TableTemplate: Sendable {
  /// Who is to read it.
  public enum Format: String, CaseIterable, Sendable {
    /// A CloudFormation template in JSON.
    case cloudFormation = "cloudformation"
    /// Terraform's language (HCL), for the provider `hashicorp/aws`.
    case terraform
    /// The input of `aws dynamodb create-table --cli-input-json`.
    case createTable = "create-table"
  }

  let schema: TableSchema
  let settings: TableSettings
  /// Where the table was, as its ARN tells.
  let source: TableIdentity

  /// - Parameters:
  ///   - schema: key, indexes and billing.
  ///   - settings: the answers that tell the rest.
  ///   - arn: the table's ARN, by which ids of its account are known; nil where nobody knows it.
  public init(schema: TableSchema, settings: TableSettings, arn: String?) {
    self.schema = schema
    self.settings = settings
    source = TableIdentity(name: schema.name, arn: arn)
  }

  /// The template.
  ///
  /// - Returns: the text, with a line feed at its end, and what the table had that stands not in it, or that
  ///   somebody must look at: a sentence each.
  public func text(_ format: Format) -> (text: String, notes: [String]) {
    var notes: [String] = []
    let text: String
    switch format {
    case .cloudFormation:
      var template = CloudFormationTemplate(self)
      text = TableTemplate.pretty(template.document())
      notes = template.notes
    case .terraform:
      var template = TerraformTemplate(self)
      text = template.document()
      notes = template.notes
    case .createTable: text = TableTemplate.pretty(createTable(&notes))
    }
    return (text, notes + unknown)
  }

  private static func pretty(_ object: JSONObject) -> String {
    String(decoding: JSONValue.object(object).serialized(pretty: true), as: UTF8.self) + "\n"
  }

  // MARK: What templates have in common

  /// Tags that may be set; those that AWS set by itself may not.
  var tags: [TableTag] { settings.tags.filter { !$0.key.lowercased().hasPrefix("aws:") } }

  /// The policy as a document; nil where there is none, or none that is JSON.
  var policy: JSONValue? { settings.policy.flatMap { try? JSONValue.parse($0) } }

  /// Settings that no template has.
  var inNone: [String] {
    var list = settings.notRecreated
    if !settings.vectorIndexes.isEmpty { list.append("vector indexes") }
    if tags.count < settings.tags.count { list.append("tags that AWS set itself") }
    if settings.policy != nil, policy == nil { list.append("a resource policy that is no JSON") }
    return list
  }

  /// Settings of which the archive tells nothing.
  private var unknown: [String] {
    TableSetting.allCases.compactMap { setting in
      settings.unknown(setting).map { "\(setting.rawValue) is not in it: \($0)" }
    }
  }

  /// A note for what is left out; nil for nothing.
  static func note(_ format: String, lacks settings: [String]) -> [String] {
    settings.isEmpty
      ? []
      : [
        "\(format) has no place for, or dynarc does not write: \(settings.joined(separator: ", "))"
      ]
  }

  /// A scalable target, with what scales it.
  struct Scaling {
    /// The index; nil for the table.
    var index: String?
    /// `dynamodb:table:ReadCapacityUnits`
    var dimension: String
    /// Whether it is of reads; otherwise of writes.
    var isRead: Bool
    var minimum: Int
    var maximum: Int
    var suspended: JSONObject?
    var policies: [JSONValue]
    var actions: [JSONValue]
  }

  /// What scales by itself, in the order of the answer.
  var scaling: [Scaling] {
    settings.scalableTargets.compactMap { target in
      guard let resource = target["ResourceId"]?.string,
        let dimension = target["ScalableDimension"]?.string,
        let minimum = target["MinCapacity"]?.int, let maximum = target["MaxCapacity"]?.int
      else { return nil }
      // table/NAME, or table/NAME/index/INDEX
      let parts = resource.split(separator: "/", omittingEmptySubsequences: false)
      func isSame(_ other: JSONValue) -> Bool {
        other["ResourceId"] == target["ResourceId"]
          && other["ScalableDimension"] == target["ScalableDimension"]
      }
      return Scaling(
        index: parts.count == 4 ? String(parts[3]) : nil, dimension: dimension,
        isRead: dimension.hasSuffix("ReadCapacityUnits"), minimum: minimum, maximum: maximum,
        suspended: target["SuspendedState"]?.object,
        policies: settings.scalingPolicies.filter(isSame),
        actions: settings.scheduledActions.filter(isSame))
    }
  }
}

/// Names that are derived from others, each given once.
struct UniqueNames {
  private var taken: Set<String> = []

  /// A name that was not given before: the base, or the base with a number.
  mutating func next(_ base: String, separator: String = "") -> String {
    var name = base
    var number = 2
    while !taken.insert(name).inserted {
      name = "\(base)\(separator)\(number)"
      number += 1
    }
    return name
  }
}
