import ArgumentParser
import Archive
import Dynamo
import JSON

struct PlanDumpCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dump",
    abstract: "Say what a dump of a table takes, by the service's own counts.",
    discussion: """
      dynarc plan dump Orders
      dynarc plan dump Orders --index by-status --read-units 500

      One DescribeTable is all that is asked, and it is free. Its counts are up to six hours old.
      """)

  @Argument(
    help: "Table, by name or as dynamodb://[profile@][region]/NAME.",
    transform: TableAddress.parse)
  var table: TableAddress

  @Option(help: ArgumentHelp("Of this index instead of the table.", valueName: "name"))
  var index: String?

  @Flag(help: "With strongly consistent reads.")
  var consistent = false

  @Option(
    help: ArgumentHelp(
      "At so many read units a second, or a percentage of the provisioned or maximum on-demand "
        + "throughput.", valueName: "n|n%"))
  var readUnits: CapacityArgument?

  @OptionGroup var prices: PriceOptions

  @OptionGroup(title: "AWS") var aws: AWSOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func run() async throws {
    let prices = try prices.list()
    let description = try await Connection(aws, address: table).client.describeTable(table.table)
    var options = ReadOptions()
    options.index = index
    options.consistent = consistent
    let estimate = try DumpEstimate(
      table: description, options: options, readUnits: readUnits?.limit, cores: Machine.cores)
    let cost = CostReport(
      prices,
      .init(
        billingMode: estimate.billingMode, tableClass: estimate.tableClass,
        readUnits: estimate.part.readUnits))
    if output.json {
      var json: JSONObject = [
        "plan": "dump", "table": .string(table.table),
        "region": description.region.map(JSONValue.string) ?? .null,
        "index": index.map(JSONValue.string) ?? .null, "items": JSONValue(estimate.part.items),
        "bytes": JSONValue(estimate.part.bytes),
        "readUnits": .number(Format.plain(estimate.part.readUnits)),
        "parts": .array(estimate.parts.map(PlanDumpCommand.json)),
      ]
      PlanReport.add(
        estimate.rate, seconds: estimate.seconds, estimate.billingMode, cost, to: &json)
      json["storage"] = PlanReport.storage(estimate.storedBytes, estimate.tableClass, prices)
      return try Terminal.output(.object(json))
    }
    let place = index.map { "index \($0) of \(table.table)" } ?? "table \(table.table)"
    try Terminal.output(
      Format.table(
        [
          ("Dump of", place + (description.region.map { ", \($0)" } ?? "")),
          ("Items", "\(Format.count(estimate.part.items)) (counted within the last six hours)"),
          ("Size", Format.bytes(estimate.part.bytes)),
          ("Read units", Format.decimal(estimate.part.readUnits, 1)),
          (
            "Time",
            "\(Format.duration(estimate.seconds)) at \(PlanReport.words(estimate.rate))"
          ),
          ("Cost", cost.words),
          (
            "Storage",
            PlanReport.words(storage: estimate.storedBytes, estimate.tableClass, prices)
          ),
        ]
          + PlanReport.rows(estimate.parts.map { ($0.index, $0.items, $0.bytes, $0.readUnits) })))
  }

  private static func json(_ part: DumpEstimate.Part) -> JSONValue {
    [
      "index": part.index.map(JSONValue.string) ?? .null, "items": JSONValue(part.items),
      "bytes": JSONValue(part.bytes), "readUnits": .number(Format.plain(part.readUnits)),
    ]
  }
}
