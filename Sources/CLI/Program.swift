import AWS
import ArgumentParser
import Archive
import CLinux
import Dispatch
import Dynamo
import Glibc
import Synchronization

/// The root of the command line; each command stands in a file of its own under Commands.
struct Dynarc: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dynarc",
    abstract: "Snapshots of Amazon DynamoDB tables as files you own.",
    version: Version.number,
    subcommands: [
      DumpCommand.self, LoadCommand.self, InfoCommand.self, CatCommand.self, DiffCommand.self,
      QueryCommand.self, GetCommand.self, ApplyCommand.self, MergeCommand.self, CopyCommand.self,
      TruncateCommand.self, PlanCommand.self, VerifyCommand.self, BackupCommand.self,
      BackupsCommand.self, RestoreCommand.self, WhoamiCommand.self,
    ])
}

/// The version of the tool, which the manifests name.
enum Version {
  static let number = "0.1.0"
}

enum Machine {
  /// Processors that may be used.
  static let cores = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
}

/// The whole program, so that the executable is a two-line main.
public enum Program {
  /// Parses the arguments, runs the command and exits.
  public static func main() async -> Never {
    // curl is told to leave signals alone, so a peer that hangs up must not end the process.
    signal(SIGPIPE, SIG_IGN)
    // Where it cannot be set, memory is what the system makes of it.
    _ = dynarc_map_large_blocks(256 << 10, 8 << 20)
    let work = Task { await run() }
    let sources = interruptible(work)
    let status = await work.value
    for source in sources { source.cancel() }
    exit(status)
  }

  private static func run() async -> Int32 {
    do {
      var command = try Dynarc.parseAsRoot(
        KeyOptions.expandingBetween(Array(CommandLine.arguments.dropFirst())))
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
      return 0
    } catch let end as EndWith {
      return end.status
    } catch {
      return describe(error)
    }
  }

  /// The first SIGINT or SIGTERM asks the job to finish what is in flight and to write a checkpoint,
  /// or cancels a command that has no such thing; the second one ends the process at once.
  private static func interruptible(_ work: Task<Int32, Never>) -> [any DispatchSourceSignal] {
    let signals = Interruption.count
    return [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        if signals.next() > 1 { _exit(ExitStatus.interrupted) }
        if !Interruption.stop.request() { work.cancel() }
      }
      source.resume()
      return source
    }
  }

  /// Tells what went wrong.
  ///
  /// - Returns: the exit code for it.
  @discardableResult
  static func describe(_ error: any Error) -> Int32 {
    guard let told = told(error) else { return reportParsing(error) }
    Terminal.error(told.message, hint: told.hint)
    return told.status
  }

  /// What is said of an error, and the exit code for it; nil for those of the command line.
  static func told(_ error: any Error) -> (message: String, hint: String?, status: Int32)? {
    switch error {
    case let error as ArchiveError:
      return ("\(error)", error.hint ?? hint(for: error), ExitStatus.failed)
    case let error as DynamoError:
      let status =
        switch error.code {
        case .usage: ExitStatus.usage
        // Nothing is lost; the job could not go on.
        case .stuck: ExitStatus.partial
        default: ExitStatus.failed
        }
      return (error.message, error.hint, status)
    case let error as TransformError:
      // The rules are fine, and an item is not as they expect.
      let isOfItems = [.mismatch, .collision].contains(error.code)
      return (error.message, error.hint, isOfItems ? ExitStatus.failed : ExitStatus.usage)
    case let error as ServiceError:
      return (
        "\(error)", error.hint,
        error.kind == .cancelled ? ExitStatus.interrupted : ExitStatus.failed
      )
    case let error as ConfigurationError: return ("\(error)", error.hint, ExitStatus.failed)
    case let error as CredentialError: return ("\(error)", error.hint, ExitStatus.failed)
    case let error as TransportError: return ("\(error)", error.hint, ExitStatus.failed)
    case is CancellationError: return ("interrupted", nil, ExitStatus.interrupted)
    default: return nil
    }
  }

  /// What to do where a folder's index is damaged: its archives need none.
  static let indexHint =
    "restore \(FolderIndex.fileName) from a copy; every archive in \(FolderIndex.archives) can be verified and loaded by itself"

  /// What to do about damage of which the library knows no more.
  private static func hint(for error: ArchiveError) -> String? {
    guard error.code == .damaged else { return nil }
    if error.file == FolderIndex.fileName { return indexHint }
    return error.file == ArchiveNames.journal
      ? "the dump cannot be gone on with; dump the table again into another directory"
      : "dynarc verify lists what is damaged; restore it from another copy, or dump the table again"
  }

  private static func reportParsing(_ error: any Error) -> Int32 {
    if Dynarc.exitCode(for: error).isSuccess {
      // --help and --version.
      try? Terminal.output(Dynarc.fullMessage(for: error))
      return 0
    }
    Terminal.error(Dynarc.message(for: error), hint: "see dynarc --help, or dynarc COMMAND --help")
    return ExitStatus.usage
  }
}

/// The wish to end, as signals bring it: there is one process, and so one wish.
enum Interruption {
  /// What jobs look at.
  static let stop = StopSignal()
  fileprivate static let count = SignalCount()
  /// Whether a signal has come, whoever minds it.
  static var hasCome: Bool { count.isAny }

  /// How many signals have come.
  fileprivate final class SignalCount: Sendable {
    private let count = Atomic(0)

    var isAny: Bool { count.load(ordering: .relaxed) > 0 }

    func next() -> Int { count.wrappingAdd(1, ordering: .relaxed).newValue }
  }
}
