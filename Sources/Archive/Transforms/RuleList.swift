package import JSON

/// Rules outside of manifests: in state files and reports.
extension ItemTransforms {
  /// Rules as a manifest has them (format-spec.md, section 4.1).
  package static func json(_ rules: [Rule]) -> JSONValue { .array(rules.map(\.json)) }

  /// The way back from `json`; nil for anything else.
  package static func rules(_ json: JSONValue) -> [Rule]? {
    try? json.array?.map { value throws(ArchiveError) in try Rule(Fields(value, file: "")) }
  }
}
