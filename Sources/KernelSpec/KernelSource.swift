/// A language that kernels are written in.
public enum TargetLanguage: String, Sendable, Hashable, Codable, CaseIterable {
  case c, openCL = "opencl", cuda, hip, triton, cuteDSL = "cute-dsl"
}

/// The text of a kernel, with all that is needed to compile and call it.
public struct KernelSource: Sendable, Hashable, Codable {
  public var language: TargetLanguage
  public var text: String
  /// Options for the compiler that the schedule chose, for example `-O3`.
  public var compilerOptions: [String]
  /// What the compiled kernel expects of its caller.
  public var interface: KernelInterface

  public init(
    language: TargetLanguage, text: String, compilerOptions: [String], interface: KernelInterface
  ) {
    self.language = language
    self.text = text
    self.compilerOptions = compilerOptions
    self.interface = interface
  }
}

/// How a kernel is called.
public struct KernelInterface: Sendable, Hashable, Codable {
  /// The version of the kernel ABI of `granary_kernel.h`.
  public static let currentABI = 1
  /// The version of the ABI of kernels for families of specs, which take the sizes behind their inputs.
  public static let familyABI = 2

  public var abi: Int
  /// The symbol to call, for a kernel that runs on the host.
  public var entryPoint: String
  public var inputs: [TensorType]
  public var outputs: [TensorType]
  /// The values that each input may hold: an index outside its range makes the kernel return an error.
  public var inputDomains: [InputDomain]
  /// The scratch memory that the caller provides.
  public var workspaceBytes: Int
  /// The alignment that the kernel needs of every buffer, in bytes.
  public var alignmentBytes: Int
  /// The launches that make up the kernel, in order, for a device; empty for a kernel that runs on the host.
  public var launches: [KernelLaunch]
  /// What a kernel for a family of specs leaves open; absent for a kernel of one spec. `inputs` and `outputs` are
  /// then those at the largest sizes, and behind the inputs the kernel takes the sizes, an `i64` for each.
  public var openSizes: OpenSizes?

  public init(
    abi: Int = KernelInterface.currentABI, entryPoint: String, inputs: [TensorType],
    outputs: [TensorType], inputDomains: [InputDomain], workspaceBytes: Int, alignmentBytes: Int,
    launches: [KernelLaunch] = []
  ) {
    self.abi = abi
    self.entryPoint = entryPoint
    self.inputs = inputs
    self.outputs = outputs
    self.inputDomains = inputDomains
    self.workspaceBytes = workspaceBytes
    self.alignmentBytes = alignmentBytes
    self.launches = launches
  }

  /// Whether this Granary knows how to call such a kernel on the host.
  public var isCallable: Bool { abi == (openSizes == nil ? Self.currentABI : Self.familyABI) }

  /// The same at `sizes`: what one instance of a family expects; `nil` when a type has no value there.
  public func at(_ sizes: [Int]) -> KernelInterface? {
    guard let openSizes else { return sizes.isEmpty ? self : nil }
    var copy = self
    copy.inputs = openSizes.inputs.compactMap { $0.type(at: sizes) }
    copy.outputs = openSizes.outputs.compactMap { $0.type(at: sizes) }
    guard copy.inputs.count == inputs.count, copy.outputs.count == outputs.count else {
      return nil
    }
    return copy
  }

  /// The sizes that a kernel takes, and what depends on them.
  public struct OpenSizes: Sendable, Hashable, Codable {
    /// The sizes in the order in which the kernel takes them.
    public var symbols: [SizeSymbol]
    /// For each symbol the input whose extent it is.
    public var places: [Place]
    public var inputs: [OpenTensorType]
    public var outputs: [OpenTensorType]

    public init(
      symbols: [SizeSymbol], places: [Place], inputs: [OpenTensorType], outputs: [OpenTensorType]
    ) {
      self.symbols = symbols
      self.places = places
      self.inputs = inputs
      self.outputs = outputs
    }

    /// What a size is called in messages: `extent 0 of input 1`.
    public func description(of symbol: Int) -> String {
      "extent \(places[symbol].dimension) of input \(places[symbol].input)"
    }

    /// The sizes that inputs of these shapes have.
    ///
    /// - Throws: `SpecError` with code `limit` for a size outside its range, and `type` for a missing dimension.
    public func sizes(of shapes: [[Int]]) throws(SpecError) -> [Int] {
      var sizes: [Int] = []
      for (symbol, place) in zip(symbols, places) {
        guard shapes.indices.contains(place.input),
          shapes[place.input].indices.contains(place.dimension)
        else { throw SpecError(.type, "there is no \(description(of: sizes.count))") }
        let size = shapes[place.input][place.dimension]
        guard symbol.contains(size) else {
          throw SpecError(
            .limit, "\(description(of: sizes.count)) is \(size)", expected: symbol.rangeText)
        }
        sizes.append(size)
      }
      return sizes
    }

    public struct Place: Sendable, Hashable, Codable {
      public var input: Int
      public var dimension: Int

      public init(input: Int, dimension: Int) {
        self.input = input
        self.dimension = dimension
      }
    }
  }
}

/// One launch of a device function.
public struct KernelLaunch: Sendable, Hashable, Codable {
  public var function: String
  /// The number of work items along each of up to three dimensions; a multiple of `local`.
  public var global: [Int]
  /// The number of work items in a group along each dimension.
  public var local: [Int]
  public var arguments: [Argument]

  public init(function: String, global: [Int], local: [Int], arguments: [Argument]) {
    self.function = function
    self.global = global
    self.local = local
    self.arguments = arguments
  }

  /// A buffer that the function is given.
  public enum Argument: Sendable, Hashable, Codable {
    case input(Int)
    case output(Int)
    /// A part of the workspace, by its offset in bytes.
    case workspace(Int)
  }
}

/// The values that an input may hold.
public enum InputDomain: Sendable, Hashable, Codable {
  case any
  /// Greater than zero: variances, scales.
  case positive
  /// Integers in `0..<bound`: positions in a table.
  case index(Int)
  /// Integers in `-bound..<bound`: positions that may count from the end.
  case signedIndex(Int)
  /// Integers in `0..<bound`, and one more that stands for none.
  case indexOr(Int, none: Int)
}

/// The arithmetic and the memory traffic that a program cannot avoid.
public struct Work: Sendable, Hashable, Codable {
  /// Additions, multiplications and comparisons; a fused multiply-add counts two.
  public var floatingPointOperations: Double
  /// Bytes of inputs read once and outputs written once.
  public var bytes: Double
  /// Those of `bytes` that are written.
  public var bytesWritten: Double

  public init(floatingPointOperations: Double, bytes: Double, bytesWritten: Double = 0) {
    self.floatingPointOperations = floatingPointOperations
    self.bytes = bytes
    self.bytesWritten = bytesWritten
  }
}
