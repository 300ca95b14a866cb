import Archive
import Dynamo

/// `dump --set`, `--remove` and `--hash`: items that are changed before they are written.
extension DumpCommand {
  func addTransforms(to options: inout DumpOptions) throws {
    // A dump that goes on has its rules from the journal, but for the key of its hashes.
    guard !resume || changing.isGiven else { return options.hashKey = try changing.hashKey() }
    options.transforms = try changing.transforms()
    options.rekey = changing.rekey
  }

  /// What a dump ends with that met an item which its rules cannot change, and leaves what earlier runs
  /// have written.
  func unfit(_ error: TransformError) -> any Error {
    Program.describe(error)
    Terminal.error(
      "\(archive) holds an unfinished dump",
      hint: "mend the items and go on with --resume, or remove \(archive) and dump with other rules"
    )
    return EndWith(status: ExitStatus.failed)
  }
}
