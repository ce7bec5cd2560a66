/// Why a kernel may be served: what was checked and measured, about exactly which bytes.
public struct Evidence: Sendable, Hashable, Codable {
  /// The address of the artifact that was checked and measured.
  public var artifact: Digest
  /// The tuning identity of the hardware that it ran on.
  public var hardware: String
  /// The compiler that made the artifact.
  public var toolchain: String
  public var checks: [CorrectnessCheck]
  /// Absent for a baseline that has not been timed yet.
  public var timing: Timing?
  /// Seconds since 1970.
  public var recordedAt: Double
  /// What else it depends on; absent in what an older Granary recorded.
  public var provenance: Provenance?
  /// For a family of specs: what was measured in each part of its sizes; absent before that, and for one spec.
  public var buckets: [Bucket]?

  public init(
    artifact: Digest, hardware: String, toolchain: String, checks: [CorrectnessCheck],
    timing: Timing?, recordedAt: Double, provenance: Provenance? = nil
  ) {
    self.artifact = artifact
    self.hardware = hardware
    self.toolchain = toolchain
    self.checks = checks
    self.timing = timing
    self.recordedAt = recordedAt
    self.provenance = provenance
  }

  /// A part of the sizes of a family, with what came of trying a schedule of its own there.
  public struct Bucket: Sendable, Hashable, Codable {
    /// The smallest and largest sizes, one for each symbol.
    public var lower: [Int]
    public var upper: [Int]
    /// Whether the sizes are served by the schedule of their own.
    public var isSpecialised: Bool
    /// The schedule of its own beside the general one, at the largest sizes; absent where none was tried.
    public var timing: Timing?
    /// Why it is so, for people.
    public var reason: String

    public init(
      lower: [Int], upper: [Int], isSpecialised: Bool, timing: Timing?, reason: String
    ) {
      self.lower = lower
      self.upper = upper
      self.isSpecialised = isSpecialised
      self.timing = timing
      self.reason = reason
    }

    public func contains(_ sizes: [Int]) -> Bool {
      sizes.count == lower.count
        && sizes.indices.allSatisfy { lower[$0] <= sizes[$0] && sizes[$0] <= upper[$0] }
    }
  }

  /// What a kernel was made by and on, beside the compiler and the kind of hardware: a change of any makes the
  /// evidence stale.
  public struct Provenance: Sendable, Hashable, Codable {
    /// A fingerprint of the code generator.
    public var generator: String
    /// A fingerprint of what searches know.
    public var knowledge: String
    /// The operating system's kernel.
    public var kernel: String
    /// The revision of the processor's microcode; absent where the machine does not tell.
    public var microcode: String?
    /// The driver of a device; absent for a processor.
    public var driver: String?

    public init(
      generator: String, knowledge: String, kernel: String, microcode: String? = nil,
      driver: String? = nil
    ) {
      self.generator = generator
      self.knowledge = knowledge
      self.kernel = kernel
      self.microcode = microcode
      self.driver = driver
    }
  }

  /// The outcome of one comparison with the reference.
  public struct CorrectnessCheck: Sendable, Hashable, Codable {
    /// The distribution that the inputs came from.
    public var distribution: String
    public var seed: UInt64
    /// The largest error over its tolerance: at most 1 passes.
    public var worstErrorOverTolerance: Double
    public var elementsCompared: Int

    public init(
      distribution: String, seed: UInt64, worstErrorOverTolerance: Double, elementsCompared: Int
    ) {
      self.distribution = distribution
      self.seed = seed
      self.worstErrorOverTolerance = worstErrorOverTolerance
      self.elementsCompared = elementsCompared
    }
  }

  /// Paired, interleaved measurements of a kernel and of the reference kernel (the baseline).
  public struct Timing: Sendable, Hashable, Codable {
    /// Nanoseconds of single calls, in the order taken.
    public var kernelNanoseconds: [Double]
    /// Nanoseconds of single calls of the baseline, each paired with the one above.
    public var baselineNanoseconds: [Double]
    /// The median of the paired ratios baseline / kernel.
    public var speedup: Double
    /// The lower bound of the 95 % confidence interval of `speedup`.
    public var speedupLowerBound: Double
    /// The share that the kernel reaches of the hardware's ceiling, measured before and after it; at most about 1.
    public var rooflineFraction: Double

    public init(
      kernelNanoseconds: [Double], baselineNanoseconds: [Double], speedup: Double,
      speedupLowerBound: Double, rooflineFraction: Double
    ) {
      self.kernelNanoseconds = kernelNanoseconds
      self.baselineNanoseconds = baselineNanoseconds
      self.speedup = speedup
      self.speedupLowerBound = speedupLowerBound
      self.rooflineFraction = rooflineFraction
    }
  }
}
