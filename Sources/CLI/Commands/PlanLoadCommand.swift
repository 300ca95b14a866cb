import ArgumentParser
import Archive
import Dynamo
import JSON

struct PlanLoadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "load",
    abstract: "Say what loading an archive takes: every item is read and measured.",
    discussion: """
      dynarc plan load ./orders-2026-11-22
      dynarc plan load ./orders-2026-11-22 Orders --write-units 2000

      Without a table nobody is asked: it would be created as the archive has it. With one, its \
      indexes and capacity count, as far as it is there. Items that replace larger ones cost what \
      these do.
      """)

  @Argument(help: "Directory of the archive.", completion: .directory)
  var archive: String

  @Argument(
    help: "Table, by name or as dynamodb://[profile@][region]/NAME.",
    transform: TableAddress.parse)
  var table: TableAddress?

  @Option(
    help: ArgumentHelp(
      "An archive of changes since the archive; again for each later one, in their order.",
      valueName: "changes"),
    completion: .directory)
  var changes: [String] = []

  @Option(
    help: ArgumentHelp(
      "At so many write units a second, indexes included, or a percentage of the provisioned or "
        + "maximum on-demand throughput.", valueName: "n|n%"))
  var writeUnits: CapacityArgument?

  @OptionGroup var prices: PriceOptions

  @OptionGroup(title: "AWS") var aws: AWSOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func run() async throws {
    let prices = try prices.list()
    let chain = try ArchiveChain(directories: [archive] + changes)
    let target = try await describe()
    let meter = ProgressMeter(output)
    defer { meter.finish() }
    let expected = chain.items
    let estimate = try await LoadEstimate(
      of: chain, into: target, writeUnits: writeUnits?.limit, readers: Machine.cores
    ) { items in
      meter.show(.init(done: items, expected: expected, bytes: 0))
    }
    meter.finish()
    let cost = CostReport(
      prices,
      .init(
        billingMode: estimate.billingMode, tableClass: estimate.tableClass,
        writeUnits: Double(estimate.cost.writeUnits)))
    let name = table?.table ?? chain.last.source.tableName
    if output.json { return try report(estimate, cost, name, target, prices) }
    let items = estimate.cost.parts[0]
    try Terminal.output(
      Format.table(
        [
          ("Load of", archive),
          ("Into", "table \(name)\(target == nil ? ", to be created" : ", which is there")"),
          ("Items", Format.count(items.items)),
          ("Size", Format.bytes(items.bytes)),
          ("Write units", Format.count(estimate.cost.writeUnits)),
          (
            "Time",
            "\(Format.duration(estimate.seconds)) at \(PlanReport.words(estimate.rate))"
          ),
          ("Cost", cost.words),
          (
            "Storage",
            PlanReport.words(
              storage: estimate.cost.billedBytes, estimate.tableClass, prices)
          ),
        ]
          + PlanReport.rows(
            estimate.cost.parts.map { ($0.index, $0.items, $0.bytes, Double($0.writeUnits)) })))
  }

  /// The table, where one is named and can be asked about.
  private func describe() async throws -> TableDescription? {
    guard let table else { return nil }
    do {
      return try await Connection(aws, address: table).client.describeTableIfPresent(table.table)
    } catch let error where !(error is CancellationError) {
      Terminal.warn(
        "table \(table.table) could not be asked about, and is taken for one to be created: \(error)"
      )
      return nil
    }
  }

  private func report(
    _ estimate: LoadEstimate, _ cost: CostReport, _ name: String, _ target: TableDescription?,
    _ prices: Prices
  ) throws {
    var json: JSONObject = [
      "plan": "load", "archive": .string(archive), "table": .string(name),
      "createsTable": .bool(target == nil), "items": JSONValue(estimate.cost.parts[0].items),
      "bytes": JSONValue(estimate.cost.parts[0].bytes),
      "writeUnits": JSONValue(estimate.cost.writeUnits),
      "parts": .array(
        estimate.cost.parts.map {
          [
            "index": $0.index.map(JSONValue.string) ?? .null, "items": JSONValue($0.items),
            "bytes": JSONValue($0.bytes), "writeUnits": JSONValue($0.writeUnits),
          ]
        }),
    ]
    PlanReport.add(
      estimate.rate, seconds: estimate.seconds, estimate.billingMode, cost, to: &json)
    json["storage"] = PlanReport.storage(
      estimate.cost.billedBytes, estimate.tableClass, prices)
    try Terminal.output(.object(json))
  }
}
