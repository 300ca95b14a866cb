import Archive
import Dynamo
import JSON

extension Backup {
  /// What `--json` tells of a backup.
  var report: JSONObject {
    var json: JSONObject = [
      "name": .string(name), "table": .string(tableName), "arn": .string(arn),
      "status": .string(status), "type": .string(type),
    ]
    json["created"] = created.map { .string("\($0)") }
    json["expires"] = expires.map { .string("\($0)") }
    json["sizeBytes"] = sizeBytes.map { JSONValue($0) }
    json["tableID"] = tableID.map(JSONValue.string)
    return json
  }
}

/// What `dynarc backups` tells.
struct BackupsReport {
  private let backups: [Backup]

  /// - Parameter backups: in any order; they are told by age.
  init(_ backups: [Backup]) {
    self.backups = backups.sorted {
      ($0.created?.seconds ?? 0, $0.arn) < ($1.created?.seconds ?? 0, $1.arn)
    }
  }

  var json: JSONValue { .array(backups.map { .object($0.report) }) }

  /// A row for each, the oldest first.
  var text: String {
    Format.columns(
      header: ["NAME", "TABLE", "CREATED", "STATUS", "TYPE", "SIZE", "EXPIRES", "ARN"],
      backups.map { backup in
        [
          backup.name, backup.tableName, backup.created.map { "\($0)" } ?? "-", backup.status,
          backup.type, backup.sizeBytes.map(Format.bytes) ?? "-",
          backup.expires.map { "\($0)" } ?? "-", backup.arn,
        ]
      })
  }
}
