import CacheStore
import Hardware
import KernelSpec

extension KernelLibrary {
  /// Exactly what a lock names: the artifact that it names, under whatever number this store has it, or without an
  /// artifact the revision with its number.
  ///
  /// - Throws: `not-found` or `conflict`, with what the lock names and what is here instead.
  func locked(_ key: KernelKey, name: String, by locks: Locks) throws(OptimizationError)
    -> StoredKernel
  {
    guard let lock = locks.byKey[key.digest] ?? locks.otherwise else {
      throw OptimizationError(.notFound, notLocked(key, name: name, locks))
    }
    let numbered = try lookup(key, revision: lock.revision)
    guard let artifact = lock.artifact else {
      if let numbered { return numbered }
      throw OptimizationError(.notFound, difference(key, name: name, lock))
    }
    if let numbered, numbered.artifact.manifest.digest == artifact { return numbered }
    // Another machine gave it another number.
    if let same = try revision(of: key, with: artifact) { return same }
    throw OptimizationError(
      numbered == nil ? .notFound : .conflict, difference(key, name: name, lock))
  }

  private func revision(of key: KernelKey, with artifact: Digest) throws(OptimizationError)
    -> StoredKernel?
  {
    let numbers: [Int]
    do {
      numbers = try store.revisions(key: key.digest)
        .filter { $0.manifest.digest == artifact && $0.withdrawn == nil }.map(\.number)
    } catch {
      throw OptimizationError(storing: error)
    }
    for number in numbers {
      if let found = try lookup(key, revision: number) { return found }
    }
    return nil
  }

  private func difference(_ key: KernelKey, name: String, _ lock: Locks.Lock) -> String {
    let here = (try? store.revisions(key: key.digest)) ?? []
    let revisions = here.map { revision in
      let state = revision.withdrawn.map { ", withdrawn: \($0)" } ?? ""
      return "revision \(revision.number) (\(revision.manifest.digest.hex.prefix(12))\(state))"
    }
    let wanted = [
      lock.revision.map { "revision \($0)" }, lock.artifact.map { "artifact \($0.hex.prefix(12))" },
    ].compactMap { $0 }.joined(separator: ", ")
    return
      "\(name) (\(key.digest)): the lock names \(wanted.isEmpty ? "what is stored" : wanted); the "
      + "store has \(revisions.isEmpty ? "no revision" : revisions.joined(separator: ", ")). "
      + "'granary prewarm --from' fetches what a lock file names, 'granary lock' writes it anew"
  }

  /// Why a key is not in the lock file: another kind of hardware, or another spec.
  private func notLocked(_ key: KernelKey, name: String, _ locks: Locks) -> String {
    let here = workshop.hardware.tuning.canonicalText
    let there = Set(locks.byKey.values.compactMap(\.hardware)).subtracting([here])
    if let other = there.first, locks.byKey.values.allSatisfy({ $0.hardware != here }) {
      return
        "\(name) (\(key.digest)) is not in the lock file, which was written for other hardware: "
        + "it names \(other), this is \(here)"
    }
    let similar = locks.byKey.filter { $0.value.name == name }.map { "\($0.key.hex.prefix(12))" }
    let hint =
      similar.isEmpty
      ? "" : "; of the same name it has \(similar.sorted().joined(separator: ", "))"
    return "\(name) (\(key.digest)) is not in the lock file\(hint); run 'granary lock' again"
  }
}
