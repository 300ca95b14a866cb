import JSON
import Testing

@testable import Dynamo

@Suite struct IdentityTranslationTests {
  private func blueprint(
    account: String? = "444455556666", region: String = "eu-central-1",
    _ change: (inout IdentityMap) -> Void = { _ in }
  ) throws -> TableBlueprint {
    try RecordedSettings.blueprint(account: account, region: region) { choice, _ in
      change(&choice.identities)
    }
  }

  @Test func anotherAccountsIdsAreNotApplied() throws {
    let blueprint = try blueprint()
    for setting in [TableSetting.encryption, .kinesis, .policy] {
      #expect(blueprint.steps(setting).isEmpty)
      #expect(blueprint.reason(setting)?.needsDecision == true)
    }
    #expect(blueprint.creation["SSESpecification"] == nil)
    #expect(blueprint.reason(.encryption)?.text.contains("--map-kms") == true)
    #expect(
      blueprint.reason(.kinesis)?.text.contains("--account-map 111122223333=ACCOUNT") == true)
    #expect(
      blueprint.reason(.policy)?.text.contains("--account-map 999900001111=ACCOUNT") == true)
  }

  @Test func noAccountIsTakenForAnother() throws {
    #expect(try blueprint(account: nil).reason(.encryption)?.needsDecision == true)
  }

  @Test(arguments: [RecordedSettings.key, "1234abcd-12ab-34cd-56ef-1234567890ab"])
  func keysAreMapped(name: String) throws {
    let mapped = try blueprint { $0.keys = [name: "alias/orders"] }
    #expect(
      mapped.creation["SSESpecification"]
        == ["Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": "alias/orders"])
    let managed = try blueprint { $0.keys = [name: "alias/aws/dynamodb"] }
    #expect(managed.creation["SSESpecification"] == ["Enabled": true, "SSEType": "KMS"])
  }

  @Test func accountsAreMapped() throws {
    let mapped = try blueprint {
      $0.accounts = ["111122223333": "444455556666", "999900001111": "777788889999"]
    }
    #expect(
      mapped.steps(.kinesis).first?.body["StreamArn"]
        == "arn:aws:kinesis:eu-central-1:444455556666:stream/changes")
    let policy = try #require(mapped.steps(.policy).first?.body["Policy"]?.string)
    #expect(
      try JSONValue.parse(policy)["Statement"] == [
        [
          "Effect": "Allow", "Principal": ["AWS": "arn:aws:iam::777788889999:root"],
          "Action": "dynamodb:GetItem",
          "Resource": [
            "arn:aws:dynamodb:eu-central-1:444455556666:table/Copy",
            "arn:aws:dynamodb:eu-central-1:444455556666:table/Copy/index/*",
          ],
        ]
      ])
    // A key has no counterpart in another account, whatever its number.
    #expect(mapped.reason(.encryption)?.needsDecision == true)
  }

  @Test func anotherRegionOfOneAccount() throws {
    let blueprint = try blueprint(account: "111122223333", region: "eu-west-1")
    #expect(blueprint.reason(.encryption)?.needsDecision == true)
    #expect(blueprint.reason(.kinesis)?.needsDecision == true)
    let policy = try #require(blueprint.steps(.policy).first?.body["Policy"]?.string)
    #expect(policy.contains("arn:aws:dynamodb:eu-west-1:111122223333:table/Copy"))
    #expect(!policy.contains("eu-central-1"))
  }

  @Test(arguments: [
    #"{"Condition":{"StringEquals":{"aws:SourceVpce":"vpce-1a2b3c4d"}}}"#,
    #"{"Principal":{"AWS":"AROAJQABLZS4A3QDU576Q"}}"#,
    #"{"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-abcdef1234"}}}"#,
    #"{"Principal":{"AWS":"777700001111"}}"#,
    #"{"Condition":{"ArnLike":{"aws:SourceArn":["arn:aws:lambda:x:777700001111:*"]}}}"#,
    "no json",
  ])
  func idsOfAnotherAccountInPolicies(policy: String) {
    var translation = IdentityTranslation(
      source: TableIdentity(name: "a", account: "111122223333", region: "r"),
      target: TableIdentity(name: "b", account: "444455556666", region: "r"), map: IdentityMap())
    #expect(throws: IdentityTranslation.Foreign.self) { try translation.policy(policy) }
    // Within the account nothing is foreign.
    translation.target.account = "111122223333"
    #expect(throws: Never.self) { try translation.policy(policy) }
  }

  @Test func policiesWithoutIdsAndOfTheTargetItself() throws {
    let translation = IdentityTranslation(
      source: TableIdentity(name: "a", account: "111122223333", region: "r"),
      target: TableIdentity(name: "b", account: "444455556666", region: "r"), map: IdentityMap())
    let policy =
      #"{"a":"*","b":"444455556666","c":"1234567890123","d":[1,true,null],"e":"12345678901"}"#
    #expect(try translation.policy(policy) == policy)
  }

  @Test func tablesWithTheSameBeginning() throws {
    let translation = IdentityTranslation(
      source: TableIdentity(name: "Orders", account: "1", region: "r"),
      target: TableIdentity(name: "Copy", account: "1", region: "r"), map: IdentityMap())
    let policy = #"{"Resource":"arn:aws:dynamodb:r:1:table/OrdersOld"}"#
    #expect(try translation.policy(policy) == policy)
  }
}
