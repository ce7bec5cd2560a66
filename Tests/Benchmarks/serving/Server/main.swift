import DaemonAPI
import DaemonService
import Glibc
import KernelSpec

// Serves artifacts of 20 KB from memory, so that the load generator measures the server alone.
let artifacts = BenchmarkService()
let code = await DaemonProgram.run(arguments: Array(CommandLine.arguments.dropFirst())) { _, _ in
  DaemonParts(service: artifacts)
}
exit(code)
