import DaemonAPI
import DaemonService
import Glibc
import KernelSpec

// With `fill DIRECTORY COUNT`, makes a store with as many entries. Else serves artifacts of 20 KB from memory, so that
// the load generator measures the server alone.
let arguments = Array(CommandLine.arguments.dropFirst())
if arguments.count == 3, arguments[0] == "fill", let entries = Int(arguments[2]) {
  try FilledStore(directory: arguments[1]).fill(entries: entries)
  exit(0)
}
let artifacts = BenchmarkService()
let code = await DaemonProgram.run(arguments: arguments) { _, _ in
  DaemonParts(service: artifacts)
}
exit(code)
