import DaemonService
import Glibc

exit(
  await DaemonProgram.run(
    arguments: Array(CommandLine.arguments.dropFirst()), make: DaemonAssembly.make))
