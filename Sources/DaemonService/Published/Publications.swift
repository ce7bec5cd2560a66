package import DaemonAPI
package import KernelSpec
import ServiceLifecycle
import Synchronization

/// Keeps the folder in which clients find kernels without the daemon: puts there what the daemon answers, takes away
/// at once what no longer holds, and tells the use case what clients used.
///
/// Bounded in bytes; what was not used for longest goes first.
package final class Publications: Sendable {
  /// What of the folder belongs to one key.
  private struct Publication {
    var artifact: Digest
    var artifactBytes: Int
    var specs: Set<Digest> = []
    var lastUse: Int
    /// Whether this daemon wrote it.
    var isOurs = true
  }

  private struct State {
    var published: [Digest: Publication] = [:]
    /// Grows with each change of a key.
    var changes = 0
    var changedAt: [Digest: Int] = [:]
    /// Grows with each use.
    var uses = 0
  }

  private enum Event {
    case answered(key: Digest, spec: Digest, inputs: [String])
    case changed(Digest)
  }

  private let folder: PublishedFolder
  private let service: any KernelServing
  private let limitBytes: Int
  private let state: Mutex<State>
  private let events: AsyncStream<Event>
  private let eventIn: AsyncStream<Event>.Continuation

  /// - Parameter identity: of the daemon and the hardware; what was published under another is removed.
  /// - Throws: `GranaryError` when the folder cannot be made.
  package init(
    path: String, identity: String, service: any KernelServing, limitBytes: Int = 256 << 20
  ) throws {
    folder = try PublishedFolder(path: path, identity: identity)
    self.service = service
    self.limitBytes = limitBytes
    // A client asks the daemon for what is not there, so what overflows is only not published yet.
    (events, eventIn) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(16_384))
    let (kernels, specs) = folder.contents()
    var state = State()
    for kernel in kernels {
      guard let key = Digest(hex: kernel.key) else { continue }
      state.published[key] = Publication(
        artifact: kernel.artifact,
        artifactBytes: folder.sizeBytes(at: folder.place(ofArtifact: kernel.artifact)) ?? 0,
        lastUse: 0, isOurs: false)
      // The store may have changed since.
      eventIn.yield(.changed(key))
    }
    for (digest, spec) in specs { state.published[spec.kernel]?.specs.insert(digest) }
    self.state = Mutex(state)
  }

  /// Has the answers published, some time later.
  package func note(_ answers: [KernelAnswer], to requests: [KernelRequest]) {
    for (request, answer) in zip(requests, answers) where request.policy != .locked {
      guard answer.artifact != nil, let key = answer.key.flatMap(Digest.init(hex:)) else {
        continue
      }
      let spec = Digest(of: request.spec.utf8)
      eventIn.yield(.answered(key: key, spec: spec, inputs: answer.inputs ?? []))
    }
  }

  /// Takes away what is published for a key. When this returns no client finds it any more.
  package func withdraw(_ key: Digest) {
    let wasPublished = state.withLock { state in
      state.changes += 1
      state.changedAt[key] = state.changes
      folder.remove(folder.place(ofKernel: key))
      return state.published[key] != nil
    }
    if wasPublished { eventIn.yield(.changed(key)) }
  }

  /// Publishes what holds for a key now, by another spec that means it when one is given.
  private func publish(_ key: Digest, spec: Digest? = nil, inputs: [String] = []) async {
    let isKnown = state.withLock { state in
      guard let spec, let known = state.published[key], known.isOurs else { return false }
      return known.specs.contains(spec)
    }
    if isKnown { return }
    while true {
      let changes = state.withLock { $0.changes }
      guard let detail = try? await service.detail(of: key), let manifest = detail.manifest else {
        return state.withLock { forget(key, &$0) }
      }
      let kernel = PublishedKernel(
        key: key.hex, verdict: detail.entry.verdict, revision: detail.entry.revision,
        artifact: manifest.digest, manifest: manifest)
      if spec == nil && isThere(kernel, key) { return }
      guard let bytes = try? await service.artifact(manifest.digest) else {
        return state.withLock { forget(key, &$0) }
      }
      let isDone = state.withLock { state in
        // What was read may be what the change took away.
        guard state.changedAt[key] ?? 0 <= changes else { return false }
        write(kernel, bytes, key, spec, inputs, &state)
        return true
      }
      if isDone { return }
    }
  }

  private func isThere(_ kernel: PublishedKernel, _ key: Digest) -> Bool {
    guard let text = try? WireJSON.encode(kernel) else { return false }
    return folder.holds(text, at: folder.place(ofKernel: key))
      && folder.sizeBytes(at: folder.place(ofArtifact: kernel.artifact)) != nil
  }

  private func write(
    _ kernel: PublishedKernel, _ bytes: [UInt8], _ key: Digest, _ spec: Digest?, _ inputs: [String],
    _ state: inout State
  ) {
    let before = state.published[key]
    guard let text = try? WireJSON.encode(kernel),
      let specText = try? WireJSON.encode(PublishedSpec(kernel: key, inputs: inputs)),
      folder.write(bytes, to: folder.place(ofArtifact: kernel.artifact)),
      folder.holds(text, at: folder.place(ofKernel: key))
        || folder.write(text, to: folder.place(ofKernel: key))
    else { return }
    state.uses += 1
    var specs = before?.specs ?? []
    if let spec, folder.write(specText, to: folder.place(ofSpec: spec)) { specs.insert(spec) }
    state.published[key] = Publication(
      artifact: kernel.artifact, artifactBytes: bytes.count, specs: specs, lastUse: state.uses)
    if let before, before.artifact != kernel.artifact { drop(before.artifact, state) }
    makeRoom(&state)
  }

  /// Removes an artifact that no key needs any more.
  private func drop(_ artifact: Digest, _ state: State) {
    if state.published.values.contains(where: { $0.artifact == artifact }) { return }
    folder.remove(folder.place(ofArtifact: artifact))
  }

  private func forget(_ key: Digest, _ state: inout State) {
    folder.remove(folder.place(ofKernel: key))
    guard let gone = state.published.removeValue(forKey: key) else { return }
    for spec in gone.specs { folder.remove(folder.place(ofSpec: spec)) }
    drop(gone.artifact, state)
  }

  private func makeRoom(_ state: inout State) {
    // A few files of some hundred bytes, each on a block of its own, go with an artifact.
    func cost(_ publication: Publication) -> Int {
      publication.artifactBytes + 4096 * (2 + publication.specs.count)
    }
    var bytes = state.published.values.reduce(0) { $0 + cost($1) }
    guard bytes > limitBytes else { return }
    // Down to seven eighths, so that this is rare.
    for (key, publication) in state.published.sorted(by: { $0.value.lastUse < $1.value.lastUse }) {
      if bytes <= limitBytes / 8 * 7 { return }
      bytes -= cost(publication)
      forget(key, &state)
    }
  }

  private func handle(_ event: Event) async {
    switch event {
    case .answered(let key, let spec, let inputs):
      await publish(key, spec: spec, inputs: inputs)
    case .changed(let key): await publish(key)
    }
  }

  private func recordUses() async {
    let used = folder.takeUses()
    if used.isEmpty { return }
    state.withLock { state in
      state.uses += 1
      for key in used { state.published[key]?.lastUse = state.uses }
    }
    await service.recordHits(used.reduce(into: [:]) { $0[$1] = 1 })
  }
}

extension Publications: Service {
  /// Publishes until the daemon stops, and what is noted by then as far as a second suffices.
  package func run() async {
    await recordUses()
    let deadline = Mutex<ContinuousClock.Instant?>(nil)
    await withGracefulShutdownHandler {
      await withTaskGroup(of: Void.self) { group in
        group.addTask {
          while (try? await Task.sleep(for: .seconds(60))) != nil { await self.recordUses() }
        }
        for await event in events {
          if let end = deadline.withLock({ $0 }), end < .now { break }
          await handle(event)
        }
        group.cancelAll()
      }
    } onGracefulShutdown: {
      deadline.withLock { $0 = .now + .seconds(1) }
      self.eventIn.finish()
    }
    await recordUses()
  }
}
