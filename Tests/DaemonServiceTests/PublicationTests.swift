import DaemonAPI
import DaemonService
import FoundationEssentials
import Glibc
import KernelSpec
import Logging
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@Suite("Published kernels") struct PublicationTests {
  /// A folder with what publishes into it, from a use case in memory.
  private struct Place {
    let temporary = TemporaryFolder()
    let service = MemoryService()

    var folder: String { temporary.path }

    func publications(identity: String = "one", limitBytes: Int = 1 << 20) throws -> Publications {
      try Publications(
        path: folder, identity: identity, service: service, limitBytes: limitBytes)
    }

    /// Gives the spec a kernel of so many bytes and answers it.
    func answer(_ spec: String, revision: Int = 1, bytes: Int = 100) -> KernelAnswer {
      let key = Digest(of: spec.utf8)
      let artifact = service.store(
        Array("\(spec) \(revision)".utf8) + [UInt8](repeating: 7, count: bytes))
      let manifest = Artifact.Manifest(
        language: .c,
        interface: KernelInterface(
          entryPoint: "kernel", inputs: [], outputs: [], inputDomains: [], workspaceBytes: 0,
          alignmentBytes: 1),
        toolchain: "none", requiredFeatures: [], architecture: "x86_64", digest: artifact)
      let entry = EntrySummary(
        key: key.hex, name: spec, hardware: "", verdict: .baseline, revision: revision,
        bytes: bytes, created: 0, lastUsed: 0, pinned: false, uses: 0, speedup: nil)
      service.state.withLock {
        $0.details[key] = KernelDetail(
          entry: entry, spec: spec, artifact: artifact.hex, manifest: manifest, evidence: nil,
          lineage: [], termination: nil, candidates: 0)
      }
      return KernelAnswer(
        key: key.hex, status: .hit, verdict: .baseline, revision: revision, artifact: artifact.hex,
        inputs: ["x"], manifest: manifest)
    }

    func names(_ part: String) throws -> Set<String> {
      Set(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(part)"))
    }

    func kernel(_ spec: String) throws -> String {
      let path = "\(folder)/kernels/\(Digest(of: spec.utf8).hex)"
      return String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }
  }

  private struct EndsAtOnce: Service {
    func run() async {}
  }

  /// Runs until all that was noted is published.
  private func drain(_ publications: Publications) async throws {
    let logger = Logger(label: "test") { JSONLogHandler(label: $0, level: .critical) }
    let services: [ServiceGroupConfiguration.ServiceConfiguration] = [
      .init(service: publications),
      .init(service: EndsAtOnce(), successTerminationBehavior: .gracefullyShutdownGroup),
    ]
    let configuration = ServiceGroupConfiguration(services: services, logger: logger)
    try await ServiceGroup(configuration: configuration).run()
  }

  @Test("what was answered is published by the spec's text, its key and its digest")
  func publishes() async throws {
    let place = Place()
    let publications = try place.publications()
    let answer = place.answer("relu(x: f32[4])")
    publications.note([answer], to: [KernelRequest(spec: "relu(x: f32[4])")])
    publications.note([answer], to: [KernelRequest(spec: "x = ...", policy: .locked)])
    try await drain(publications)
    #expect(try place.names("artifacts") == [try #require(answer.artifact)])
    #expect(try place.names("kernels") == [try #require(answer.key)])
    #expect(try place.names("specs") == [Digest(of: "relu(x: f32[4])".utf8).hex])
    let again = try place.publications(identity: "another")
    #expect(try place.names("artifacts").isEmpty && place.names("specs").isEmpty)
    again.withdraw(Digest(of: "relu(x: f32[4])".utf8))
  }

  @Test("a change takes the kernel away at once, and what holds then is published after it")
  func changes() async throws {
    let place = Place()
    let spec = "relu(x: f32[4])"
    var publications = try place.publications()
    publications.note([place.answer(spec)], to: [KernelRequest(spec: spec)])
    try await drain(publications)
    publications = try place.publications()
    let second = place.answer(spec, revision: 2)
    publications.withdraw(Digest(of: spec.utf8))
    #expect(try place.names("kernels").isEmpty)
    try await drain(publications)
    #expect(try place.kernel(spec).contains("\"revision\":2"))
    #expect(try place.names("artifacts") == [try #require(second.artifact)])
    publications = try place.publications()
    place.service.state.withLock { $0.details = [:] }
    publications.withdraw(Digest(of: spec.utf8))
    try await drain(publications)
    for part in ["kernels", "artifacts", "specs"] { #expect(try place.names(part).isEmpty) }
  }

  @Test("the folder stays below its limit, and what was published first goes first")
  func bounded() async throws {
    let place = Place()
    let publications = try place.publications(limitBytes: 500_000)
    let specs = (0..<10).map { "relu(x: f32[\($0)])" }
    let answers = specs.map { place.answer($0, bytes: 100_000) }
    publications.note(answers, to: specs.map { KernelRequest(spec: $0) })
    try await drain(publications)
    let kept = try place.names("kernels")
    #expect((1...4).contains(kept.count))
    #expect(kept == Set(answers.suffix(kept.count).compactMap(\.key)))
    #expect(try place.names("artifacts").count == kept.count)
    #expect(try place.names("specs").count == kept.count)
  }
}
