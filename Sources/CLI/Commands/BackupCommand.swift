import ArgumentParser
import Dynamo
import JSON

struct BackupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Make an on-demand backup of a table, which AWS keeps.",
    discussion: """
      dynarc backup Orders
      dynarc backup Orders --name before-migration

      Waits until the backup can be used, and prints its ARN. AWS charges for each GB and month until \
      the backup is deleted: aws dynamodb delete-backup --backup-arn ARN
      """)

  @Argument(
    help: "Table, by name or as dynamodb://[profile@][region]/NAME.",
    transform: TableAddress.parse)
  var table: TableAddress

  @Option(
    help: ArgumentHelp(
      "The backup's name, 3 to 255 letters, digits, _, - and .; otherwise TABLE-dynarc-TIME.",
      valueName: "name"))
  var name: String?

  @OptionGroup var giveUp: GiveUpOptions

  @OptionGroup(title: "AWS") var aws: AWSOptions
  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws {
    if let name, !BackupCommand.isName(name) {
      throw ValidationError("--name takes 3 to 255 letters, digits, _, - and .")
    }
  }

  /// The API reference, BackupName.
  private static func isName(_ text: String) -> Bool {
    (3...255).contains(text.utf8.count)
      && text.unicodeScalars.allSatisfy { scalar in
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".": true
        default: false
        }
      }
  }

  func run() async throws {
    let connection = try await Connection(aws, address: table)
    var options = BackupOptions()
    options.name = name
    options.stop = Interruption.stop
    if let time = giveUp.giveUpAfter { options.giveUpAfter = time.duration }
    let job = BackupJob(client: connection.client, table: table.table, options: options)
    let begun = Begun<Backup>()
    let meter = ProgressMeter(output)
    defer { meter.finish() }
    let backup: Backup
    do {
      backup = try await job.run(begun: { begun.set($0) }, progress: { meter.show($0) })
    } catch {
      meter.finish()
      throw stopped(by: error, begun.value)
    }
    meter.finish()
    if output.json {
      var json = backup.report
      json["seconds"] = .number(Format.plain(meter.elapsed))
      try Terminal.output(.object(json))
    } else {
      try Terminal.output(backup.arn)
    }
    guard !output.quiet, !output.json else { return }
    Terminal.say(
      "backed up \(table.table) as \(backup.name)"
        + (backup.sizeBytes.map { " (\(Format.bytes($0)))" } ?? "")
        + " in \(Format.duration(meter.elapsed))")
  }

  /// Says what becomes of a backup that has been asked for.
  private func stopped(by error: any Error, _ begun: Backup?) -> any Error {
    // Where the service says what became of it, there is no more to say.
    guard let begun, !(error is DynamoError) else { return error }
    let interrupted = error is CancellationError
    if !interrupted { Program.describe(error) }
    Terminal.error(
      "\(interrupted ? "interrupted" : "stopped"); AWS goes on making backup \(begun.name), "
        + begun.arn,
      hint: "see how far it is with: "
        + ShellCommand.line(["dynarc", "backups", table.table] + aws.again(table)))
    return EndWith(status: interrupted ? ExitStatus.interrupted : ExitStatus.partial)
  }
}
