package import KernelSpec

/// What a kernel runs on, as two identities: what is safe to run, and what is best to run.
package struct HardwareDescription: Sendable, Hashable, Codable {
  package var compatibility: CompatibilityIdentity
  package var tuning: TuningIdentity

  package init(compatibility: CompatibilityIdentity, tuning: TuningIdentity) {
    self.compatibility = compatibility
    self.tuning = tuning
  }
}

/// Says whether a kernel is safe to run here.
package struct CompatibilityIdentity: Sendable, Hashable, Codable {
  /// As `uname -m` says: `x86_64`, `aarch64`; or `opencl`.
  package var architecture: String
  /// The instruction set features that the processor has and the operating system enables, sorted, as named
  /// in `/proc/cpuinfo`.
  package var features: [String]
  /// The C library and its version, for example `glibc 2.36`.
  package var libc: String

  package init(architecture: String, features: [String], libc: String) {
    self.architecture = architecture
    self.features = features
    self.libc = libc
  }
}

/// Says which kernel is best here. Two machines with equal tuning identities share kernels.
package struct TuningIdentity: Sendable, Hashable, Codable {
  /// The processor's or device's model, for example `AMD EPYC family 26 model 2`.
  package var model: String
  package var architecture: String
  /// The features that a compiler uses to vectorise, sorted.
  package var vectorFeatures: [String]
  /// The widest vector register.
  package var vectorBytes: Int
  /// The number of vector registers.
  package var vectorRegisters: Int
  /// Cores that the process may use; a kernel runs on as many threads.
  package var threads: Int
  /// Level-1 data cache of a core, level-2 cache of a core, level-3 cache (shared); 0 where absent.
  package var cacheBytes: [Int]

  package init(
    model: String, architecture: String, vectorFeatures: [String], vectorBytes: Int,
    vectorRegisters: Int, threads: Int, cacheBytes: [Int]
  ) {
    self.model = model
    self.architecture = architecture
    self.vectorFeatures = vectorFeatures
    self.vectorBytes = vectorBytes
    self.vectorRegisters = vectorRegisters
    self.threads = threads
    self.cacheBytes = cacheBytes
  }

  /// The text that enters the kernel key: every field, named.
  package var canonicalText: String {
    """
    model=\(model);architecture=\(architecture);vector=\(vectorFeatures.joined(separator: ","));\
    registers=\(vectorRegisters)x\(vectorBytes);threads=\(threads);caches=\(cacheBytes.map(String.init).joined(separator: ","))
    """
  }
}

/// What was measured to be this hardware's best, with all threads.
package struct Ceilings: Sendable, Hashable, Codable {
  /// Operations a second of fused multiply-adds (each counts two), by dtype.
  package var operationsPerSecond: [DType: Double]
  /// Reading alone.
  package var read: BandwidthCurve
  /// Writing alone.
  package var write: BandwidthCurve
  /// Writing as much as is read; the working set is both together.
  package var copy: BandwidthCurve

  package init(
    operationsPerSecond: [DType: Double], read: BandwidthCurve, write: BandwidthCurve,
    copy: BandwidthCurve
  ) {
    self.operationsPerSecond = operationsPerSecond
    self.read = read
    self.write = write
    self.copy = copy
  }
}
