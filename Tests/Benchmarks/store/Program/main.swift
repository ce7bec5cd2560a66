import Glibc

// fill DIRECTORY COUNT: makes a store. measure SMALL LARGE COUNT: compares two. See Tests/Benchmarks/store/run.
func complain(_ text: String) {
  let line = Array((text + "\n").utf8)
  _ = write(STDERR_FILENO, line, line.count)
}

let arguments = Array(CommandLine.arguments.dropFirst())
do {
  if arguments.count == 3, arguments[0] == "fill", let count = Int(arguments[2]) {
    try ScaleStore(directory: arguments[1]).fill(count)
  } else if arguments.count == 4, arguments[0] == "measure", let count = Int(arguments[3]) {
    let bench = ScaleBench(small: arguments[1], large: arguments[2], entries: count)
    exit(try bench.run() ? 0 : 1)
  } else {
    complain("usage: granary-bench-store fill DIRECTORY COUNT | measure SMALL LARGE COUNT")
    exit(2)
  }
} catch {
  complain("granary-bench-store: \(error)")
  exit(1)
}
