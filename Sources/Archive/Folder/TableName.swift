/// What tables are called (DynamoDB's API reference, TableName).
public enum TableName {
  /// Whether a text can name a table: up to 255 letters, digits, `_`, `-` and `.`.
  ///
  /// One character is enough, since local servers take shorter names than the service. `.` and `..` are none:
  /// a table's archive has a directory of its name.
  public static func isValid(_ text: String) -> Bool {
    (1...255).contains(text.utf8.count) && text != "." && text != ".."
      && text.utf8.allSatisfy(isCharacter)
  }

  /// Whether the service takes a table of that name: it wants 3 characters at least.
  public static func isTaken(_ text: String) -> Bool { isValid(text) && text.utf8.count >= 3 }

  /// Whether names are made of such bytes.
  public static func isCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
      UInt8(ascii: "."):
      true
    default: false
    }
  }
}
