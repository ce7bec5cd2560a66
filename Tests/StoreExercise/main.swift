import CacheStore
import Glibc
import KernelSpec
import Support

// prepare DIRECTORY: makes a store of four entries. run DIRECTORY: publishes, collects and imports, and says what was
// acknowledged. check DIRECTORY NAME…: whether the store is sound and has these entries. For tests that make system
// calls fail, or end the process at one.

func say(_ text: String) {
  let line = Array((text + "\n").utf8)
  _ = write(STDOUT_FILENO, line, line.count)
}

/// Does one step, and says how it ended; an error is one of the store's own.
func step(_ name: String, _ body: () throws -> Void) {
  do {
    try body()
    say("done \(name)")
  } catch let error as GranaryError {
    say("failed \(name): \(error.code.rawValue)")
  } catch {
    say("strange \(name): \(error)")
  }
}

func exercise(_ store: CacheStore) {
  let kernels = ExerciseKernels(store: store)
  step("small") { try kernels.publish("small") }
  step("large") { try kernels.publish("large") }
  step("collection") {
    _ = try store.collect(CollectionLimits(maximumEntries: 3, lowWatermark: 1))
  }
  step("imported") { try kernels.publish("imported", origin: "bundle") }
  step("again") { try kernels.publish("again") }
}

let arguments = Array(CommandLine.arguments.dropFirst())
guard arguments.count >= 2 else { exit(2) }
let directory = arguments[1]
do {
  switch arguments[0] {
  case "prepare":
    let store = try CacheStore.open(directory: directory)
    for number in 0..<4 { try ExerciseKernels(store: store).publish("old \(number)") }
    try store.close()
  case "run":
    let store = try CacheStore.open(directory: directory)
    exercise(store)
    step("close") { try store.close() }
  default:
    let store = try CacheStore.open(directory: directory)
    let report = try store.verifyAll(repair: false)
    if !report.isSound { say("not sound: \(report)") }
    for name in arguments.dropFirst(2) where try !ExerciseKernels(store: store).has(name) {
      say("lost: \(name)")
    }
    try store.close()
  }
} catch let error as GranaryError {
  say("failed open: \(error.code.rawValue): \(error.message)")
}
