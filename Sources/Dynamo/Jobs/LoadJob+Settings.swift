import Archive

extension LoadJob {
  /// Gives tables their settings.
  var settingsJob: SettingsJob { SettingsJob(client: client, stop: options.write.stop) }

  /// What the table is to become beside its items; nil where nobody wants to change it.
  ///
  /// - Parameter table: the table, where it is there.
  /// - Throws: `DynamoError` of code `usage` for a choice that does not fit it.
  func blueprint(_ plan: LoadPlan, _ table: TableDescription?) async throws -> TableBlueprint? {
    let choice = plan.settings
    guard let table else {
      return try TableBlueprint(
        creating: manifest.table, settings: manifest.settings,
        target: TableIdentity(
          name: plan.target, account: await account(plan), region: client.region), choice: choice)
    }
    let target = TableIdentity(name: plan.target, arn: table.arn)
    if plan.isOwnTable {
      return try TableBlueprint(
        creating: manifest.table, settings: manifest.settings, target: target, choice: choice)
    }
    if let option = choice.forCreation {
      throw DynamoError(
        .usage, "table \(plan.target) is there already, and \(option) is for one that load creates",
        hint: "leave it out, or name another table")
    }
    guard choice.wanted != nil || !choice.tags.isEmpty else {
      guard choice.part != .schema else {
        throw DynamoError(
          .usage, "table \(plan.target) is there already; nothing was changed",
          hint: "add --settings all to give it the archive's settings, or name another table")
      }
      return nil
    }
    return TableBlueprint(
      changing: table.schema, settings: manifest.settings, target: target, choice: choice)
  }

  /// The account of the credentials, where something of the archive depends on it.
  func account(_ plan: LoadPlan) async -> String? {
    let settings = manifest.settings
    let depends =
      settings.encryption?.keyARN != nil || settings.policy != nil
      || !settings.kinesisDestinations.isEmpty
    return depends ? await options.account() : nil
  }

  /// What the table was given of settings, indexes and billing and does not have, read back.
  ///
  /// - Parameter results: what became of each setting, as `run` told.
  /// - Returns: in words, such as `TTL on expires_at`.
  /// - Throws: `DynamoError`, `ServiceError`, `CancellationError`.
  public func settingsMissing(
    _ plan: LoadPlan, _ results: [SettingResult]
  ) async throws -> [String] {
    let planned = plan.createsTable ? try await blueprint(plan, nil) : plan.blueprint
    guard let planned else { return [] }
    let table = try await client.describeTable(plan.target)
    let given = Set(results.filter { [.restored, .same].contains($0.outcome) }.map(\.words))
    let steps = (planned.ofCreation + planned.afterwards).filter { given.contains($0.words) }
    var missing = await settingsJob.lacking(steps, table).map(\.words)
    guard plan.createsTable else { return missing }
    for index in planned.schema.indexes + planned.laterIndexes.map(\.index) {
      let found = table.schema.index(named: index.name)
      if found?.key != index.key || found?.projection.type != index.projection.type
        || Set(found?.projection.nonKeyAttributes ?? [])
          != Set(index.projection.nonKeyAttributes)
      {
        missing.append("index \(index.name)")
      }
    }
    if table.schema.billingMode != planned.schema.billingMode
      || table.schema.provisioned != planned.schema.provisioned
    {
      missing.append("billing")
    }
    return missing
  }

  /// What comes when the items are in: indexes that were put off, and settings.
  ///
  /// - Parameter created: the table, where this run has created it; nobody can have changed it then.
  /// - Returns: what became of each setting.
  func finish(
    _ plan: LoadPlan, _ created: CreatedTable?, _ state: WriteState
  ) async throws -> [SettingResult] {
    guard let blueprint = created?.blueprint ?? plan.blueprint else { return [] }
    if !blueprint.laterIndexes.isEmpty {
      state.change { $0.phase = .indexing }
      try await settingsJob.addIndexes(blueprint.laterIndexes, to: plan.target) { index in
        state.change { $0.index = index }
      }
    }
    state.change { $0.phase = .settings }
    let steps = (created == nil ? blueprint.ofCreation : []) + blueprint.afterwards
    return (created?.results ?? [])
      + (try await settingsJob.run(
        steps, leaving: blueprint.left, comparing: created == nil,
        table: try await client.describeTable(plan.target)
      ) { _ in })
  }
}
