import Archive
import JSON
import Testing

@testable import Dynamo

/// What a copy that changes items is refused for, before it asks anybody.
@Suite struct CopyRulesTests {
  /// Whether a check refuses, as wrong usage.
  private func refuses(_ check: () throws -> Void) -> Bool {
    do { try check() } catch {
      #expect((error as? DynamoError)?.code == .usage)
      return true
    }
    return false
  }

  private func refusesFilter(_ options: CopyOptions, _ mode: CopyMode) -> Bool {
    refuses { try options.checkFilter(mode) }
  }

  private func refusesRekey(_ options: CopyOptions) -> Bool { refuses { try options.checkRekey() } }

  @Test(
    arguments: [
      ("email = :x", true), ("attribute_exists(email)", true), ("NOT size(address.zip)>:n", true),
      ("email_2 = :x AND emails = :y", false), ("#e = :x", true), ("#n = :x", false),
      ("address = :x", true),
      ("a.email = :x", true), ("begins_with(name, :email)", true), ("name = :x", false),
    ])
  func filtersThatLookAtWhatChanges(filter: String, isRefused: Bool) throws {
    var options = CopyOptions(cores: 1)
    options.transforms = try ItemTransforms(
      [.remove("email"), .remove("address.zip")], hashKey: nil)
    options.read.filter = filter
    options.read.names = ["#e": "email", "#n": "name"]
    // A placeholder counts if it is given, used or not: the service demands that it is.
    if !filter.contains("#e") { options.read.names = ["#n": "name"] }
    for mode in [CopyMode.replace, .truncateFirst] {
      #expect(refusesFilter(options, mode) == isRefused)
    }
    #expect(!refusesFilter(options, .merge))
    options.transforms = .none
    #expect(!refusesFilter(options, .replace))
  }

  @Test(
    arguments: [
      (.replace, false, true), (.replace, true, true), (.truncateFirst, false, false),
      (.truncateFirst, true, true), (.merge, true, false), (nil, true, false),
    ] as [(CopyMode?, Bool, Bool)])
  func keysThatChange(mode: CopyMode?, isSlice: Bool, isRefused: Bool) {
    var options = CopyOptions(cores: 1)
    options.mode = mode
    options.read.consistent = true
    if isSlice { options.read.partition = ["p"] }
    #expect(!refusesRekey(options))
    options.rekey = true
    #expect(refusesRekey(options) == isRefused)
  }
}
