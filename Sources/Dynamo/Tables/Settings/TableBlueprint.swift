public import Archive
public import JSON

/// What a table is to be, as the requests that make it so, in their order. Pure: what is shown beforehand is
/// what is sent.
///
/// A table is created with all that CreateTable takes, and gets its items. Then come global indexes that were
/// put off, and what would be in the way before: the stream, which would tell of each item loaded; TTL, by which
/// items would expire while they are loaded; deletion protection, last. Tags go with CreateTable, since
/// policies may demand them there.
public struct TableBlueprint: Sendable, Equatable {
  /// The table's name.
  public var name: String
  /// Key, indexes and billing of the table as it is created.
  public var schema: TableSchema
  /// Global indexes that are made when the items are in, as UpdateTable takes them.
  public var laterIndexes: [LaterIndex] = []
  /// CreateTable with all it takes.
  public var creation: JSONObject
  /// CreateTable with key, indexes and billing only.
  public var bareCreation: JSONObject
  /// What `creation` has and `bareCreation` lacks, as requests to a table that is there.
  public var ofCreation: [SettingStep] = []
  /// What comes when the items and all indexes are in.
  public var afterwards: [SettingStep] = []
  /// What is not asked for, and why.
  public var left: [SettingResult] = []

  /// A global index to be added to a table.
  public struct LaterIndex: Sendable, Equatable {
    public var index: IndexSchema
    /// The `Create` of a GlobalSecondaryIndexUpdate.
    public var action: JSONObject
  }

  /// Plans a table that is to be created.
  ///
  /// - Parameters:
  ///   - schema: as the archive has it.
  ///   - target: the table; where its account is not known, what depends on that is left.
  /// - Throws: `DynamoError` of code `usage` where the choice does not fit.
  public init(
    creating schema: TableSchema, settings: TableSettings, target: TableIdentity,
    choice: SettingsChoice
  ) throws(DynamoError) {
    let (now, later) = try TableBlueprint.schemas(schema, choice)
    var planner = SettingsPlanner(
      settings: settings, target: target, choice: choice, created: true, schema: now, later: later)
    planner.plan()
    self.init(name: target.name, schema: now, planner)
    laterIndexes = later.map { LaterIndex(index: $0, action: planner.request($0)) }
    creation = bareCreation
    for step in ofCreation { TableBlueprint.add(step, to: &creation) }
    let global = now.indexes.filter { $0.kind == .global }.map { planner.request($0) }
    if !global.isEmpty { creation["GlobalSecondaryIndexes"] = .array(global.map(JSONValue.object)) }
  }

  /// Plans settings for a table that is there.
  ///
  /// - Parameter schema: the table's own.
  public init(
    changing schema: TableSchema, settings: TableSettings, target: TableIdentity,
    choice: SettingsChoice
  ) {
    var planner = SettingsPlanner(
      settings: settings, target: target, choice: choice, created: false, schema: schema, later: [])
    planner.plan()
    self.init(name: target.name, schema: schema, planner)
  }

  private init(name: String, schema: TableSchema, _ planner: SettingsPlanner) {
    self.name = name
    self.schema = schema
    bareCreation = schema.createTableRequest(name: name)
    creation = bareCreation
    for step in planner.steps {
      if step.setting.isOfCreation, !planner.isLater(step) {
        ofCreation.append(step)
      } else {
        afterwards.append(step)
      }
    }
    left = planner.left
  }

  /// The schema of the table when it is created, and the global indexes that follow.
  private static func schemas(
    _ schema: TableSchema, _ choice: SettingsChoice
  ) throws(DynamoError) -> (now: TableSchema, later: [IndexSchema]) {
    var schema = schema
    if let billing = choice.billing {
      let units = choice.provisioned ?? schema.provisioned
      guard billing == .onDemand || units != nil else {
        throw DynamoError(
          .usage, "the archive's table is on demand, so it does not tell how much to provision",
          hint: "say it: --billing provisioned=READ,WRITE")
      }
      schema.billingMode = billing
      schema.provisioned = billing == .onDemand ? nil : units
      for i in schema.indexes.indices where schema.indexes[i].kind == .global {
        schema.indexes[i].provisioned =
          billing == .onDemand
          ? nil : choice.provisioned ?? schema.indexes[i].provisioned ?? units
      }
    }
    switch choice.indexes {
    case .with: return (schema, [])
    case .none:
      schema.indexes = []
      return (schema, [])
    case .after:
      let later = schema.indexes.filter { $0.kind == .global }
      schema.indexes.removeAll { $0.kind == .global }
      return (schema, later)
    }
  }

  /// Puts what a step does to a table into the request that creates it.
  private static func add(_ step: SettingStep, to creation: inout JSONObject) {
    for name in ["TableClass", "SSESpecification", "OnDemandThroughput", "WarmThroughput", "Tags"] {
      if let value = step.body[name] { creation[name] = value }
    }
    for update in step.body["VectorIndexUpdates"]?.array ?? [] {
      guard let index = update["Create"] else { continue }
      creation["VectorIndexes"] = .array((creation["VectorIndexes"]?.array ?? []) + [index])
      // What it is searched by must be defined, once.
      var definitions = creation["AttributeDefinitions"]?.array ?? []
      for definition in step.body["AttributeDefinitions"]?.array ?? []
      where !definitions.contains(definition) { definitions.append(definition) }
      creation["AttributeDefinitions"] = .array(definitions)
    }
  }
}
