/// The C text of the function that transposes a square block of as many rows as a vector has lanes.
///
/// After `log2(lanes)` rounds, each of which interleaves row `i` with row `i + lanes / 2`, rows
/// have become columns (a perfect shuffle of the rows' and lanes' binary digits).
struct TransposeText {
  let name: String
  let lanes: Int

  /// `name(from, fromStride, to, toStride)`: `to[column][row] = from[row][column]`, where rows are so many
  /// elements apart.
  var text: String {
    """
    static inline void \(name)(const T *restrict from, int64_t fromStride,
        T *restrict to, int64_t toStride) {
    #if defined(__has_builtin)
    #if __has_builtin(__builtin_shufflevector)
    #define GRANARY_SHUFFLES 1
    #endif
    #endif
    #ifdef GRANARY_SHUFFLES
    \(shuffles)
    #undef GRANARY_SHUFFLES
    #else
      for (int row = 0; row < \(lanes); row++)
        for (int column = 0; column < \(lanes); column++)
          to[column * toStride + row] = from[row * fromStride + column];
    #endif
    }
    """
  }

  private var shuffles: String {
    var text = lines(
      2, (0..<lanes).map { "const V r0_\($0) = *(const VU *)(from + \($0) * fromStride);" })
    let rounds = lanes.trailingZeroBitCount
    for round in 0..<rounds {
      for row in 0..<lanes / 2 {
        let operands = "r\(round)_\(row), r\(round)_\(row + lanes / 2)"
        for half in 0..<2 {
          text += """
            \n  const V r\(round + 1)_\(2 * row + half) =
                __builtin_shufflevector(\(operands), \(interleaving(half)));
            """
        }
      }
    }
    let stores = (0..<lanes).map { "*(VU *)(to + \($0) * toStride) = r\(rounds)_\($0);" }
    return text + "\n" + lines(2, stores)
  }

  private func interleaving(_ half: Int) -> String {
    (0..<lanes / 2).map { "\(half * lanes / 2 + $0), \(lanes + half * lanes / 2 + $0)" }
      .joined(separator: ", ")
  }
}
