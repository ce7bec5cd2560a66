import CLinux
public import DaemonAPI
import Glibc

/// Finds the daemon that runs, or starts one.
public enum DaemonLauncher {
  /// A client of the daemon behind `locations`.
  ///
  /// - Parameters:
  ///   - mayStart: whether to start a daemon when none runs; it outlives this process.
  ///   - say: told in one sentence when one is started.
  /// - Throws: `no-daemon`.
  public static func connect(
    _ locations: Locations, mayStart: Bool, timeoutSeconds: Double = 60,
    say: (String) -> Void
  ) throws(ServiceError) -> DaemonClient {
    do throws(ServiceError) {
      return try DaemonClient(
        socketPath: locations.socket, timeoutSeconds: timeoutSeconds)
    } catch  where error.code == .noDaemon && mayStart {
      guard let program = findDaemon() else {
        throw ServiceError(
          .noDaemon, "no daemon runs, and granaryd is neither beside this program nor in PATH")
      }
      say("no daemon runs on \(locations.socket); starting \(program)")
      let process = try start(program, locations)
      return try waitForDaemon(process, locations, timeoutSeconds)
    }
  }

  /// `granaryd` beside this program, else in PATH.
  public static func findDaemon() -> String? {
    var folders: [String] = []
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    if count > 0 {
      let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
      folders.append(path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 })
    }
    folders += (processEnvironment()["PATH"] ?? "").split(separator: ":").map(String.init)
    return folders.map { $0 + "/granaryd" }.first { access($0, X_OK) == 0 }
  }

  /// Waits for the started process, or for one that another client started at the same time.
  private static func waitForDaemon(
    _ process: pid_t, _ locations: Locations, _ timeoutSeconds: Double
  ) throws(ServiceError) -> DaemonClient {
    var deadline = Deadline(seconds: 10)
    var hasEnded = false
    while true {
      do throws(ServiceError) {
        let client = try DaemonClient(
          socketPath: locations.socket, timeoutSeconds: timeoutSeconds)
        _ = try client.greeting()
        return client
      } catch {
        guard error.code == .noDaemon, !deadline.hasPassed else {
          throw notStarted(hasEnded, locations)
        }
      }
      if !hasEnded, waitpid(process, nil, WNOHANG) == process {
        // It may have given way to the daemon of another client, which then answers soon.
        hasEnded = true
        deadline = Deadline(seconds: 1)
      }
      poll(nil, 0, 5)
    }
  }

  private static func notStarted(_ hasEnded: Bool, _ locations: Locations) -> ServiceError {
    let log = locations.logs + "/granaryd.log"
    guard hasEnded else {
      return ServiceError(.noDaemon, "the daemon did not start within 10 seconds; see \(log)")
    }
    return ServiceError(.noDaemon, "the daemon did not start: \(lastLine(of: log)) (\(log))")
  }

  private static func lastLine(of log: String) -> String {
    let file = open(log, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "it wrote no log" }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let size = lseek(file, 0, SEEK_END)
    let count = pread(file, &bytes, bytes.count, max(0, size - bytes.count))
    let line = bytes[..<max(0, count)].split(separator: 10).last ?? []
    return String(decoding: line, as: UTF8.self)
  }

  private static func start(_ program: String, _ locations: Locations) throws(ServiceError)
    -> pid_t
  {
    makeFolders(locations.logs)
    let arguments = [program, "--socket", locations.socket]
    var pointers = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var process = pid_t()
    let result = granary_start_service(
      program, &pointers, locations.logs + "/granaryd.log", &process)
    guard result == 0 else {
      throw ServiceError(
        .environment,
        "cannot start \(program) with its log in \(locations.logs): "
          + String(cString: strerror(result)))
    }
    return process
  }

  private static func makeFolders(_ path: String) {
    var folder = ""
    for part in path.split(separator: "/") {
      folder += "/" + part
      mkdir(folder, 0o700)
    }
  }
}
