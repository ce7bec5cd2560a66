package import KernelSpec

extension TensorProgram {
  /// The arithmetic and memory traffic that no implementation of the program can avoid.
  ///
  /// Counts one operation for each arithmetic operator of a stage and element, two for each term of a sum of
  /// products, and every input and output once. Reads of a table by index count the elements read.
  package var work: Work {
    let operations = stages.reduce(0.0) { total, stage in
      if let recurrence = stage.recurrence {
        return total + Double(recurrence.steps) * recurrence.body.work.floatingPointOperations
      }
      return total + Double(stage.iterationCount) * Double(stage.operationsPerIteration)
    }
    let read = inputs.reduce(0.0) { $0 + Double(bytesRead(of: $1)) }
    let written = outputs.reduce(0.0) { $0 + Double(self[$1].type.storageBytes) }
    return Work(
      floatingPointOperations: operations, bytes: read + written, bytesWritten: written)
  }

  /// The bytes of an input that the program reads at least: all of it, or fewer when few elements are loaded.
  private func bytesRead(of input: BufferID) -> Int {
    let type = self[input].type
    let loaded = stages.reduce(0) { total, stage in
      total + stage.loads.filter { $0.buffer == input }.count * stage.iterationCount
    }
    return min(type.storageBytes, loaded * type.dtype.sizeBytes)
  }
}

extension Stage {
  fileprivate var operationsPerIteration: Int {
    var operators = reductionAxes.isEmpty ? 0 : 1
    value.forEach { node in
      switch node {
      case .unary, .binary: operators += 1
      default: break
      }
    }
    return operators
  }
}
