import Archive
import ArgumentParser
import Dynamo
import JSON

/// A condition on the key.
struct KeyOptions: ParsableArguments {
  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Only items of this partition key (a Query); numbers as they are, binaries in base64.",
      discussion: "Again for each further partition attribute of an index that has several.",
      valueName: "value"))
  var pk: [String] = []

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Sort key equal to.", valueName: "value"))
  var sk: String?
  @Option(
    parsing: .unconditional, help: ArgumentHelp("Sort key beginning with.", valueName: "value"))
  var skBeginsWith: String?
  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Sort key from A to B, both included.", valueName: "a> <b"))
  var skBetween: [String] = []
  @Option(
    parsing: .unconditional, help: ArgumentHelp("Sort key less than.", valueName: "value"))
  var skLt: String?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Sort key less than or equal to.", valueName: "value"))
  var skLe: String?
  @Option(
    parsing: .unconditional, help: ArgumentHelp("Sort key greater than.", valueName: "value"))
  var skGt: String?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Sort key greater than or equal to.", valueName: "value"))
  var skGe: String?

  func validate() throws {
    guard !pk.contains("") else { throw ValidationError("--pk is empty, which no key is") }
    let given = try sortConditions()
    guard given.count <= 1 else {
      throw ValidationError("give one condition on the sort key at most")
    }
    if !given.isEmpty, pk.isEmpty {
      throw ValidationError("a condition on the sort key needs the partition key: add --pk VALUE")
    }
  }

  /// The condition on the sort key.
  func sort() throws -> SortCondition? { try sortConditions().first }

  private func sortConditions() throws -> [SortCondition] {
    guard skBetween.isEmpty || skBetween.count == 2 else {
      throw ValidationError("--sk-between takes two values")
    }
    return [
      sk.map(SortCondition.equal), skBeginsWith.map(SortCondition.beginsWith),
      skBetween.isEmpty ? nil : .between(skBetween[0], skBetween[1]),
      skLt.map(SortCondition.less), skLe.map(SortCondition.lessOrEqual),
      skGt.map(SortCondition.greater), skGe.map(SortCondition.greaterOrEqual),
    ].compactMap { $0 }
  }

  /// Lets `--sk-between A B` be what it looks like. The parser knows an option with one value, given
  /// twice, or one with all values up to the next dash, which would leave out negative numbers.
  static func expandingBetween(_ arguments: [String]) -> [String] {
    var expanded: [String] = []
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      expanded.append(argument)
      if argument == "--" { break }
      guard argument == "--sk-between", let low = rest.popFirst() else { continue }
      expanded.append(low)
      if let high = rest.popFirst() { expanded += ["--sk-between", high] }
    }
    return expanded + rest
  }
}

/// Which part of a table a command reads.
struct SliceOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Read this index instead of the table.", valueName: "name"))
  var index: String?

  @OptionGroup var key: KeyOptions

  @Option(
    help: ArgumentHelp("FilterExpression; filtered items are still paid for.", valueName: "expr"))
  var filter: String?
  @Option(help: ArgumentHelp("ProjectionExpression.", valueName: "expr"))
  var projection: String?
  @Option(help: ArgumentHelp("ExpressionAttributeNames.", valueName: "json"))
  var names: String?
  @Option(help: ArgumentHelp("ExpressionAttributeValues, in typed JSON.", valueName: "json"))
  var values: String?

  @Flag(help: "Strongly consistent reads; they cost twice as much.")
  var consistent = false

  func validate() throws {
    // An unset variable of the shell must not turn a slice into a whole, paid scan.
    for (option, value) in [
      ("--index", index), ("--filter", filter), ("--projection", projection), ("--names", names),
      ("--values", values),
    ] where value?.isEmpty == true {
      throw ValidationError("\(option) is empty")
    }
  }

  /// The options as the library wants them.
  func readOptions() throws -> ReadOptions {
    var options = ReadOptions()
    options.index = index
    options.partition = key.pk
    options.sort = try key.sort()
    options.filter = filter
    options.projection = projection
    options.names = try SliceOptions.object(names, "--names")
    options.values = try SliceOptions.object(values, "--values")
    options.consistent = consistent
    return options
  }

  private static func object(_ text: String?, _ option: String) throws -> JSONObject {
    guard let text else { return JSONObject() }
    do throws(JSONError) {
      if let object = try JSONValue.parse(text).object { return object }
    } catch {
      throw ValidationError("\(option) is not JSON: \(error)")
    }
    throw ValidationError("\(option) takes a JSON object")
  }
}

/// A number of bytes: `33554432`, `32MiB`, `8MB`, `512KiB`.
struct ByteSize: ExpressibleByArgument {
  var bytes: Int

  init?(argument: String) {
    let digits = argument.prefix { $0.isASCII && $0.isNumber }
    let units = [
      "": 1, "B": 1, "K": 1 << 10, "KIB": 1 << 10, "KB": 1000, "M": 1 << 20, "MIB": 1 << 20,
      "MB": 1_000_000, "G": 1 << 30, "GIB": 1 << 30, "GB": 1_000_000_000,
    ]
    guard let number = Int(digits), let unit = units[argument.dropFirst(digits.count).uppercased()]
    else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: unit)
    guard !overflow else { return nil }
    bytes = product
  }
}
