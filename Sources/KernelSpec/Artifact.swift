/// Compiled bytes, with what is needed to load and call them.
public struct Artifact: Sendable, Hashable {
  public var manifest: Manifest
  /// An ELF shared object, or the source text for a language that the device's driver compiles.
  public var bytes: [UInt8]

  public init(manifest: Manifest, bytes: [UInt8]) {
    self.manifest = manifest
    self.bytes = bytes
  }

  /// What a loader must know.
  public struct Manifest: Sendable, Hashable, Codable {
    public var language: TargetLanguage
    public var interface: KernelInterface
    /// The compiler that made the bytes, and its options.
    public var toolchain: String
    /// The instruction set features that the host must have, as in `/proc/cpuinfo`.
    public var requiredFeatures: [String]
    /// The architecture that the bytes are for, for example `x86_64` or `opencl`.
    public var architecture: String
    /// The address of the bytes.
    public var digest: Digest

    public init(
      language: TargetLanguage, interface: KernelInterface, toolchain: String,
      requiredFeatures: [String], architecture: String, digest: Digest
    ) {
      self.language = language
      self.interface = interface
      self.toolchain = toolchain
      self.requiredFeatures = requiredFeatures
      self.architecture = architecture
      self.digest = digest
    }
  }
}

/// What is served for a key.
public enum Verdict: String, Sendable, Hashable, Codable {
  /// A kernel that a search found and that beat the baseline.
  case tuned
  /// The verified default kernel.
  case baseline
  /// Measured: the framework's own operator is faster here.
  case preferVendor = "prefer-vendor"
}
