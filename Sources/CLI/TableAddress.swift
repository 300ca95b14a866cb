import Archive
import ArgumentParser

/// A table as people name it: `Orders`, or `dynamodb://[profile@][region]/Orders`.
struct TableAddress: Equatable {
  var profile: String?
  var region: String?
  var table: String

  /// Reads an argument.
  ///
  /// - Throws: `ValidationError` that says what a table is called.
  static func parse(_ argument: String) throws -> TableAddress {
    guard let address = TableAddress(argument) else {
      throw ValidationError(
        "\"\(argument)\" names no table: a name has letters, digits, _ - and . only, or is given as "
          + "dynamodb://[profile@][region]/NAME (dynamodb:///NAME); ARNs are not taken")
    }
    return address
  }

  private init?(_ argument: String) {
    guard let named = TableAddress(naming: argument), TableName.isValid(named.table) else {
      return nil
    }
    self = named
  }

  /// What stands in the place of a table's name, whether it is one or not; nil for an address that is none.
  private init?(naming argument: String) {
    guard argument.hasPrefix(TableAddress.scheme) else {
      table = argument
      return
    }
    guard let parts = TableAddress.parts(argument) else { return nil }
    (profile, region, table) = parts
  }

  /// Reads a pattern, `prod-*` or `dynamodb://[profile@][region]/prod-*`; nil for what is none.
  static func pattern(_ argument: String) -> (address: TableAddress, pattern: TablePattern)? {
    guard let address = TableAddress(naming: argument), let pattern = TablePattern(address.table)
    else { return nil }
    return (address, pattern)
  }

  static let scheme = "dynamodb://"

  /// The parts of `dynamodb://[profile@][region]/…`; nil for what is none.
  static func parts(_ address: String) -> (profile: String?, region: String?, name: String)? {
    let parts = address.dropFirst(scheme.count).split(
      separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard address.hasPrefix(scheme), parts.count == 2 else { return nil }
    var (profile, region): (String?, String) = (nil, String(parts[0]))
    // A profile's name may hold an @ itself; a region's never does.
    if let at = parts[0].lastIndex(of: "@") {
      profile = String(parts[0][..<at])
      region = String(parts[0][parts[0].index(after: at)...])
      if profile?.isEmpty == true { return nil }
    }
    return (profile, region.isEmpty ? nil : region, String(parts[1]))
  }
}
