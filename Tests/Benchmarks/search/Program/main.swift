import Glibc

/// Measures baselines and searches, without a daemon, and prints what they took.
guard let options = Options(CommandLine.arguments.dropFirst()) else {
  write(STDERR_FILENO, Options.usage, Options.usage.utf8.count)
  exit(2)
}
let bench = try await SearchBench(options)
if options.measuresTransfer {
  let results = try await bench.runTransfer()
  print(
    options.json ? try TransferReport.json(results) : TransferReport.table(results), terminator: "")
} else {
  let results = try await bench.run()
  print(options.json ? try Report.json(results) : Report.table(results), terminator: "")
}
