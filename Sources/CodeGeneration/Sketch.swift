package import Hardware
package import KernelSpec
package import TensorProgram

/// One structure that a kernel can be given: which kernels it fits, its parameters, and the kernel it makes.
///
/// A sketch is stateless. What it makes is a function of its arguments alone.
package protocol Sketch: Sendable {
  /// The name that schedules use, for example `row-resident`.
  var name: String { get }

  /// Whether the sketch can make the kernel, with at least its default parameters.
  func matches(_ site: KernelSite) -> Bool

  /// Whether a sketch after this one in the table is the better choice where nothing was measured.
  func isAlternative(at site: KernelSite) -> Bool

  /// The parameters and their legal values; the defaults are a good choice for `site.hardware`.
  func parameters(for site: KernelSite) -> [ParameterDomain]

  /// The rule across parameters that a schedule breaks, or `nil`. Every value is already in its domain.
  func violation(of schedule: KernelSchedule, for site: KernelSite) -> String?

  /// Makes the kernel. The schedule has every parameter and breaks no rule.
  ///
  /// - Throws: ``CodeGenerationError`` when the sketch does not fit after all.
  func lower(_ site: KernelSite, schedule: KernelSchedule) throws(CodeGenerationError)
    -> LoweredKernel
}

extension Sketch {
  package func isAlternative(at site: KernelSite) -> Bool { false }

  package func violation(of schedule: KernelSchedule, for site: KernelSite) -> String? { nil }
}

/// A kernel where it stands: all that a sketch may look at.
package struct KernelSite: Sendable {
  package var program: TensorProgram
  package var kernel: FusedKernel
  /// The position of the kernel in its fused program.
  package var position: Int
  package var hardware: HardwareDescription
  package var language: TargetLanguage
  /// What the names of the kernel's functions begin with.
  package var name: String
  /// Buffers that are the same in all calls of the kernel within a call of the program: what is made of them alone
  /// has to be made once.
  package var lasting: Set<BufferID> = []

  package init(
    program: TensorProgram, kernel: FusedKernel, position: Int, hardware: HardwareDescription,
    language: TargetLanguage
  ) {
    self.program = program
    self.kernel = kernel
    self.position = position
    self.hardware = hardware
    self.language = language
    name = "kernel\(position)"
  }

  /// Whether the value depends on lasting buffers alone.
  func isLasting(_ value: Expression) -> Bool {
    value.loads.allSatisfy { lasting.contains($0.buffer) }
  }
}

/// What a sketch makes of a kernel.
package enum LoweredKernel: Sendable {
  /// A tile kernel, which every target's renderer renders.
  case tiles(TileKernel)
  /// Text of the target language, for structures that tiles do not express well.
  case text(KernelText)
}

/// A kernel as C text: functions that run one after the other, each in parallel over its blocks.
///
/// Each function has the type `void name(void *argument, int64_t block, int32_t thread)`, and `argument`
/// points to a `granary_call`:
///
///     typedef struct {
///       void *buffer[N];          // by BufferID.position; locals are NULL
///       unsigned char *shared;    // sharedBytes, 64-byte aligned, for this kernel alone
///       unsigned char *scratch;   // threadBytes for each thread, at scratch + thread * threadBytes
///     } granary_call;
package struct KernelText: Sendable, Hashable {
  /// Definitions of types and static functions. Their names begin with `kernel<position>_`.
  package var functions: String
  package var phases: [Phase]
  /// Workspace that the phases share, in bytes.
  package var sharedBytes: Int
  /// Workspace of each thread, in bytes; a multiple of 64.
  package var threadBytes: Int
  /// What the functions use of the library of C functions, such as `exp` for 16 lanes of `f32`.
  package var library: Set<CLibrary.Item>

  /// The buffers of the calls that the functions make: the least length of `granary_call.buffer`.
  package var bufferCount: Int

  /// One parallel loop: `function` is called for every block in `0..<blocks`. One block runs serially.
  package struct Phase: Sendable, Hashable {
    package var function: String
    package var blocks: Int
    /// Whether the phase writes only shared memory, from buffers that are the same in all calls of the kernel: it
    /// then runs before the first.
    package var isPreparation: Bool
    /// Whether the function starts parallel loops of its own: its type is then
    /// `void name(const granary_context *context, granary_call *call)`.
    package var isLoop: Bool

    package init(
      function: String, blocks: Int, isPreparation: Bool = false, isLoop: Bool = false
    ) {
      self.function = function
      self.blocks = blocks
      self.isPreparation = isPreparation
      self.isLoop = isLoop
    }

    /// The statement that runs the phase with the call that `argument` points to.
    func call(_ argument: String) -> String {
      if isLoop { return "\(function)(context, \(argument));" }
      return blocks == 1
        ? "\(function)(\(argument), 0, 0);"
        : "context->parallel_for(context, \(blocks), \(function), \(argument));"
    }
  }

  package init(
    functions: String, phases: [Phase], sharedBytes: Int = 0, threadBytes: Int = 0,
    library: Set<CLibrary.Item> = [], bufferCount: Int = 0
  ) {
    self.functions = functions
    self.phases = phases
    self.sharedBytes = sharedBytes
    self.threadBytes = threadBytes
    self.library = library
    self.bufferCount = bufferCount
  }
}

/// Why a program could not be turned into source.
package struct CodeGenerationError: Error, Sendable, Hashable, CustomStringConvertible {
  package enum Code: String, Sendable, Hashable {
    /// The schedule does not belong to the program's space.
    case illegalSchedule = "illegal-schedule"
    /// The target language has no renderer.
    case unsupportedLanguage = "unsupported-language"
    /// The program breaks a rule of its form.
    case malformedProgram = "malformed-program"
  }

  package var code: Code
  package var message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { "\(code.rawValue): \(message)" }
}
