/// Questions before something is lost.
enum Confirmation {
  /// Asks, where nobody said that there is no need.
  ///
  /// - Parameters:
  ///   - danger: what would happen, for when nobody can be asked.
  ///   - yes: whether --yes was given.
  /// - Throws: `EndWith`, where the answer is no or nobody can answer.
  static func ask(_ question: String, danger: String, yes: Bool) throws {
    guard !yes else { return }
    guard Terminal.standardInputIsTTY else {
      Terminal.error(danger, hint: "add --yes to go on without being asked")
      throw EndWith(status: ExitStatus.usage)
    }
    guard try Terminal.confirm(question) else {
      Terminal.say("nothing was changed")
      throw EndWith(status: ExitStatus.failed)
    }
  }
}
