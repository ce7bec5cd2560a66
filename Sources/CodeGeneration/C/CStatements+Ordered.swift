import KernelSpec
import TensorProgram

/// Statements that store where data says, and that order positions.
extension CWriter {
  mutating func write(_ scatter: TileScatter) {
    let type = dtypes[scatter.output.position]
    block("") { writer in
      var conditions: [String] = []
      var terms: [String] = []
      for (index, (extent, stride)) in zip(scatter.target, zip(scatter.extents, scatter.strides)) {
        let position = writer.fresh("t")
        writer.line("const \(writer.dialect.indexType) \(position) = \(writer.text(index));")
        if writer.bounds.decide(index, lower: 0, upper: extent) != true {
          conditions.append("\(position) >= 0 && \(position) < \(extent)")
        }
        terms.append("\(position) * \(stride)")
      }
      let place = terms.isEmpty ? "0" : terms.joined(separator: " + ")
      let head = conditions.isEmpty ? "" : "if (\(conditions.joined(separator: " && ")))"
      writer.block(head) { writer in
        let value = scatter.value.dtype == type ? scatter.value : .cast(type, scatter.value)
        let new = writer.scalar(value)
        let element = "\(writer.name(of: scatter.output))[\(place)]"
        let stored =
          scatter.combiner.map { writer.binary($0.operation, element, new, type) } ?? new
        writer.line("\(element) = \(stored);")
      }
    }
  }

  /// A heap of the first positions, with the last in order on top: filled, then replaced by every later
  /// position that comes before its top, then taken apart from the top.
  ///
  /// It needs no memory but the output, and positions decide between equal elements, so the order is that of
  /// a stable sort.
  mutating func write(_ sort: TileSort) {
    let type = dialect.indexType
    let (count, length) = (sort.rank.extent, sort.axis.extent)
    guard count > 0 else { return }
    block("") { writer in
      writer.line("\(type) low = \(count / 2), size = \(count), next = \(count);")
      writer.block("for (\(type) j = 0; j < \(count); j++)") {
        $0.line("\($0.element(of: sort, at: "j")) = j;")
      }
      writer.block("for (;;)") { writer in
        writer.line("\(type) hole = 0, item;")
        writer.block("if (low > 0)") {
          $0.line("hole = --low;")
          $0.line("item = \($0.element(of: sort, at: "hole"));")
        }
        writer.block("else if (next < \(length))") {
          $0.line("item = next++;")
          $0.line("const \(type) top = \($0.element(of: sort, at: "0"));")
          let isBefore = $0.comesBefore("item", "top", sort)
          $0.line("if (!\(isBefore)) continue;")
        }
        writer.block("else if (size > 1)") {
          $0.line("size--;")
          $0.line("item = \($0.element(of: sort, at: "size"));")
          $0.line("\($0.element(of: sort, at: "size")) = \($0.element(of: sort, at: "0"));")
        }
        writer.line("else break;")
        writer.siftDown(sort)
      }
    }
  }

  private mutating func siftDown(_ sort: TileSort) {
    let type = dialect.indexType
    block("for (;;)") { writer in
      writer.line("\(type) child = 2 * hole + 1;")
      writer.line("if (child >= size) break;")
      writer.line("\(type) position = \(writer.element(of: sort, at: "child"));")
      writer.block("if (child + 1 < size)") {
        $0.line("const \(type) other = \($0.element(of: sort, at: "(child + 1)"));")
        let isBefore = $0.comesBefore("position", "other", sort)
        $0.line("if (\(isBefore)) { child++; position = other; }")
      }
      let isBefore = writer.comesBefore("item", "position", sort)
      writer.line("if (!\(isBefore)) break;")
      writer.line("\(writer.element(of: sort, at: "hole")) = position;")
      writer.line("hole = child;")
    }
    line("\(element(of: sort, at: "hole")) = item;")
  }

  /// The place of the output for a rank.
  private mutating func element(of sort: TileSort, at rank: String) -> String {
    let saved = axisNames
    axisNames[sort.rank] = rank
    defer { axisNames = saved }
    return "\(name(of: sort.output))[\(text(sort.index))]"
  }

  /// Writes the comparison of the elements at two positions, and gives the variable of its result.
  private mutating func comesBefore(_ first: String, _ second: String, _ sort: TileSort) -> String {
    let type = sort.value.dtype
    let (one, two, result) = (fresh("x"), fresh("y"), fresh("before"))
    for (name, position) in [(one, first), (two, second)] {
      let saved = axisNames
      axisNames[sort.axis] = position
      line("const \(dialect.scalarType(type)) \(name) = \(scalar(sort.value));")
      axisNames = saved
    }
    let (low, high) = sort.isDescending ? (two, one) : (one, two)
    let isFloat = type.isFloatingPoint
    let isLess =
      "\(low) < \(high)" + (isFloat ? " || (\(high) != \(high) && \(low) == \(low))" : "")
    let isEqual =
      "\(one) == \(two)" + (isFloat ? " || (\(one) != \(one) && \(two) != \(two))" : "")
    line("const int \(result) = \(isLess) || ((\(isEqual)) && \(first) < \(second));")
    return result
  }
}
