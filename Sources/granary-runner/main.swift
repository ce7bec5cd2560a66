import Glibc
import RunnerProtocol

exit(RunnerService.run())
