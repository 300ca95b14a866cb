extension AWSTimestamp {
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// Reads `Sun, 06 Nov 1994 08:49:37 GMT`, the form in which servers must write dates (RFC 9110 section
  /// 5.6.7). The day of the week is not looked at. Anything else is nil.
  public init?(httpDate text: String) {
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 6, words[0].hasSuffix(","), words[5] == "GMT",
      let month = AWSTimestamp.months.firstIndex(of: String(words[2]))
    else { return nil }
    let number = month + 1
    self.init(
      iso8601: "\(words[3])-\(number < 10 ? "0" : "")\(number)-\(words[1])T\(words[4])Z")
  }
}
