import ArgumentParser

/// The whole program, so that the executable is a two-line main.
public enum Program {
  /// Parses the arguments, runs the command and exits.
  public static func main() async -> Never {
    await Dynarc.main()
    Dynarc.exit()
  }
}
