import Archive
import ArgumentParser
import Dynamo

struct GetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "Show one item of a table or an archive; exits with 1 if there is none.",
    discussion: """
      dynarc get Orders --pk 4711 --sk 2026-11-22#1
      dynarc get ./orders-2026-11-22 --pk 4711 --sk 2026-11-22#1 --plain

      A directory, and whatever has a / or begins with a dot, is an archive; anything else is a \
      table. An archive is read chunk by chunk, up to the one that holds the item.
      """)

  @Argument(
    help: "An archive's directory, or a table by name or as dynamodb://….", completion: .directory)
  var place: TableOrArchive

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Partition key; numbers as they are, binaries in base64.", valueName: "value"))
  var pk: String

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Sort key, where the table has one.", valueName: "value"))
  var sk: String?

  @Flag(help: "Plain JSON: no types; binaries in base64, sets as lists.")
  var plain = false

  @Flag(help: "Of a table: a strongly consistent read; it costs twice as much.")
  var consistent = false

  @OptionGroup(title: "AWS") var aws: AWSOptions

  func validate() throws {
    if pk.isEmpty { throw ValidationError("--pk is empty, which no key is") }
    if case .archive = place, consistent {
      throw ValidationError("--consistent is for tables; leave it out for an archive")
    }
  }

  func run() async throws {
    let item: [UInt8]?
    let key: KeySlice
    let name: String
    switch place {
    case .archive(let path):
      let archive = try Archive.open(LocalStorage(directory: path))
      key = try slice(of: archive.manifest.table.key)
      item = try archive.item(key)
      name = path
    case .table(let address):
      let client = try await Connection(aws, address: address).client
      let table = try await client.describeTable(address.table)
      key = try slice(of: table.schema.key)
      item = try await client.item(of: table, partition: pk, sort: sk, consistent: consistent)
      name = "table \(address.table)"
    }
    guard let item else {
      Terminal.error("there is no item with \(key.words) in \(name)", hint: nil)
      throw EndWith(status: ExitStatus.notFound)
    }
    var printer = ItemPrinter(plain: plain)
    try printer.add(item.span, 0..<item.count)
    try printer.print()
  }

  private func slice(of key: KeySchema) throws -> KeySlice {
    do throws(ArchiveError) { return try KeySlice(item: key, partition: pk, sort: sk) } catch {
      throw DynamoError(.usage, error.message, hint: error.hint)
    }
  }
}
