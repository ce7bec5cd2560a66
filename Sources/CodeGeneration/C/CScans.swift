import KernelSpec
import TensorProgram

/// Running sums along a row, a vector at a time: sums within the vector by doubling steps, and what came before in
/// every lane of another.
///
/// Source of the steps: Hillis and Steele, "Data parallel algorithms" (CACM 29(12), 1986).
extension CWriter {
  /// Whether the scan, which stands in no lane loop, was written with its axis as lanes.
  ///
  /// Interleaved points are all written at once.
  mutating func writeVectors(_ scan: TileScan) -> Bool {
    let value = scan.value.dtype.isHalf ? Expression.cast(.f32, scan.value) : scan.value
    let type = value.dtype
    let place = AffineIndex(scan.index)
    guard dialect == .c, lanes == nil, scan.combiner == .sum, scan.lanes > 1,
      [.f32, .f64, .i32, .i64].contains(type), dtypes[scan.output.position] == type,
      place.isLinear(in: scan.axis), place.coefficient(of: scan.axis) == 1
    else { return false }
    var width = scan.lanes
    while width > scan.axis.extent { width /= 2 }
    guard width >= 4 else { return false }
    block("") { $0.writeScan(scan, of: value, width: width) }
    return true
  }

  /// The scans of all points that are under way, side by side: each waits for its own sums alone.
  private mutating func writeScan(_ scan: TileScan, of value: Expression, width: Int) {
    let (type, name) = (value.dtype, name(of: scan.axis))
    let points = rows?.inStep ?? 0..<1
    let before = points.map { _ in fresh("a") }
    let (vector, extent) = (vectorType(type, width), scan.axis.extent)
    for sum in before { line("\(vector) \(sum) = {0};") }
    line("int64_t \(name) = 0;")
    block("for (; \(name) < \(extent - extent % width); \(name) += \(width))") { writer in
      writer.lanes = LaneContext(axis: scan.axis, width: width, unroll: 1)
      for (point, before) in zip(points, before) {
        writer.rows?.current = point
        let sum = writer.fresh("v")
        let within = writer.call("prefix_add", type, lanes: width, writer.value(value))
        writer.line("const \(vector) \(sum) = \(within) + \(before);")
        writer.put(sum, type, scan.output, scan.index, isStreaming: scan.isStreaming)
        writer.line("\(before) = \(writer.call("last", type, lanes: width, sum));")
      }
      writer.lanes = nil
    }
    guard extent % width > 0 else { return }
    let rests = before.map { _ in fresh("a") }
    for (rest, before) in zip(rests, before) {
      line("\(dialect.scalarType(type)) \(rest) = \(before)[0];")
    }
    block("for (; \(name) < \(extent); \(name)++)") { writer in
      for (point, rest) in zip(points, rests) {
        writer.rows?.current = point
        writer.line("\(rest) = \(writer.binary(.add, rest, writer.scalar(value), type));")
        writer.put(rest, type, scan.output, scan.index, isStreaming: false)
      }
    }
  }
}
