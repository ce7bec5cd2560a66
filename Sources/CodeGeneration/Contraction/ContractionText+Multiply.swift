import KernelSpec
import TensorProgram

extension ContractionText {
  /// The function that computes one block of one matrix of the result.
  var multiplyText: String {
    """
    static void \(prefix)multiply(void *argument, int64_t block, int32_t thread) {
      const granary_call *call = argument;
      const int64_t matrix = block / \(shape.rowBlocks * shape.columnBlocks);
    \(lines(2, decode("matrix", contraction.loopedBatch)))
      const int64_t row0 = block / \(shape.columnBlocks) % \(shape.rowBlocks) * \(shape.rowBlock);
      const int64_t row1 = \(minimum("row0 + \(shape.rowBlock)", "\(shape.rows)"));
      const int64_t column0 = block % \(shape.columnBlocks) * \(shape.columnBlock);
      const int64_t column1 = \(minimum("column0 + \(shape.columnBlock)", "\(shape.columns)"));
      T *scratch = (T *)(call->scratch + (int64_t)thread * \(threadBytes));
      T *sums = scratch + \(leftBlock + rightBlock);
      for (int64_t part = 0; part < \(shape.depthBlocks); part++) {
        const int64_t k0 = part * \(shape.depthBlock);
        const int64_t depth = \(minimum("\(shape.depth) - k0", "\(shape.depthBlock)"));
    \(packBlocksText)
    \(outerLoop)
    \(innerLoop)
    \(tileText)
          }
      }
    }
    """
  }

  private var packBlocksText: String {
    var texts: [String] = []
    if tuning.packA == .block {
      texts.append(packBlock(left, from: "row0", to: "row1", memory: "scratch"))
    }
    if tuning.packB == .block {
      texts.append(
        packBlock(right, from: "column0", to: "column1", memory: "scratch + \(leftBlock)"))
    }
    return texts.joined(separator: "\n")
  }

  private func packBlock(_ factor: PackedFactor, from: String, to: String, memory: String)
    -> String
  {
    """
        for (int64_t first = \(from); first < \(to); first += \(factor.width)) {
          const int64_t width = \(minimum("\(to) - first", "\(factor.width)"));
          T *packed = \(memory) + (first - \(from)) * depth;
          \(factor.call("first", "width", "k0", "depth", "packed"));
        }
    """
  }

  private var rowLoop: String {
    "for (int64_t row = row0; row < row1; row += \(shape.tileRows))"
  }

  private var columnLoop: String {
    "for (int64_t column = column0; column < column1; column += \(shape.tileColumns))"
  }

  private var outerLoop: String { "    " + (tuning.order == 0 ? columnLoop : rowLoop) }
  private var innerLoop: String { "      " + (tuning.order == 0 ? rowLoop : columnLoop) + " {" }

  private var tileText: String {
    let slots = shape.columnBlock / shape.tileColumns
    let size = shape.tileRows * shape.tileColumns
    let narrow = shape.edgeVectors * shape.lanes
    let packedWidth =
      narrow == 0
      ? "\(shape.tileColumns)" : "(columns > \(narrow) ? \(shape.tileColumns) : \(narrow))"
    return """
              const int64_t rows = \(minimum("row1 - row", "\(shape.tileRows)"));
              const int64_t columns = \(minimum("column1 - column", "\(shape.tileColumns)"));
              const int64_t padded = \(packedWidth);
              const T *a = \(leftAddress);
              const T *b = \(rightAddress);
              T *slot = sums + ((row - row0) / \(shape.tileRows) * \(slots)
                  + (column - column0) / \(shape.tileColumns)) * \(size);
              const T *from = part ? slot : 0;
              int64_t stride = padded;
              if (part + 1 < \(shape.depthBlocks)) {
                T *to = slot;
                \(tileCall)
                continue;
              }
      \(lastText(size))
      """
  }

  /// The last visit of a tile: straight into the result where the vectors fit, else through the
  /// epilogue.
  private func lastText(_ size: Int) -> String {
    let through = """
              T tile[\(size)] __attribute__((aligned(64)));
              T *to = tile;
              \(tileCall)
              \(epilogue.call(contraction.loopedBatch));
      """
    guard let direct = epilogue.direct(row: "row", column: "column") else { return through }
    return """
              if (columns == padded) {
                T *to = (T *)\(direct.address);
                stride = \(direct.rowStride);
                \(tileCall)
                continue;
              }
      \(through)
      """
  }

  private var leftAddress: String {
    switch tuning.packA {
    case .inPlace: left.address(side: "row", depth: "k0")
    case .whole:
      "(T *)call->shared + \(imageElements) + \(left.matrixIndex) * \(left.padded(shape.rows) * shape.depth)"
        + " + row * \(shape.depth) + k0 * rows"
    case .block, .image: "scratch + (row - row0) * depth"
    }
  }

  private var rightAddress: String {
    switch tuning.packB {
    case .inPlace: right.address(side: "column", depth: "k0")
    case .whole:
      "(T *)call->shared + \(imageElements + leftWhole)"
        + " + \(right.matrixIndex) * \(right.padded(shape.columns) * shape.depth)"
        + " + column * \(shape.depth) + k0 * padded"
    case .image:
      "(T *)call->shared + \(right.matrixIndex) * \(image?.matrixElements ?? 0) + column"
    case .block: "scratch + \(leftBlock) + (column - column0) * depth"
    }
  }
}

extension Contraction {
  /// The axes of the batch that a loop runs over.
  var loopedBatch: [Axis] { batch.filter { $0.extent != 1 } }
}
