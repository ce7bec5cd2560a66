import Glibc

/// Measures baselines and searches, without a daemon, and prints what they took.
guard let options = Options(CommandLine.arguments.dropFirst()) else {
  writeError(Options.usage)
  exit(2)
}
do {
  let bench = try await SearchBench(options)
  if options.comparesCostModel {
    try await bench.compare()
  } else if options.measuresTransfer {
    if !options.json { say(TransferReport.heading) }
    let results = await bench.runTransfer()
    say(options.json ? try TransferReport.json(results) : TransferReport.summary(results))
  } else {
    let results = try await bench.run()
    say(options.json ? try Report.json(results) : Report.summary(results))
  }
} catch {
  writeError("granary-bench-search: \(error)\n")
  exit(1)
}

/// Writes a line to standard output at once, also when that is a pipe.
func say(_ line: String) { write(STDOUT_FILENO, line + "\n", line.utf8.count + 1) }

/// Writes to standard error.
func writeError(_ text: String) { write(STDERR_FILENO, text, text.utf8.count) }
