import Archive
import ArgumentParser

/// Paths of attributes with commas between them.
struct PathsArgument: ExpressibleByArgument {
  var paths: [AttributePath]

  init?(argument: String) {
    guard let paths = AttributePath.list(argument) else { return nil }
    self.paths = paths
  }
}

/// The path of one attribute.
struct PathArgument: ExpressibleByArgument {
  var path: AttributePath

  init?(argument: String) {
    guard let path = AttributePath(argument) else { return nil }
    self.path = path
  }
}
