import Archive
import JSON

/// A table in Terraform's language, for the provider `hashicorp/aws` (its documentation of `aws_dynamodb_table` and the
/// resources beside it). What belongs to an account is a variable, or is asked of the provider.
struct TerraformTemplate {
  let table: TableTemplate
  private var settings: TableSettings { table.settings }
  /// The names given, by the type of what has them.
  private var names: [String: UniqueNames] = [:]
  let label: String
  private var usesAccount = false
  var notes: [String] = []

  init(_ table: TableTemplate) {
    self.table = table
    label = TerraformTemplate.identifier(table.schema.name)
  }

  /// A label that no other resource of the type has.
  mutating func unique(_ type: String, _ base: String) -> [String] {
    [type, names[type, default: UniqueNames()].next(base, separator: "_")]
  }

  var address: String { "aws_dynamodb_table.\(label)" }

  mutating func document() -> String {
    var resources = HCL()
    addTable(to: &resources)
    addPolicy(to: &resources)
    addDestinations(to: &resources)
    addInsights(to: &resources)
    for scaling in table.scaling { add(scaling, to: &resources) }
    if table.scaling.contains(where: { $0.index != nil }) {
      notes.append(
        "an apply sets the capacity of indexes that scale by themselves back to what is written: Terraform cannot "
          + "ignore it for single indexes")
    }
    notes += TableTemplate.note("the template for Terraform", lacks: table.inNone)
    var head = HCL()
    if usesAccount { head.block("data", ["aws_caller_identity", "current"]) { _ in } }
    addVariables(to: &head)
    return head.isEmpty ? resources.text : head.text + "\n" + resources.text
  }

  private func addVariables(to document: inout HCL) {
    if let encryption = settings.encryption {
      document.variable("kms_key_arn", "Key of AWS KMS", was: encryption.keyARN)
    }
    for (position, destination) in settings.kinesisDestinations.enumerated() {
      document.variable(
        TerraformTemplate.stream(position), "Kinesis data stream", was: destination.streamARN)
    }
  }

  private static func stream(_ position: Int) -> String {
    "kinesis_stream_arn" + (position == 0 ? "" : "_\(position + 1)")
  }

  // MARK: The table

  private mutating func addTable(to document: inout HCL) {
    let schema = table.schema
    document.block("resource", ["aws_dynamodb_table", label]) { body in
      body.set("name", .string(schema.name))
      body.set("billing_mode", .string(schema.billingMode.rawValue))
      body.set(schema.provisioned)
      body.set("hash_key", schema.key.partition.first.map { .string($0.name) })
      body.set("range_key", schema.key.sort.first.map { .string($0.name) })
      if settings.tableClass != "STANDARD" { body.set("table_class", .string(settings.tableClass)) }
      if settings.isProtected { body.set("deletion_protection_enabled", .bool(true)) }
      if let view = settings.streamView {
        body.set("stream_enabled", .bool(true))
        body.set("stream_view_type", .string(view))
      }
      if !table.tags.isEmpty {
        body.set("tags", .map(table.tags.map { ($0.key, .string($0.value)) }))
      }
      for attribute in schema.keyAttributes {
        body.block("attribute") {
          $0.set("name", .string(attribute.name))
          $0.set("type", .string(attribute.type.rawValue))
        }
      }
      for index in schema.indexes { add(index, to: &body) }
      body.throughput(settings.limits(), settings.warmThroughput())
      if let attribute = settings.timeToLive {
        body.block("ttl") {
          $0.set("attribute_name", .string(attribute))
          $0.set("enabled", .bool(true))
        }
      }
      if settings.recovery.isOn {
        body.block("point_in_time_recovery") {
          $0.set("enabled", .bool(true))
          $0.set("recovery_period_in_days", settings.recovery.days.map { .number("\($0)") })
        }
      }
      if settings.encryption != nil {
        body.block("server_side_encryption") {
          $0.set("enabled", .bool(true))
          $0.set("kms_key_arn", .expression("var.kms_key_arn"))
        }
      }
      let scaled = table.scaling.filter { $0.index == nil }
      if !scaled.isEmpty {
        let ignored = scaled.map { $0.isRead ? "read_capacity" : "write_capacity" }
        body.block("lifecycle") {
          $0.set("ignore_changes", .list(ignored.map(HCL.Value.expression)))
        }
      }
    }
  }

  private func add(_ index: IndexSchema, to body: inout HCL) {
    let isGlobal = index.kind == .global
    body.block(isGlobal ? "global_secondary_index" : "local_secondary_index") { block in
      block.set("name", .string(index.name))
      let key = index.key
      let isSimple = key.partition.count == 1 && key.sort.count < 2
      if isGlobal, isSimple { block.set("hash_key", .string(key.partition[0].name)) }
      if isSimple { block.set("range_key", key.sort.first.map { .string($0.name) }) }
      block.set("projection_type", .string(index.projection.type))
      if !index.projection.nonKeyAttributes.isEmpty {
        block.set(
          "non_key_attributes", .list(index.projection.nonKeyAttributes.map(HCL.Value.string)))
      }
      block.set(index.provisioned)
      if !isSimple {
        for attribute in key.attributes {
          block.block("key_schema") {
            $0.set("attribute_name", .string(attribute.name))
            $0.set("key_type", .string(attribute.role.rawValue))
          }
        }
      }
      guard isGlobal else { return }
      block.throughput(
        settings.limits(index: index.name), settings.warmThroughput(index: index.name))
    }
  }

  // MARK: What stands beside it

  private mutating func addPolicy(to document: inout HCL) {
    guard let policy = table.policy else { return }
    let value = value(policy)
    document.block("resource", ["aws_dynamodb_resource_policy", label]) {
      $0.set("resource_arn", .expression("\(address).arn"))
      $0.set("policy", .call("jsonencode", value))
    }
  }

  /// A policy's part in which the account's own number, and the table's own ARN, are those of where it is applied.
  private mutating func value(_ json: JSONValue) -> HCL.Value {
    switch json {
    case .null: return .expression("null")
    case .bool(let value): return .bool(value)
    case .number(let digits): return .number(digits)
    case .array(let elements): return .list(elements.map { value($0) })
    case .object(let object):
      return .map(object.members.map { ($0.name, value($0.value)) })
    case .string(let text):
      guard let account = table.source.account else { return .string(text) }
      let parts = AccountText(text, account: account, arn: table.source.arn).parts
      if parts.contains(.account) { usesAccount = true }
      return .template(
        parts.map { part in
          switch part {
          case .text(let text): .text(text)
          case .account: .expression("data.aws_caller_identity.current.account_id")
          case .table: .expression("\(address).arn")
          }
        })
    }
  }

  private func addDestinations(to document: inout HCL) {
    for (position, destination) in settings.kinesisDestinations.enumerated() {
      let name = "\(label)\(position == 0 ? "" : "_\(position + 1)")"
      document.block("resource", ["aws_dynamodb_kinesis_streaming_destination", name]) {
        $0.set("stream_arn", .expression("var.\(TerraformTemplate.stream(position))"))
        $0.set("table_name", .expression("\(address).name"))
        $0.set(
          "approximate_creation_date_time_precision", destination.precision.map(HCL.Value.string))
      }
    }
  }

  private mutating func addInsights(to document: inout HCL) {
    for found in settings.insights {
      let base =
        label + (found.index.map { "_\(TerraformTemplate.identifier($0))" } ?? "")
      document.block("resource", unique("aws_dynamodb_contributor_insights", base)) {
        $0.set("table_name", .expression("\(address).name"))
        $0.set("index_name", found.index.map(HCL.Value.string))
        $0.set("mode", found.mode.map(HCL.Value.string))
      }
    }
  }

  /// A name of Terraform's: letters, digits, `_` and `-`, and no digit or dash at its beginning.
  static func identifier(_ name: String) -> String {
    let text = String(name.map { $0 == "." ? "_" : $0 })
    guard let first = text.first, first.isLetter || first == "_" else { return "table_\(text)" }
    return text
  }
}

extension HCL {
  fileprivate mutating func variable(_ name: String, _ what: String, was old: String?) {
    block("variable", [name]) {
      $0.set("description", .string(what + (old.map { "; it was \($0)" } ?? "")))
      $0.set("type", .expression("string"))
    }
  }

  fileprivate mutating func set(_ provisioned: Throughput?) {
    set("read_capacity", provisioned.map { .number("\($0.read)") })
    set("write_capacity", provisioned.map { .number("\($0.write)") })
  }

  fileprivate mutating func throughput(_ limits: JSONObject?, _ warm: JSONObject?) {
    if let limits {
      block("on_demand_throughput") {
        $0.set("max_read_request_units", limits["MaxReadRequestUnits"].flatMap(Value.init))
        $0.set("max_write_request_units", limits["MaxWriteRequestUnits"].flatMap(Value.init))
      }
    }
    if let warm {
      block("warm_throughput") {
        $0.set("read_units_per_second", warm["ReadUnitsPerSecond"].flatMap(Value.init))
        $0.set("write_units_per_second", warm["WriteUnitsPerSecond"].flatMap(Value.init))
      }
    }
  }
}
