import ArgumentParser

/// The command line: global manners are in `Terminal.swift`, each command in a file of its own.
struct Dynarc: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dynarc", abstract: "Snapshots of Amazon DynamoDB tables as files you own.",
    version: "0.1.0")

  init() {}
}
