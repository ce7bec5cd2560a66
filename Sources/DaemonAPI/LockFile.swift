import FoundationEssentials

/// What a build was resolved to, so that it is served exactly that again: `granary lock` writes it, and requests
/// with the policy `locked` carry it.
public struct LockFile: Sendable, Hashable, Codable {
  /// Where builds keep it.
  package static let defaultName = "granary.lock"

  /// The version of the format.
  public var granaryLock: Int
  /// In the order of the specs.
  public var kernels: [Kernel]

  public init(kernels: [Kernel]) {
    granaryLock = 1
    self.kernels = kernels
  }

  /// What is served for one key.
  public struct Kernel: Sendable, Hashable, Codable {
    public var key: String
    /// The spec's name, for people.
    public var name: String?
    public var revision: Int
    /// The address of the artifact; absent for `prefer-vendor`.
    public var artifact: String?
    /// What to make where it is missing.
    public var spec: String?
    /// The identity of the hardware that it is for.
    public var hardware: String?

    public init(
      key: String, name: String?, revision: Int, artifact: String?, spec: String? = nil,
      hardware: String? = nil
    ) {
      self.spec = spec
      self.hardware = hardware
      self.key = key
      self.name = name
      self.revision = revision
      self.artifact = artifact
    }
  }

  /// The kernels that answers name.
  ///
  /// - Parameter specs: what was asked for, in the same order.
  /// - Throws: the error of an answer that has one, and `not-found` for a miss.
  public init(_ answers: [KernelAnswer], specs: [String] = []) throws(ServiceError) {
    var kernels: [Kernel] = []
    for (position, answer) in answers.enumerated() {
      if let error = answer.error { throw error }
      guard let key = answer.key, let revision = answer.revision else {
        throw ServiceError(.notFound, "there is no kernel of \(answer.name ?? "a spec") to lock")
      }
      let kernel = Kernel(
        key: key, name: answer.name, revision: revision, artifact: answer.artifact,
        spec: specs.indices.contains(position) ? specs[position] : nil)
      if !kernels.contains(where: { $0.key == key }) { kernels.append(kernel) }
    }
    self.init(kernels: kernels)
  }

  /// Reads a lock file.
  ///
  /// - Throws: `bad-request` that names the file.
  package init(parsing bytes: [UInt8], name: String) throws(ServiceError) {
    let file: LockFile
    do {
      file = try WireJSON.decode(LockFile.self, from: bytes)
    } catch {
      throw ServiceError(.badRequest, "\(name) is no lock file; 'granary lock' writes one")
    }
    guard file.granaryLock == 1 else {
      throw ServiceError(
        .badRequest, "\(name) is a lock file of version \(file.granaryLock); this Granary reads 1")
    }
    self = file
  }
}
