/// A text with the places where it names an account or a table of it.
struct AccountText {
  enum Part: Equatable {
    case text(String)
    /// The account's number.
    case account
    /// The table's ARN.
    case table

    var isBound: Bool { if case .text = self { false } else { true } }
  }

  private(set) var parts: [Part] = []

  /// Finds the ARN at the beginning, as that of the table or of something in it, and each run of exactly the account's
  /// digits.
  init(_ text: String, account: String, arn: String?) {
    var rest = text
    if let arn, text == arn || text.hasPrefix("\(arn)/") {
      parts.append(.table)
      rest = String(text.utf8.dropFirst(arn.utf8.count)) ?? ""
    }
    let pieces = rest.splitBytes(by: account)
    var pending = pieces[0]
    for piece in pieces.dropFirst() {
      if AccountText.isDigit(pending.utf8.last) || AccountText.isDigit(piece.utf8.first) {
        pending += account + piece
        continue
      }
      if !pending.isEmpty { parts.append(.text(pending)) }
      parts.append(.account)
      pending = piece
    }
    if !pending.isEmpty { parts.append(.text(pending)) }
  }

  private static func isDigit(_ byte: UInt8?) -> Bool {
    byte.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
  }
}
