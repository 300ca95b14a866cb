import ArgumentParser

/// The options of commands that change what a table holds.
struct ChangeOptions: ParsableArguments {
  @Flag(help: "Say what would happen, and write nothing.")
  var dryRun = false

  @Flag(help: "Do not ask.")
  var yes = false

  @Option(
    help: ArgumentHelp(
      "Requests in flight at most; how many there are adapts to the table.", valueName: "n"))
  var concurrency: Int?

  @Option(
    help: ArgumentHelp(
      "Write units a second to consume at most, indexes included, or a percentage of the "
        + "provisioned or maximum on-demand throughput.", valueName: "n|n%"))
  var writeUnits: CapacityArgument?

  @OptionGroup var giveUp: GiveUpOptions

  func validate() throws {
    if let concurrency, !(1...1024).contains(concurrency) {
      throw ValidationError("--concurrency takes 1 to 1024")
    }
  }

  /// Asks, where nobody said that there is no need.
  ///
  /// - Parameter danger: what would happen, for when nobody can be asked.
  func confirm(_ question: String, danger: String) throws {
    try Confirmation.ask(question, danger: danger, yes: yes)
  }
}
