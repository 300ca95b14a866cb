import Archive
import JSON

extension TerraformTemplate {
  /// Adds a scalable target, and what scales it.
  mutating func add(_ scaling: TableTemplate.Scaling, to document: inout HCL) {
    let base =
      label + (scaling.index.map { "_\(TerraformTemplate.identifier($0))" } ?? "")
      + (scaling.isRead ? "_read" : "_write")
    let target = unique("aws_appautoscaling_target", base)
    document.block("resource", target) {
      $0.set("min_capacity", .number("\(scaling.minimum)"))
      $0.set("max_capacity", .number("\(scaling.maximum)"))
      $0.set(
        "resource_id",
        .template(
          [.text("table/"), .expression("\(address).name")]
            + (scaling.index.map { [.text("/index/\($0)")] } ?? [])))
      $0.set("scalable_dimension", .string(scaling.dimension))
      $0.set("service_namespace", .string("dynamodb"))
    }
    if let suspended = scaling.suspended, suspended.members.contains(where: { $0.value == true }) {
      notes.append(
        "auto scaling of \(scaling.dimension) is suspended, which the template does not say")
    }
    func refer(_ block: inout HCL) {
      let source = target.joined(separator: ".")
      for name in ["resource_id", "scalable_dimension", "service_namespace"] {
        block.set(name, .expression("\(source).\(name)"))
      }
    }
    for policy in scaling.policies {
      guard let configuration = policy["TargetTrackingScalingPolicyConfiguration"],
        configuration["CustomizedMetricSpecification"]?["Metrics"] == nil
      else {
        notes.append(
          "the scaling policy \(policy["PolicyName"]?.string ?? "?") is left out: dynarc writes target tracking of "
            + "single metrics only")
        continue
      }
      document.block("resource", unique("aws_appautoscaling_policy", base)) {
        $0.set("name", policy["PolicyName"]?.string.map(HCL.Value.string))
        $0.set("policy_type", .string("TargetTrackingScaling"))
        refer(&$0)
        $0.block("target_tracking_scaling_policy_configuration") {
          TerraformTemplate.fill(&$0, configuration)
        }
      }
    }
    for action in scaling.actions {
      document.block("resource", unique("aws_appautoscaling_scheduled_action", base)) {
        $0.set("name", action["ScheduledActionName"]?.string.map(HCL.Value.string))
        refer(&$0)
        $0.set("schedule", action["Schedule"]?.string.map(HCL.Value.string))
        $0.set("timezone", action["Timezone"]?.string.map(HCL.Value.string))
        $0.set("start_time", Timestamp(epoch: action["StartTime"]).map { .string("\($0)") })
        $0.set("end_time", Timestamp(epoch: action["EndTime"]).map { .string("\($0)") })
        $0.block("scalable_target_action") {
          $0.set(
            "min_capacity", action["ScalableTargetAction"]?["MinCapacity"].flatMap(HCL.Value.init))
          $0.set(
            "max_capacity", action["ScalableTargetAction"]?["MaxCapacity"].flatMap(HCL.Value.init))
        }
      }
    }
  }

  private static func fill(_ block: inout HCL, _ configuration: JSONValue) {
    for (name, member) in [
      ("target_value", "TargetValue"), ("scale_in_cooldown", "ScaleInCooldown"),
      ("scale_out_cooldown", "ScaleOutCooldown"), ("disable_scale_in", "DisableScaleIn"),
    ] { block.set(name, configuration[member].flatMap(HCL.Value.init)) }
    if let metric = configuration["PredefinedMetricSpecification"] {
      block.block("predefined_metric_specification") {
        $0.set("predefined_metric_type", metric["PredefinedMetricType"].flatMap(HCL.Value.init))
        $0.set("resource_label", metric["ResourceLabel"].flatMap(HCL.Value.init))
      }
    }
    if let metric = configuration["CustomizedMetricSpecification"] {
      block.block("customized_metric_specification") { block in
        for (name, member) in [
          ("metric_name", "MetricName"), ("namespace", "Namespace"), ("statistic", "Statistic"),
          ("unit", "Unit"),
        ] { block.set(name, metric[member].flatMap(HCL.Value.init)) }
        for dimension in metric["Dimensions"]?.array ?? [] {
          block.block("dimensions") {
            $0.set("name", dimension["Name"].flatMap(HCL.Value.init))
            $0.set("value", dimension["Value"].flatMap(HCL.Value.init))
          }
        }
      }
    }
  }
}
