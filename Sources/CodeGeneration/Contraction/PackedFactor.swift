import KernelSpec
import TensorProgram

/// A factor of a contraction: where its elements are, and the C function that packs panels of it.
///
/// A panel holds `width` rows (of the first factor) or columns (of the second), interleaved: all of
/// one step of the depth side by side, then those of the next. Guards of padding give zeros in it.
struct PackedFactor {
  let name: String
  let value: Expression
  /// The axes of rows or columns, and of the depth, merged as far as memory allows.
  let side: [Axis]
  let depth: [Axis]
  /// The axes of the batch that this factor depends on: others share its packed matrix.
  let batch: [Axis]
  /// Every axis of the batch: the arguments that functions take.
  let arguments: [Axis]
  let width: Int
  /// The padded width of the last panel; 0 when it is full.
  let edge: Int
  let lanes: Int
  /// Whether the function transposes blocks, because neighbours in memory follow the depth.
  let transposes: Bool
  let scalars: ScalarText
  /// The type of the packed elements, as a value.
  let accumulator: DType
  /// Whether `width` counts rows, which are not padded to whole vectors.
  private let isLeft: Bool

  /// - Parameter padsRows: whether panels of rows are filled up to `edge` as those of columns are.
  init(
    _ expression: Expression, side: [Axis], contraction: Contraction, width: Int, edge: Int,
    packing: ContractionTuning.Packing, name: String, lanes: Int, scalars: ScalarText,
    padsRows: Bool = false
  ) {
    let access = FlatAccess(
      loops: [side, contraction.depth], expressions: [expression],
      buffers: scalars.program.buffers)
    let used = expression.axes
    self.name = name
    self.width = width
    self.edge = edge
    self.lanes = lanes
    self.scalars = scalars
    let packed = access.expressions[0]
    value = packed
    (self.side, depth) = (access.loops[0], access.loops[1])
    arguments = contraction.loopedBatch
    batch = contraction.loopedBatch.filter(used.contains)
    accumulator = contraction.accumulator
    isLeft = side == contraction.rows && !padsRows
    let followsDepth =
      access.loops[1].last.map { packed.isContiguous(along: $0) } ?? false
    let followsSide = access.loops[0].last.map { packed.isContiguous(along: $0) } ?? true
    transposes = packing != .inPlace && followsDepth && !followsSide && lanes > 1
  }

  var library: Set<CLibrary.Item> { scalars.library([value]) }

  // MARK: - In place

  /// The position in memory, when the factor is a plain matrix of the type of the sums.
  private var position: AffineIndex? {
    guard case .load(_, accumulator, let indexes) = value, indexes.count == 1,
      side.count <= 1, depth.count <= 1
    else { return nil }
    let index = AffineIndex(indexes[0])
    return index.others.isEmpty ? index : nil
  }

  var sideStride: Int { stride(of: side) }
  var depthStride: Int { stride(of: depth) }

  private func stride(of loop: [Axis]) -> Int {
    loop.first.flatMap { position?.factors[$0] } ?? 0
  }

  /// Whether the register tile can read rows of the factor where they are.
  var rowsCanStay: Bool { position != nil }

  /// Whether the register tile can read vectors of `extent` columns where they are.
  func columnsCanStay(_ extent: Int) -> Bool {
    position != nil && sideStride == 1 && extent % lanes == 0
  }

  /// The C expression of the address of an element.
  func address(side flatSide: String, depth flatDepth: String) -> String {
    guard case .load(let buffer, _, _) = value, let position else { return "0" }
    let matrix = position.factors.filter { batch.contains($0.key) }
      .sorted { $0.key.id < $1.key.id }.map { "\($0.key.variable) * \($0.value)" }
    let terms =
      matrix + [
        "\(flatSide) * \(sideStride)", "\(flatDepth) * \(depthStride)", "\(position.constant)",
      ]
    return "(const T *)call->buffer[\(buffer.position)] + \(terms.joined(separator: " + "))"
  }

  // MARK: - Packed

  /// Rows or columns with the padding of the last panel.
  func padded(_ extent: Int) -> Int { isLeft ? extent : ceilDivide(extent, lanes) * lanes }

  /// The C expression of the number of the factor's matrix.
  var matrixIndex: String {
    batch.reduce("0") { $0 == "0" ? $1.variable : "(\($0) * \($1.extent) + \($1.variable))" }
  }

  /// The C text of a call of the packing function.
  func call(_ first: String, _ width: String, _ k0: String, _ depth: String, _ to: String)
    -> String
  {
    let outer = arguments.map { batch.contains($0) ? $0.variable : "0" }
    return "\(name)(\((["call"] + outer + [first, width, k0, depth, to]).joined(separator: ", ")))"
  }

  /// The function that packs one panel from `first` on, `depth` steps from `k0` on.
  func text(transpose: String) -> String {
    let outer = arguments.map { "int64_t \($0.variable)" }
    let parameters =
      ["const granary_call *call"] + outer
      + ["int64_t first", "int64_t width", "int64_t k0", "int64_t depth", "T *restrict to"]
    let stride =
      isLeft
      ? "width" : edge == 0 ? "\(width)" : "(width > \(edge) ? \(width) : \(edge))"
    return """
      static __attribute__((noinline)) void \(name)(\(parameters.joined(separator: ", "))) {
      \(lines(2, scalars.pointers([value])))
        const int64_t stride = \(stride);
      \(depth.extent == 0 ? "" : transposes ? transposingLoops(transpose) : rowLoops)
        for (int64_t k = 0; width < stride && k < depth; k++)
          for (int64_t j = width; j < stride; j++) to[k * stride + j] = 0;
      }
      """
  }

  /// Runs of neighbours along the side, for each step of the depth.
  private var rowLoops: String {
    let along = side.last
    let start = along.map { "start_\($0.variable)" } ?? "0"
    let run = along.map { "\($0.extent) - \(start)" } ?? "1"
    let decoded = decode("first + j0", side).dropLast()
    let startText =
      along.map {
        ["const int64_t \(start) = (first + j0) % \($0.extent);"]
      } ?? []
    return """
        for (int64_t j0 = 0; j0 < width;) {
      \(lines(4, decoded + startText))
          const int64_t run = \(minimum("width - j0", run));
      \(lines(4, depthStart))
          for (int64_t k = 0; k < depth; k++) {
            \(keepsOrder)
            T *restrict row = to + k * stride + j0;
            if (run == \(width)) {
              for (int64_t j = 0; j < \(width); j++) {
                \(element(along, start: start, step: "j", to: "row[j]"))
              }
            } else {
              for (int64_t j = 0; j < run; j++) {
                \(element(along, start: start, step: "j", to: "row[j]"))
              }
            }
            \(depthStep)
          }
          j0 += run;
        }
      """
  }

  private func element(_ axis: Axis?, start: String, step: String, to: String) -> String {
    let variable = axis.map { "const int64_t \($0.variable) = \(start) + \(step); " } ?? ""
    return "\(variable)\(to) = (T)(\(scalars.text(value)));"
  }

  private var depthStart: [String] {
    decode("k0", depth).map { String($0.dropFirst("const ".count)) }
  }

  /// Keeps compilers from vectorising the loop around this instead of the one inside it.
  private var keepsOrder: String { "__asm__ volatile(\"\" ::: \"memory\");" }

  /// Counts the axes of the depth on by one.
  private var depthStep: String {
    var text = ""
    for (position, axis) in depth.enumerated() {
      text =
        position == 0
        ? "\(axis.variable)++;"
        : "if (++\(axis.variable) == \(axis.extent)) { \(axis.variable) = 0; \(text) }"
    }
    return text
  }

  /// Square blocks that are read along the depth and transposed.
  private func transposingLoops(_ transpose: String) -> String {
    guard let along = depth.last else { return rowLoops }
    let decoded = decode("k0 + k", depth).dropLast()
    let start = "start_\(along.variable)"
    let fill = { (bound: String) in
      """
            for (int64_t r = 0; r < count; r++) {
                \(keepsOrder)
      \(lines(10, decode("first + j + r", side)))
                for (int64_t q = 0; q < \(bound); q++) {
                  \(element(along, start: start, step: "q", to: "block[r * \(lanes) + q]"))
                }
              }
      """
    }
    return """
        T block[\(lanes * lanes)] __attribute__((aligned(64)));
        for (int64_t j = 0; j < width; j += \(lanes)) {
          const int64_t count = \(minimum("width - j", "\(lanes)"));
          for (int64_t k = 0; k < depth;) {
      \(lines(6, Array(decoded)))
            const int64_t \(start) = (k0 + k) % \(along.extent);
            const int64_t left = \(minimum("depth - k", "\(along.extent) - \(start)"));
            T *restrict at = to + k * stride + j;
            \(transposed(in: transpose))if (left >= \(lanes)) {
      \(fill("\(lanes)"))
              for (int64_t r = count * \(lanes); r < \(lanes * lanes); r++) block[r] = 0;
              \(storeText(transpose))
              k += \(lanes);
            } else {
      \(fill("left"))
              for (int64_t q = 0; q < left; q++)
                for (int64_t r = 0; r < count; r++)
                  to[(k + q) * stride + j + r] = block[r * \(lanes) + q];
              k += left;
            }
          }
        }
      """
  }

  /// Transposes a whole block from where it is in memory, when it lies there as a plain matrix.
  private func transposed(in transpose: String) -> String {
    guard position != nil, depthStride == 1 else { return "" }
    let from = address(side: "(first + j)", depth: "(k0 + k)")
    return """
      if (left >= \(lanes) && count == \(lanes) && j + \(lanes) <= stride) {
              \(transpose)(\(from), \(sideStride), at, stride);
              k += \(lanes);
            } else 
      """
  }

  /// Stores a transposed block, with sizes that the compiler knows where they are common.
  private func storeText(_ transpose: String) -> String {
    let sizes = Set([width % lanes, edge % lanes].filter { $0 > 0 }).sorted(by: >)
    let branches = sizes.map { size in
      """
      if (count == \(size)) {
                  for (int64_t q = 0; q < \(lanes); q++)
                    __builtin_memcpy(at + q * stride, turned + q * \(lanes), \(size) * sizeof(T));
                } else
      """
    }
    return """
      if (j + \(lanes) <= stride) {
                \(transpose)(block, \(lanes), at, stride);
              } else {
                T turned[\(lanes * lanes)] __attribute__((aligned(64)));
                \(transpose)(block, \(lanes), turned, \(lanes));
                \(branches.joined(separator: " ")) {
                  for (int64_t q = 0; q < \(lanes); q++)
                    for (int64_t r = 0; r < count; r++) at[q * stride + r] = turned[q * \(lanes) + r];
                }
              }
      """
  }
}

extension Expression {
  /// Whether neighbours along `axis` are neighbours, or the same element, in every load.
  fileprivate func isContiguous(along axis: Axis) -> Bool {
    var follows = true
    var depends = false
    forEach { part in
      guard case .load(_, _, let indexes) = part else { return }
      for index in indexes {
        let linear = AffineIndex(index)
        let factor = linear.factors[axis, default: 0]
        depends = depends || factor != 0
        follows = follows && (factor == 0 || factor == 1)
      }
    }
    return follows && depends
  }
}
