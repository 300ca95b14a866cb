/// A side of a comparison as rules make it: each item is changed when it is read.
package struct TransformedItems: ItemSource {
  package var name: String { items.name }
  package var key: KeySchema { items.key }
  package var origin: ItemOrigin { items.origin }
  package var isRepeatable: Bool { items.isRepeatable }
  package var readersWanted: Int? { items.readersWanted }
  package var hasUniqueKeys: Bool { items.hasUniqueKeys }

  /// The digests are of what was stored, and say nothing of what comes of it.
  package var parts: [ItemPart] {
    items.parts.map { part in
      var part = part
      part.contentSHA256 = nil
      return part
    }
  }

  private let items: any ItemSource
  private let transforms: ItemTransforms

  package init(_ items: any ItemSource, _ transforms: ItemTransforms) {
    self.items = items
    self.transforms = transforms
  }

  package func read(
    part: Int, _ detail: ItemDetail, _ body: (borrowing LineBlock) async throws -> Bool
  ) async throws {
    // Only what has been validated is changed, whatever is asked for.
    var changer = LineTransformer(transforms, key: key)
    try await items.read(part: part, .keys) { block in
      try changer.change(block)
      return try await body(changer.block)
    }
  }
}
