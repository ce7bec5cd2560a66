import KernelSpec
import TensorProgram

/// The C text that tells whether every element of an index input is within its range.
struct IndexCheckText {
  private let input: Int
  private let type: TensorType
  private let lower: Int
  private let upper: Int
  /// A value that is allowed as well.
  private let none: Int?
  private let threads: Int

  /// `nil` for an input that indexes nothing.
  init?(input: Int, type: TensorType, domain: InputDomain, threads: Int) {
    guard type.dtype.isInteger else { return nil }
    switch domain {
    case .index(let bound): (lower, upper, none) = (0, bound, nil)
    case .signedIndex(let bound): (lower, upper, none) = (-bound, bound, nil)
    case .indexOr(let bound, let none): (lower, upper, self.none) = (0, bound, none)
    case .any, .positive: return nil
    }
    (self.input, self.type, self.threads) = (input, type, threads)
  }

  /// Fewer elements are looked at before other threads have started.
  private static let smallestParallelCount = 16384

  private var name: String { "granary_check\(input)" }
  /// The elements of one part: rows of the outermost dimension, or all.
  private var rows: Int { type.shape.first ?? 1 }
  private var parts: Int {
    type.elementCount < Self.smallestParallelCount ? 1 : min(rows, 4 * threads)
  }

  /// The function that looks at one part of the rows and notes in the call what is out of range.
  ///
  /// One comparison without sign holds for both ends: what is below the range becomes very large.
  var function: String {
    let element = CDialect.c.memoryType(type.dtype)
    var lines = [
      "static void \(name)(void *argument, int64_t block, int32_t thread) {",
      "  granary_call *call = argument;",
      "  const \(element) *x = call->buffer[\(input)];",
      "  int bad = 0;",
    ]
    var terms: [String] = []
    for (dimension, (extent, stride)) in loops.enumerated() {
      let isOutermost = dimension == 0
      let first = isOutermost && parts > 1 ? "block * \(extent)L / \(parts)" : "0"
      let end = isOutermost && parts > 1 ? "(block + 1) * \(extent)L / \(parts)" : "\(extent)"
      let variable = "d\(dimension)"
      lines.append("  for (int64_t \(variable) = \(first); \(variable) < \(end); \(variable)++)")
      terms.append("\(variable) * \(stride)")
    }
    let place = terms.isEmpty ? "0" : terms.joined(separator: " + ")
    let isNone = none.map { "((int64_t)x[\(place)] != \($0)) & " } ?? ""
    let isOutside = "(uint64_t)((int64_t)x[\(place)] - (\(lower))) >= \(upper - lower)UL"
    lines.append("    bad |= \(isNone.isEmpty ? isOutside : "\(isNone)(\(isOutside))");")
    lines += [
      "  if (bad) __atomic_store_n(&call->outOfRange, 1, __ATOMIC_RELAXED);", "}", "",
    ]
    return lines.joined(separator: "\n")
  }

  /// The dimensions, of which those that lie behind one another without a gap are one.
  private var loops: [(extent: Int, stride: Int)] {
    var loops: [(extent: Int, stride: Int)] = []
    for (extent, stride) in zip(type.shape, type.resolvedStrides) {
      if let last = loops.last, last.stride == extent * stride {
        loops[loops.count - 1] = (last.extent * extent, stride)
      } else {
        loops.append((extent, stride))
      }
    }
    return loops
  }

  /// The statements of the entry that run the check, and return 1 when it failed.
  var statements: [String] {
    [
      parts == 1
        ? "  \(name)(&call, 0, 0);"
        : "  context->parallel_for(context, \(parts), \(name), &call);",
      "  if (call.outOfRange) return 1;",
    ]
  }
}
