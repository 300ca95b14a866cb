/// A service as settings and endpoint rules know it.
public struct AWSService: Hashable, Sendable {
  /// The service id in lower case with underscores: what stands in a `services` section, and in
  /// capitals behind `AWS_ENDPOINT_URL_`.
  public var id: String
  /// What its host names begin with.
  public var hostPrefix: String

  /// Describes a service.
  public init(id: String, hostPrefix: String) {
    self.id = id
    self.hostPrefix = hostPrefix
  }

  /// Amazon DynamoDB.
  public static let dynamoDB = AWSService(id: "dynamodb", hostPrefix: "dynamodb")
  /// Application Auto Scaling, which changes the provisioned throughput of tables.
  public static let applicationAutoScaling = AWSService(
    id: "application_auto_scaling", hostPrefix: "application-autoscaling")
  /// AWS Security Token Service.
  public static let sts = AWSService(id: "sts", hostPrefix: "sts")
  /// The portal of AWS IAM Identity Center, which gives a role's credentials for a token.
  public static let sso = AWSService(id: "sso", hostPrefix: "portal.sso")
  /// The token service of AWS IAM Identity Center.
  public static let ssoOIDC = AWSService(id: "sso_oidc", hostPrefix: "oidc")
  /// AWS Sign-In, which renews what `aws login` has given.
  public static let signin = AWSService(id: "signin", hostPrefix: "signin")
}

/// A separate part of AWS with domains of its own (botocore's partitions.json). All of them have FIPS
/// and dual-stack endpoints.
struct Partition: Equatable, Sendable {
  let id: String
  /// The domain of plain and FIPS endpoints.
  let suffix: String
  /// The domain of dual-stack endpoints.
  let dualStackSuffix: String
  /// The domain of the sign-in pages.
  let signinSuffix: String
  /// What the names of its regions begin with; also those of pseudo regions such as `aws-cn-global`.
  private let prefixes: [String]

  private static let standard = Partition(
    id: "aws", suffix: "amazonaws.com", dualStackSuffix: "api.aws", signinSuffix: "aws.amazon.com",
    prefixes: [])

  private static let others = [
    Partition(
      id: "aws-cn", suffix: "amazonaws.com.cn", dualStackSuffix: "api.amazonwebservices.com.cn",
      signinSuffix: "amazonaws.cn",
      prefixes: ["cn-", "aws-cn-"]),
    Partition(
      id: "aws-eusc", suffix: "amazonaws.eu", dualStackSuffix: "api.amazonwebservices.eu",
      signinSuffix: "amazonaws-eusc.eu",
      prefixes: ["eusc-"]),
    Partition(
      id: "aws-iso", suffix: "c2s.ic.gov", dualStackSuffix: "api.aws.ic.gov",
      signinSuffix: "c2shome.ic.gov",
      prefixes: ["us-iso-", "aws-iso-global"]),
    Partition(
      id: "aws-iso-b", suffix: "sc2s.sgov.gov", dualStackSuffix: "api.aws.scloud",
      signinSuffix: "sc2shome.sgov.gov",
      prefixes: ["us-isob-", "aws-iso-b-"]),
    Partition(
      id: "aws-iso-e", suffix: "cloud.adc-e.uk", dualStackSuffix: "api.cloud-aws.adc-e.uk",
      signinSuffix: "csphome.adc-e.uk",
      prefixes: ["eu-isoe-", "aws-iso-e-"]),
    Partition(
      id: "aws-iso-f", suffix: "csp.hci.ic.gov", dualStackSuffix: "api.aws.hci.ic.gov",
      signinSuffix: "csphome.hci.ic.gov",
      prefixes: ["us-isof-", "aws-iso-f-"]),
    Partition(
      id: "aws-us-gov", suffix: "amazonaws.com", dualStackSuffix: "api.aws",
      signinSuffix: "amazonaws-us-gov.com",
      prefixes: ["us-gov-", "aws-us-gov-"]),
  ]

  /// Whether a host is one of AWS's own, be it a region's or one of a private network.
  static func owns(_ host: String) -> Bool {
    ([standard] + others).contains {
      host.hasSuffix(".\($0.suffix)") || host.hasSuffix(".\($0.dualStackSuffix)")
    }
  }

  /// The partition of a region; unknown ones are the standard partition's.
  static func of(region: String) -> Partition {
    others.first { partition in partition.prefixes.contains { region.hasPrefix($0) } } ?? standard
  }
}
