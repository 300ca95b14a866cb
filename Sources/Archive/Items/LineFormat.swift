/// A line of a chunk: `{"Item":`, the item's object, `}` and a line feed.
public enum LineFormat {
  /// What stands before the item.
  static let prefix: StaticString = "{\"Item\":"
  /// Bytes of a line that are not the item's: eight before, two behind.
  public static let overhead = 10
  /// `prefix` in the order of memory.
  static let prefixWord = UInt64(bigEndian: 0x7B22_4974_656D_223A)
  /// `}` and a line feed in the order of memory.
  static let suffixWord = UInt16(bigEndian: 0x7D0A)
}
