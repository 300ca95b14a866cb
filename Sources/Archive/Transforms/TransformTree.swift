internal import JSON

/// Rules arranged as a tree of steps, so that one walk through an item meets all of them.
struct TransformTree: Sendable {
  /// A place in items: one that a rule is about, or one that leads there.
  struct Node: Sendable {
    var path: AttributePath
    /// What is done with the value; nil where it is only passed through.
    var operation: ItemTransforms.Rule.Operation?
    /// The members of a map that lead on, or of the item.
    var names: [Name] = []
    /// The elements of a list that lead on.
    var indices: [Element] = []
  }

  struct Name: Sendable {
    var text: [UInt8]
    var hasBackslash: Bool
    /// As JSON, quotation marks included.
    var quoted: [UInt8]
    var node: Int
  }

  struct Element: Sendable {
    var index: Int
    var node: Int
  }

  /// The first is the item.
  private(set) var nodes = [Node(path: AttributePath())]

  init(_ rules: [ItemTransforms.Rule]) {
    for rule in rules {
      var place = 0
      for step in rule.path.steps { place = child(of: place, step) }
      nodes[place].operation = rule.operation
    }
  }

  private mutating func child(of place: Int, _ step: AttributePath.Step) -> Int {
    let new = nodes.count
    switch step {
    case .name(let text):
      if let known = nodes[place].names.first(where: { $0.text == text }) { return known.node }
      var quoted: [UInt8] = []
      JSONText.quote(text, into: &quoted)
      nodes[place].names.append(
        Name(
          text: text, hasBackslash: text.contains(UInt8(ascii: "\\")), quoted: quoted, node: new))
    case .index(let index):
      if let known = nodes[place].indices.first(where: { $0.index == index }) { return known.node }
      nodes[place].indices.append(Element(index: index, node: new))
    }
    nodes.append(Node(path: AttributePath(nodes[place].path.steps + [step])))
    return new
  }

  /// Where a member leads whose name stands between quotation marks at `name`. An escape is longer than
  /// what it stands for, so only a longer name can be another spelling, and a backslash has no other.
  @inline(__always)
  func child(
    of place: Int, _ bytes: Span<UInt8>, _ name: Range<Int>
  ) throws(JSONError) -> Int? {
    var isLonger = false
    for index in nodes[place].names.indices {
      let count = nodes[place].names[index].text.count
      if count == name.count {
        if matches(nodes[place].names[index].text, bytes, name.lowerBound),
          !nodes[place].names[index].hasBackslash
        {
          return nodes[place].names[index].node
        }
      } else if count < name.count {
        isLonger = true
      }
    }
    guard isLonger, bytes.extracting(name).contains(UInt8(ascii: "\\")) else { return nil }
    return try escapedChild(of: place, bytes, name)
  }

  @inline(__always)
  private func matches(_ text: [UInt8], _ bytes: Span<UInt8>, _ start: Int) -> Bool {
    for offset in text.indices where text[offset] != bytes[start &+ offset] { return false }
    return true
  }

  @inline(never)
  private func escapedChild(
    of place: Int, _ bytes: Span<UInt8>, _ name: Range<Int>
  ) throws(JSONError) -> Int? {
    var text: [UInt8] = []
    try JSONText.unescape(bytes, name, into: &text)
    return nodes[place].names.first { $0.text == text }?.node
  }

  /// A rule at a place or below it, for messages.
  func rule(at place: Int) -> ItemTransforms.Rule? {
    let node = nodes[place]
    if let operation = node.operation {
      return ItemTransforms.Rule(path: node.path, operation: operation)
    }
    return (node.names.first?.node ?? node.indices.first?.node).flatMap(rule(at:))
  }
}
