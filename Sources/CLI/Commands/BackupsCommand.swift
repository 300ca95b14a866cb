import ArgumentParser
import Dynamo

struct BackupsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backups",
    abstract: "List the backups that AWS keeps of a table, or of all tables.",
    discussion: """
      dynarc backups
      dynarc backups Orders --json | jq -r '.[].arn'

      Backups outlive their tables: a table's name may be one that is gone.
      """)

  @Argument(
    help:
      "Table, by name or as dynamodb://[profile@][region]/NAME; otherwise all of the account and region.",
    transform: TableAddress.parse)
  var table: TableAddress?

  @OptionGroup(title: "AWS") var aws: AWSOptions

  @Flag(help: "Report as JSON on standard output.")
  var json = false

  func run() async throws {
    let connection = try await Connection(aws, address: table)
    let report = BackupsReport(try await connection.client.backups(of: table?.table))
    if json { return try Terminal.output(report.json) }
    try Terminal.output(report.text)
  }
}
