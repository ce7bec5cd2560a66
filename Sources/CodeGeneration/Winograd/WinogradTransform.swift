import TensorProgram

/// The matrices that turn a convolution of three places into products of single elements, and their C text.
///
/// Two polynomials are multiplied by their values at a few points (Toom and Cook; Winograd, "Arithmetic Complexity of
/// Computations", 1980; Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016). The points are 0,
/// pairs of opposite sign, and infinity: ±1 for tiles of two results, and ±3/4 and ±3/2 for tiles of four, with which
/// results are off by a quarter of what they are with ±1 and ±2 (decision 019).
struct WinogradTransform {
  /// Results of a tile in one direction.
  let results: Int
  /// A row of `places` coefficients for each product.
  let ofInput: [[Double]]
  /// A row of three coefficients for each product.
  let ofFilter: [[Double]]
  /// A row of a coefficient of each product for each result.
  let ofOutput: [[Double]]

  /// Places of the filter in one direction.
  static let taps = 3
  /// Elements of the image that a tile needs in one direction, and products that it takes.
  var places: Int { results + Self.taps - 1 }

  init(results: Int) {
    self.results = results
    let points = results == 2 ? [0, 1, -1] : [0, 0.75, -0.75, 1.5, -1.5]
    let others = points.indices.map { index in
      points.indices.filter { $0 != index }.map { points[$0] }
    }
    ofInput =
      others.map { Self.polynomial(roots: $0) + [0] } + [Self.polynomial(roots: points)]
    ofFilter =
      zip(points, others).map { point, others in
        let size = others.reduce(1) { $0 * (point - $1) }
        return Self.powers(of: point, Self.taps).map { $0 / size }
      } + [[0, 0, 1]]
    let values = points.map { Self.powers(of: $0, results) }
    ofOutput = (0..<results).map { power in
      values.map { $0[power] } + [power == results - 1 ? 1 : 0]
    }
  }

  private static func powers(of point: Double, _ count: Int) -> [Double] {
    (1..<count).reduce(into: [1]) { powers, _ in powers.append(powers[powers.count - 1] * point) }
  }

  /// The coefficients, constant first, of the product of `x - root`.
  private static func polynomial(roots: [Double]) -> [Double] {
    roots.reduce([1]) { product, root in
      let (shifted, scaled) = ([0] + product, product.map { -root * $0 } + [0])
      return zip(shifted, scaled).map { $0 + $1 }
    }
  }

  // MARK: - Text

  /// Statements that give each row of `matrix`, as an expression of its operands, to `use`.
  ///
  /// Points of opposite sign share the sums of even and of odd operands, which compilers compute once.
  static func text(
    _ matrix: [[Double]], of operand: (Int) -> String, use: (_ row: Int, _ value: String) -> String
  ) -> [String] {
    let terms = (0..<(matrix.first?.count ?? 0)).map(operand)
    return matrix.enumerated().map { row, coefficients in
      let all = zip(coefficients, terms).enumerated()
      let even = all.filter { $0.offset % 2 == 0 }.map(\.element).filter { $0.0 != 0 }
      let odd = all.filter { $0.offset % 2 == 1 }.map(\.element).filter { $0.0 != 0 }
      guard let first = odd.first, !even.isEmpty else { return use(row, sum(even + odd)) }
      let sign = first.0 < 0 ? "-" : "+"
      let positive = odd.map { (first.0 < 0 ? -$0.0 : $0.0, $0.1) }
      return use(row, "(\(sum(even))) \(sign) (\(sum(positive)))")
    }
  }

  /// Statements that give each result of the products `operand` to `use`.
  ///
  /// The products of points of opposite sign come in as their sum or their difference.
  func results(of operand: (Int) -> String, use: (_ row: Int, _ value: String) -> String)
    -> [String]
  {
    let pairs = Array(stride(from: 1, to: places - 1, by: 2))
    let shared = pairs.map { pair in
      "const V sum\(pair) = \(operand(pair)) + \(operand(pair + 1)), "
        + "gap\(pair) = \(operand(pair)) - \(operand(pair + 1));"
    }
    return shared
      + ofOutput.enumerated().map { row, coefficients in
        let paired = pairs.map { pair in
          let isSum = coefficients[pair] == coefficients[pair + 1]
          return (coefficients[pair], isSum ? "sum\(pair)" : "gap\(pair)")
        }
        let single = [0, places - 1].map { (coefficients[$0], operand($0)) }
        return use(row, Self.sum((single + paired).filter { $0.0 != 0 }))
      }
  }

  private static func sum(_ terms: [(Double, String)]) -> String {
    terms.enumerated().map { position, term in
      let sign = term.0 < 0 ? (position == 0 ? "-" : " - ") : (position == 0 ? "" : " + ")
      let size = term.0.magnitude
      return sign + (size == 1 ? term.1 : "(T)\(size) * \(term.1)")
    }.joined()
  }
}
