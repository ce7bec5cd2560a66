import FoundationEssentials

/// What to measure, and how the result is printed.
struct Options {
  static let usage = """
    usage: granary-bench-search SPECS [--seconds N] [--repeats N] [--transfer | --compare-cost-model]
             [--json] [--no-cost-model]
      SPECS      a file with one spec a line
      --seconds  of each search; 0 leaves searches out (5 unless told)
      --repeats  of each baseline, each in an empty store (5 unless told)
      --transfer takes the specs two by two, and measures how much sooner a search of the
                 second finds what it finds when one of the first came before it
      --compare-cost-model
                 searches with the cost model and without, in turns, --repeats times each
      --no-cost-model
                 leaves the cost model out of all other searches

    """
  var specs: [String] = []
  var seconds = 5.0
  var repeats = 5
  var json = false
  var measuresTransfer = false
  var comparesCostModel = false
  var usesCostModel = true

  /// - Returns: `nil` for arguments that are not understood.
  init?(_ arguments: ArraySlice<String>) {
    var rest = arguments
    while let word = rest.popFirst() {
      switch word {
      case "--json": json = true
      case "--transfer": measuresTransfer = true
      case "--compare-cost-model": comparesCostModel = true
      case "--no-cost-model": usesCostModel = false
      case "--seconds":
        guard let value = rest.popFirst().flatMap(Double.init), value >= 0 else { return nil }
        seconds = value
      case "--repeats":
        guard let value = rest.popFirst().flatMap({ Int($0) }), value > 0 else { return nil }
        repeats = value
      default:
        guard let text = try? String(contentsOfFile: word, encoding: .utf8) else { return nil }
        specs += text.split(separator: "\n").map(String.init)
      }
    }
    if specs.isEmpty { return nil }
  }
}
