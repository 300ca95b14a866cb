import Archive
import ArgumentParser

/// A side of a copy as people name it: a profile, or `dynamodb://[profile@][region]/[NAME]`.
struct CopySide: Equatable {
  var profile: String?
  var region: String?
  var table: String?

  /// Reads an argument.
  ///
  /// - Throws: `ValidationError` that says what a side is called.
  static func parse(_ argument: String) throws -> CopySide {
    guard argument.hasPrefix("dynamodb:") else {
      guard !argument.isEmpty else { throw ValidationError("the name of a profile is empty") }
      return CopySide(profile: argument)
    }
    guard let parts = TableAddress.parts(argument),
      parts.name.isEmpty || TableName.isValid(parts.name)
    else {
      throw ValidationError(
        "\"\(argument)\" is no side of a copy: give a profile's name, or "
          + "dynamodb://[profile@][region]/[NAME]")
    }
    return CopySide(
      profile: parts.profile, region: parts.region,
      table: parts.name.isEmpty ? nil : parts.name)
  }
}

/// Both sides of a copy, with their tables' names.
struct CopySides {
  /// Who asks for the source, and where.
  let source: AWSOptions
  let sourceTable: String
  /// Who asks for the target, and where.
  let target: AWSOptions
  let targetTable: String

  /// Puts together what options and addresses say. What a side does not name is --profile's and --region's,
  /// or else the other side's.
  ///
  /// - Parameters:
  ///   - table: the table that is copied.
  ///   - targetTable: another name at the target.
  /// - Throws: `ValidationError` where two of them say different things.
  init(
    table: TableAddress, source: CopySide?, target: CopySide?, targetTable: String?, aws: AWSOptions
  ) throws {
    let from = CopySide(
      profile: try CopySides.one(
        "profile", "the table's address", table.profile, "--source", source?.profile),
      region: try CopySides.one(
        "region", "the table's address", table.region, "--source", source?.region),
      table: try CopySides.one("table", "the argument", table.table, "--source", source?.table))
    let to = target ?? CopySide()
    sourceTable = table.table
    self.targetTable =
      try CopySides.one("table", "--target-table", targetTable, "--target", to.table) ?? table.table
    self.source = CopySides.options(from, other: to, aws)
    self.target = CopySides.options(to, other: from, aws)
  }

  private static func options(_ side: CopySide, other: CopySide, _ aws: AWSOptions) -> AWSOptions {
    var options = aws
    let own = side.profile ?? aws.profile
    options.profile = own ?? other.profile
    // A profile has a region of its own, which another side's does not go before.
    options.region = side.region ?? aws.region ?? (own == nil ? other.region : nil)
    return options
  }

  /// What one of two places says, or both of them.
  private static func one(
    _ what: String, _ place: String, _ text: String?, _ otherPlace: String, _ other: String?
  ) throws -> String? {
    if let text, let other, text != other {
      throw ValidationError("the \(what) is \(text) by \(place), and \(other) by \(otherPlace)")
    }
    return text ?? other
  }
}
