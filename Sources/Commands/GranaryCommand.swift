package import ArgumentParser
import DaemonAPI

/// The root of the command line.
package struct GranaryCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "granary",
    abstract: "Asks the kernel cache for the implementation of tensor operators.",
    version: granaryVersion,
    subcommands: [
      GetCommand.self, RunCommand.self, TuneCommand.self, PrewarmCommand.self, ListCommand.self,
      ShowCommand.self, ExplainCommand.self, LockCommand.self, RemoveCommand.self,
      PinCommand.self, LeaseCommand.self, RevisionsCommand.self, RollbackCommand.self,
      ExportCommand.self, ExportSourceCommand.self, ExportSwiftCommand.self, ImportCommand.self,
      KeysCommand.self,
      StaleCommand.self, VerifyCommand.self, RefreshCommand.self, CollectCommand.self,
      CheckStoreCommand.self, StatisticsCommand.self,
      TopCommand.self, DoctorCommand.self,
      HardwareCommand.self, ConfigurationCommand.self, ServeCommand.self, SpecCommand.self,
      BenchCommand.self, DemoCommand.self,
    ])

  package init() {}

  /// Runs the command line.
  ///
  /// - Returns: the exit code: 0 done, 1 the request failed, 2 bad usage or bad spec, 3 no daemon, 4 damage found,
  ///   5 damage that is left after a repair.
  package static func run(_ arguments: [String]) -> Int32 {
    do {
      var command = try parseAsRoot(WaitOptions.normalized(arguments))
      try command.run()
      return 0
    } catch let code as ExitCode {
      return code.rawValue
    } catch {
      let code = exitCode(for: error)
      let text = fullMessage(for: error)
      if code.isSuccess {
        Terminal.say(text)
      } else if arguments.contains("--json") {
        let kind: ServiceError.Code = code == .validationFailure ? .badRequest : .internalError
        return CommandFailure.report(ServiceError(kind, message(for: error)), json: true).rawValue
      } else {
        let line = message(for: error).split(whereSeparator: \.isNewline).joined(separator: " ")
        Terminal.complain("granary: \(line); see 'granary help'")
      }
      return code.isSuccess ? 0 : code == .validationFailure ? 2 : 1
    }
  }
}
