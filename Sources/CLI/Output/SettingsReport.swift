import Dynamo
import JSON

/// Tells what became of a table's settings.
struct SettingsReport {
  let results: [SettingResult]
  let table: String

  /// For `--json`.
  var json: JSONValue {
    .array(
      results.map { result in
        var object: JSONObject = [
          "setting": .string(result.setting.rawValue), "what": .string(result.words),
        ]
        switch result.outcome {
        case .restored: object["outcome"] = "restored"
        case .same: object["outcome"] = "same"
        case .refused(let code, let message):
          object["outcome"] = "refused"
          object["code"] = .string(code)
          object["message"] = .string(message)
        case .skipped(let reason, let needsDecision):
          object["outcome"] = "skipped"
          object["reason"] = .string(reason)
          object["needsDecision"] = .bool(needsDecision)
        }
        return .object(object)
      })
  }

  /// A line of what the table has now; nil where it got nothing.
  var line: String? {
    let restored = results.filter { $0.outcome == .restored }.map(\.words)
    let same = results.count { $0.outcome == .same }
    guard !restored.isEmpty || same > 0 else { return nil }
    var parts = restored.isEmpty ? [] : [restored.joined(separator: ", ")]
    if same > 0 { parts.append("\(same) as wanted already") }
    return "settings: \(parts.joined(separator: "; "))"
  }

  /// Warns of what the table lacks.
  func warn() {
    for result in results {
      switch result.outcome {
      case .refused(let code, let message):
        Terminal.warn("\(table) did not get \(result.words): \(code): \(message)")
      case .skipped(let reason, _):
        Terminal.warn("\(table) did not get \(result.words): \(reason)")
      case .restored, .same: break
      }
    }
  }

  /// Ends with exit code 4 where somebody must see to a setting.
  ///
  /// - Parameter again: the command up to the settings, which loads no items.
  func end(again: [String]) throws {
    var names: [String] = []
    for result in results where result.isOpen && !names.contains(result.setting.rawValue) {
      names.append(result.setting.rawValue)
    }
    guard !names.isEmpty else { return }
    let command = ShellCommand.line(
      again + ["--schema-only", "--settings", names.joined(separator: ",")])
    Terminal.error(
      "\(table) lacks \(names.joined(separator: ", ")); all else is in place",
      hint: "see the warnings; then: \(command)")
    throw EndWith(status: ExitStatus.partial)
  }
}
