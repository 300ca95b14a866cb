import ArgumentParser

/// Where the table is and who asks.
struct AWSOptions: ParsableArguments {
  @Option(help: "Profile of the AWS config files to use.")
  var profile: String?

  @Option(
    help: "AWS region; otherwise AWS_REGION, AWS_DEFAULT_REGION, the profile's or the instance's.")
  var region: String?

  @Option(
    help: ArgumentHelp(
      "Endpoint to talk to, instead of the region's.", valueName: "url"))
  var endpointURL: String?

  @Flag(
    help: "Allow an endpoint of plain http on another machine: everybody on the way reads along.")
  var allowHTTP = false

  @Flag(help: "Do not check certificates: whoever is on the way can read and change everything.")
  var noVerifySSL = false

  @Flag(help: "Tell about each request on standard error, never what is in it.")
  var debug = false
}

extension AWSOptions {
  /// The options that find the same account and endpoint again, for commands that are told to people; `aws` takes
  /// them, too.
  ///
  /// - Parameter address: a table's, which may name profile and region.
  func again(_ address: TableAddress?) -> [String] {
    [
      ("--profile", profile ?? address?.profile), ("--region", region ?? address?.region),
      ("--endpoint-url", endpointURL),
    ].flatMap { option, value in value.map { [option, $0] } ?? [] }
  }
}

/// How to report.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Report as JSON on standard output.")
  var json = false

  @Flag(help: "Say nothing but errors and warnings.")
  var quiet = false

  @Flag(help: "Show no progress.")
  var noProgress = false
}
