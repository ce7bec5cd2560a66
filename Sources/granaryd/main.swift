import DaemonAPI
import DaemonService
import Glibc

let code = await DaemonProgram.run(arguments: Array(CommandLine.arguments.dropFirst())) { _, _ in
  throw ServiceError(.environment, "this build of granaryd has no kernel service")
}
exit(code)
