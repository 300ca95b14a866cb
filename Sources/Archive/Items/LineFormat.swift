/// A line of a chunk: `{"Item":`, the item's object, `}` and a line feed. In an archive of kind `changes`
/// it may start with `{"Keys":`, and more may stand before the brace.
public enum LineFormat {
  /// What stands before the item.
  static let prefix: StaticString = "{\"Item\":"
  /// What stands before the key of an item that is deleted, in the order of memory: `{"Keys":`.
  static let keysPrefixWord = UInt64(bigEndian: 0x7B22_4B65_7973_223A)
  /// What stands before the item before, and before its digest, which a quotation mark ends.
  static let old: StaticString = ",\"Old\":"
  static let oldSHA256: StaticString = ",\"OldSha256\":\""
  /// Bytes of a line that are not the item's: eight before, two behind.
  public static let overhead = 10
  /// `prefix` in the order of memory.
  static let prefixWord = UInt64(bigEndian: 0x7B22_4974_656D_223A)
  /// `}` and a line feed in the order of memory.
  static let suffixWord = UInt16(bigEndian: 0x7D0A)
}
