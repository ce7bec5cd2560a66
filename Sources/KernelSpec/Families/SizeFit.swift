/// Finds the polynomial that integers follow.
package enum SizeFit {
  /// The polynomial of the least degree, at most 3, that has `values[i]` at `points[i]`; `nil` when none has.
  ///
  /// Every value is compared, so that what is returned is right at each point.
  package static func polynomial(_ values: [Int], at points: [[Int]]) -> SizeExpression? {
    guard let first = values.first, let symbols = points.first?.count else { return nil }
    if values.allSatisfy({ $0 == first }) { return SizeExpression(first) }
    for degree in 1...3 {
      if let found = polynomial(values, at: points, monomials(symbols, upTo: degree)) {
        return found
      }
    }
    return nil
  }

  /// The products of at most `degree` of the symbols, the constant first.
  private static func monomials(_ symbols: Int, upTo degree: Int) -> [[Int]] {
    var all: [[Int]] = [[]]
    var last: [[Int]] = [[]]
    for _ in 0..<degree {
      last = last.flatMap { product in
        ((product.last ?? 0)..<symbols).map { product + [$0] }
      }
      all += last
    }
    return all
  }

  private static func polynomial(_ values: [Int], at points: [[Int]], _ monomials: [[Int]])
    -> SizeExpression?
  {
    var rows = zip(points, values).map { point, value in
      monomials.map { $0.reduce(1.0) { $0 * Double(point[$1]) } } + [Double(value)]
    }
    let solution = solve(&rows, unknowns: monomials.count)
    let terms = zip(solution, monomials).map { coefficient, symbols in
      SizeExpression.Term(Int(exactly: coefficient.rounded()) ?? 0, symbols)
    }
    let found = SizeExpression(terms)
    let isRight = zip(points, values).allSatisfy { found.value(at: $0) == $1 }
    return isRight ? found : nil
  }

  /// Gauss's elimination with the largest pivot of each column; unknowns without one are 0.
  private static func solve(_ rows: inout [[Double]], unknowns: Int) -> [Double] {
    var solution = [Double](repeating: 0, count: unknowns)
    var pivots: [(row: Int, column: Int)] = []
    for column in 0..<unknowns {
      let start = pivots.count
      guard
        let best = (start..<rows.count).max(by: { abs(rows[$0][column]) < abs(rows[$1][column]) }),
        abs(rows[best][column]) > 1e-6
      else { continue }
      rows.swapAt(start, best)
      for row in rows.indices where row != start && rows[row][column] != 0 {
        let factor = rows[row][column] / rows[start][column]
        for entry in column...unknowns { rows[row][entry] -= factor * rows[start][entry] }
      }
      pivots.append((start, column))
    }
    for (row, column) in pivots { solution[column] = rows[row][unknowns] / rows[row][column] }
    return solution
  }
}
