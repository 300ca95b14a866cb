import ArgumentParser

/// An archive or a table, as people name it.
enum TableOrArchive: ExpressibleByArgument {
  case archive(String)
  case table(TableAddress)

  init?(argument: String) {
    let isAddress = argument.hasPrefix("dynamodb:")
    if !isAddress,
      argument.contains("/") || argument.hasPrefix(".") || FileSystem.isDirectory(argument)
    {
      self = .archive(argument)
    } else if let address = try? TableAddress.parse(argument) {
      self = .table(address)
    } else {
      return nil
    }
  }
}
