import Archive
import JSON

extension SettingsPlanner {
  /// Scalable targets, their policies and their scheduled actions.
  mutating func planAutoScaling() {
    let lists = [
      ("RegisterScalableTarget", settings.scalableTargets),
      ("PutScalingPolicy", settings.scalingPolicies),
      ("PutScheduledAction", settings.scheduledActions),
    ]
    guard lists.contains(where: { !$0.1.isEmpty }) else { return }
    guard schema.billingMode == .provisioned else {
      return skip(.autoScaling, "auto scaling", "the table is on demand")
    }
    for (operation, list) in lists {
      for entry in list { planScaling(operation, entry) }
    }
    for (words, answer) in [
      ("scaling policies", "describeScalingPolicies"),
      ("scheduled actions", "describeScheduledActions"),
    ] {
      if let reason = settings.unknown(.autoScaling, answer) { skip(.autoScaling, words, reason) }
    }
  }

  /// Plans one entry of the answers. A scalable target has no role in its request: the account's
  /// service-linked role is taken, which Application Auto Scaling makes where it is missing.
  private mutating func planScaling(_ operation: String, _ entry: JSONValue) {
    let parts = (entry["ResourceId"]?.string ?? "").split(separator: "/").map(String.init)
    let index = parts.count == 4 ? parts[3] : nil
    let units =
      entry["ScalableDimension"]?.string?.hasSuffix("ReadCapacityUnits") == true
      ? "read" : "write"
    let place = "\(units) capacity" + (index.map { " of index \($0)" } ?? "")
    let words: String
    var wanted = ["ServiceNamespace", "ScalableDimension"]
    switch operation {
    case "RegisterScalableTarget":
      words =
        "auto scaling of \(place) from \(entry["MinCapacity"]?.int ?? 0) to "
        + "\(entry["MaxCapacity"]?.int ?? 0)"
      wanted += ["MinCapacity", "MaxCapacity", "SuspendedState"]
    case "PutScalingPolicy":
      words = "scaling policy \(entry["PolicyName"]?.string ?? "") of \(place)"
      wanted += [
        "PolicyName", "PolicyType", "StepScalingPolicyConfiguration",
        "TargetTrackingScalingPolicyConfiguration", "PredictiveScalingPolicyConfiguration",
      ]
    default:
      words = "scheduled action \(entry["ScheduledActionName"]?.string ?? "") of \(place)"
      wanted += [
        "ScheduledActionName", "Schedule", "Timezone", "StartTime", "EndTime",
        "ScalableTargetAction",
      ]
    }
    guard has(index) else {
      return skip(.autoScaling, words, "the table has no such index")
    }
    var body = JSONObject(
      (entry.object?.members ?? []).filter { wanted.contains($0.name) && $0.value != .null }
        .map { .init(name: $0.name, value: renamed($0.value)) })
    body["ResourceId"] = .string(
      (["table", target.name] + (index.map { ["index", $0] } ?? [])).joined(separator: "/"))
    add(.autoScaling, words, operation, body, on: [:], service: .applicationAutoScaling)
  }

  /// A policy's own metric with the table's name in the place of the source's.
  private func renamed(_ value: JSONValue) -> JSONValue {
    switch value {
    case .array(let elements): return .array(elements.map(renamed))
    case .object(let object):
      let namesTable =
        object["Name"] == "TableName" && object["Value"]?.string == translation.source.name
      return .object(
        JSONObject(
          object.members.map { member in
            .init(
              name: member.name,
              value: namesTable && member.name == "Value"
                ? .string(target.name) : renamed(member.value))
          }))
    default: return value
    }
  }
}
