import Archive
import JSON
import Testing

@testable import Dynamo

@Suite struct TemplateTextTests {
  @Test(arguments: [
    ("", "${", [""]), ("a", "${", ["a"]), ("${", "${", ["", ""]), ("$${", "${", ["$", ""]),
    ("${${", "${", ["", "", ""]), ("a${\u{301}b", "${", ["a", "\u{301}b"]),
    ("aaa", "aa", ["", "a"]), ("日本${語", "${", ["日本", "語"]),
  ])
  func textsAreCutByBytes(text: String, mark: String, pieces: [String]) {
    #expect(text.splitBytes(by: mark).map { Array($0.utf8) } == pieces.map { Array($0.utf8) })
    #expect(text.holdsBytes(of: mark) == (pieces.count > 1))
    #expect(Array(text.replacingBytes(of: mark, with: mark).utf8) == Array(text.utf8))
  }

  private let account = "111122223333"
  private var arn: String { "arn:aws:dynamodb:eu-west-1:\(account):table/Orders" }

  @Test func accountsAreFoundWhereTheyStandByThemselves() {
    func parts(_ text: String) -> [AccountText.Part] {
      AccountText(text, account: account, arn: arn).parts
    }
    #expect(parts("*") == [.text("*")])
    #expect(parts("") == [])
    #expect(parts(account) == [.account])
    #expect(
      parts("arn:aws:iam::\(account):root") == [.text("arn:aws:iam::"), .account, .text(":root")])
    #expect(parts("\(account)4") == [.text("\(account)4")])
    #expect(parts("0\(account)") == [.text("0\(account)")])
    #expect(parts("\(account)\(account)") == [.text("\(account)\(account)")])
    #expect(parts("\(account),\(account)") == [.account, .text(","), .account])
    #expect(parts(arn) == [.table])
    #expect(parts("\(arn)/index/*") == [.table, .text("/index/*")])
    // Another table whose name begins so.
    #expect(
      parts("\(arn)-2") == [
        .text("arn:aws:dynamodb:eu-west-1:"), .account, .text(":table/Orders-2"),
      ])
  }

  @Test func argumentsAreLaidOutInRuns() {
    var document = HCL()
    document.block("resource", ["a", "b"]) {
      $0.set("name", .string("x\"${y}%{z}\n\u{1}\\"))
      $0.set("longer_name", .number("7"))
      $0.set("absent", nil)
      $0.set("map", .map([("k", .bool(true)), ("long key", .list([.string("v")]))]))
      $0.set("z", .expression("var.z"))
      $0.block("empty") { _ in }
      $0.set(
        "last", .template([.text("${"), .expression("var.x"), .text("$"), .expression("var.y")]))
    }
    #expect(
      document.text == #"""
        resource "a" "b" {
          name        = "x\"$${y}%%{z}\n\u0001\\"
          longer_name = 7
          map = {
            "k"        = true
            "long key" = ["v"]
          }
          z = var.z

          empty {}

          last = "$${${var.x}\u0024${var.y}"
        }

        """#)
  }

  @Test(arguments: [(3, 27), (231, 255), (255, 255)])
  func namesThatAreMadeOfATablesFit(length: Int, made: Int) {
    let table = String(repeating: "t", count: length)
    let name = DerivedName.of(table, suffix: "-dynarc-20261122T100000Z")
    #expect(name.count == made)
    #expect(name.hasSuffix("-dynarc-20261122T100000Z"))
  }

  @Test(arguments: [
    ("arn:aws:dynamodb:eu-west-1:1:table/Orders/backup/0163-a", "Orders"),
    ("arn:aws:dynamodb:eu-west-1:1:table/Orders", nil), ("Orders", nil),
  ])
  func aBackupsARNNamesItsTable(arn: String, table: String?) {
    #expect(Backup.tableName(inARN: arn) == table)
  }
}
