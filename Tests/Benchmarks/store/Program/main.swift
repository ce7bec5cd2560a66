import Glibc

// fill DIRECTORY COUNT [MINUTES]: makes a store, or goes on with one; 75: not done in that time.
// measure SMALL LARGE COUNT [COLLECTED]: compares two. See Tests/Benchmarks/store/run.
let arguments = Array(CommandLine.arguments.dropFirst())
do {
  if 3...4 ~= arguments.count, arguments[0] == "fill", let count = Int(arguments[2]) {
    let minutes = arguments.count > 3 ? Double(arguments[3]) ?? .infinity : .infinity
    exit(try ScaleStore(directory: arguments[1]).fill(count, minutes: minutes) ? 0 : 75)
  } else if 4...5 ~= arguments.count, arguments[0] == "measure", let count = Int(arguments[3]) {
    let collected = arguments.count > 4 ? Int(arguments[4]) : nil
    let bench = ScaleBench(
      small: arguments[1], large: arguments[2], entries: count, collected: collected ?? count / 10)
    exit(try bench.run() ? 0 : 1)
  } else {
    complain(
      """
      usage: granary-bench-store fill DIRECTORY COUNT [MINUTES] \
      | measure SMALL LARGE COUNT [COLLECTED]
      """)
    exit(2)
  }
} catch {
  complain("granary-bench-store: \(error)")
  exit(1)
}
