import Commands
import Glibc

exit(GranaryCommand.run(Array(CommandLine.arguments.dropFirst())))
