/// The C text of the function that multiplies one register tile.
///
/// The sums live in named vector variables, so that no compiler has a reason to put them in memory.
struct MicroKernelText {
  let name: String
  let rows: Int
  let vectors: Int
  let lanes: Int
  let unroll: Int
  /// Distance between rows, and between steps of the depth, of the first factor.
  let rowStride: Int
  let depthStride: Int
  /// Distance between steps of the depth of the second factor.
  let columnStride: Int
  /// Whether steps of the depth are `distance[step]` from the first instead.
  let looksUpColumns: Bool

  /// `name(depth, a, b, [distance,] from, to, stride)`: `to = from + a · b`, with nothing for a null `from`.
  ///
  /// `from` is a tile of `vectors` vectors a row; rows of `to` are `stride` elements apart.
  var text: String {
    let width = vectors * lanes
    return """
      static __attribute__((noinline)) void \(name)(int64_t depth,
          const T *restrict a, const T *restrict b,\(looksUpColumns ? distance : "") const T *from,
          T *to, int64_t stride) {
        V \(tile { row, vector in "c\(row)_\(vector)" }.joined(separator: ", "));
        if (from) {
      \(lines(4, tile { "c\($0)_\($1) = *(const VU *)(from + \($0 * width + $1 * lanes));" }))
        } else {
      \(lines(4, tile { "c\($0)_\($1) = (V){0};" }))
        }
      \(loops)
      \(lines(2, tile { "*(VU *)(to + \($0) * stride + \($1 * lanes)) = c\($0)_\($1);" }))
      }
      """
  }

  private var distance: String { " const int32_t *restrict distance," }

  private var loops: String {
    let single = loop(while: "depth > 0", steps: 1)
    return unroll > 1 ? loop(while: "depth >= \(unroll)", steps: unroll) + "\n" + single : single
  }

  private func loop(while condition: String, steps: Int) -> String {
    """
      for (; \(condition); depth -= \(steps)) {
    \((0..<steps).map(step).joined(separator: "\n"))
        a += \(steps * depthStride);
        \(looksUpColumns ? "distance += \(steps)" : "b += \(steps * columnStride)");
      }
    """
  }

  private func step(_ step: Int) -> String {
    let loads = (0..<vectors).map { vector in
      let place =
        looksUpColumns
        ? "distance[\(step)] + \(vector * lanes)" : "\(step * columnStride + vector * lanes)"
      return "const V b\(vector) = *(const VU *)(b + \(place));"
    }
    let sums = (0..<rows).map { row in
      let products = (0..<vectors).map { "c\(row)_\($0) += x * b\($0);" }.joined(separator: " ")
      return "{ const T x = a[\(step * depthStride + row * rowStride)]; \(products) }"
    }
    return "    {\n" + lines(6, loads + sums) + "\n    }"
  }

  private func tile(_ element: (_ row: Int, _ vector: Int) -> String) -> [String] {
    (0..<rows).flatMap { row in (0..<vectors).map { element(row, $0) } }
  }
}

/// The lines, indented by `indent` columns.
func lines(_ indent: Int, _ lines: [String]) -> String {
  let margin = String(repeating: " ", count: indent)
  return lines.map { margin + $0 }.joined(separator: "\n")
}
