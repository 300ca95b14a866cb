import ArgumentParser
import Dynamo

/// `100`, or `25%` of what the table is provisioned for.
struct CapacityArgument: ExpressibleByArgument {
  var limit: CapacityLimit
  /// As it was given.
  var text: String

  init?(argument: String) {
    text = argument
    let isPercent = argument.hasSuffix("%")
    guard let number = Double(isPercent ? String(argument.dropLast()) : argument),
      number.isFinite, number > 0, number <= (isPercent ? 100 : 1e9)
    else { return nil }
    // A whole number of units: a fraction of one is a slip, such as 0.5 meant for 50%.
    guard isPercent || number == number.rounded() else { return nil }
    limit = isPercent ? .percent(number) : .units(number)
  }
}

/// A span of time: `90s`, `15m`, `2h`.
struct DurationArgument: ExpressibleByArgument {
  var duration: Duration

  init?(argument: String) {
    let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600]
    guard let unit = argument.last.flatMap({ units[$0] }),
      argument.dropLast().allSatisfy({ $0.isASCII && $0.isNumber }),
      let number = Int(argument.dropLast()), (1...1_000_000).contains(number)
    else { return nil }
    duration = .seconds(number * unit)
  }
}

/// When a job that no longer moves ends.
struct GiveUpOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "End after this long without progress, for example 90s, 15m or 2h; throttling alone ends "
        + "nothing that still moves (default: 15m).", valueName: "time"))
  var giveUpAfter: DurationArgument?
}
