import AWS
import ArgumentParser
import JSON

/// `dynarc whoami`: what people paste when they ask why something may not be done. Never a secret.
struct WhoamiCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "whoami",
    abstract: "Tell which credentials, region and endpoint are used, and why.")

  @OptionGroup(title: "AWS") var aws: AWSOptions

  @Flag(help: "Report as JSON on standard output.")
  var json = false

  func run() async throws {
    let identity = try await Identity(aws)
    let report = await WhoamiReport(identity)
    if json {
      try Terminal.output(report.json)
    } else {
      try Terminal.output(report.text)
    }
    for error in report.errors { Terminal.error(error.message, hint: error.hint) }
    if !report.errors.isEmpty { throw EndWith(status: ExitStatus.failed) }
  }
}
