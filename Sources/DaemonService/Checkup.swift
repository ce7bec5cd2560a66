import CacheStore
import DaemonAPI
import Evaluation
import Hardware
import KernelSpec
import Optimization
import RunnerProtocol
import Support

/// What `granary doctor` looks at.
struct Checkup: Sendable {
  let library: KernelLibrary
  let locations: Locations
  let compiler: String
  let confinement: Confinement
  /// `nil` for a daemon that serves its own machine only.
  var server: TierServer?

  func findings() async -> [DoctorReport.Finding] {
    [
      .init(subject: "compiler", state: .good, message: compiler), hardware, disk, store,
      permissions, fileSystem, clock, keys, await sandbox(),
    ] + tiers + (server.map { [$0.finding] } ?? [])
  }

  private var hardware: DoctorReport.Finding {
    let tuning = library.workshop.hardware.tuning
    return .init(
      subject: "hardware", state: .good,
      message: "\(tuning.model), \(tuning.threads) threads, \(tuning.vectorBytes)-byte vectors")
  }

  private var disk: DoctorReport.Finding {
    let fewestBytes = 1 << 30
    guard let free = try? LocalFileSystem().freeBytes(at: locations.store) else {
      return .init(
        subject: "disk", state: .bad,
        message: "the free space of \(locations.store) cannot be read; check its permissions")
    }
    let message = "\(free >> 20) MiB free at \(locations.store)"
    return free >= fewestBytes
      ? .init(subject: "disk", state: .good, message: message)
      : .init(
        subject: "disk", state: .warning,
        message: message + "; run 'granary gc' or give it another disk")
  }

  private var store: DoctorReport.Finding {
    do {
      let held = try library.store.statistics()
      return .init(
        subject: "store", state: .good,
        message: "\(held.entries) entries, \(held.compressedBytes >> 10) KiB in \(locations.store)")
    } catch {
      return .init(subject: "store", state: .bad, message: "\(error)")
    }
  }

  /// Starts a runner, which says what protects the machine from a candidate.
  private func sandbox() async -> DoctorReport.Finding {
    do {
      let report = try await library.workshop.sandboxReport()
      let lines = report.lines.map { "\($0.name) \($0.inForce ? "on" : "off")" }
      let isWhole = report.lines.allSatisfy(\.inForce)
      return .init(
        subject: "sandbox", state: isWhole ? .good : .warning,
        message: "compilers and candidates are shut in by \(confinement.description); "
          + "candidates: \(lines.joined(separator: ", "))")
    } catch {
      return .init(
        subject: "sandbox", state: .bad, message: "no candidate can be run: \(error)")
    }
  }
}
