// Softmax and the largest element of rows: Granary's kernels when there are some in time, plain loops otherwise.
import Glibc

let rows = 64
let columns = 1000

func plainSoftmax(_ x: [Float]) -> [Float] {
  stride(from: 0, to: x.count, by: columns).flatMap { start -> [Float] in
    let row = x[start..<start + columns]
    let largest = row.max() ?? 0
    let powers = row.map { expf($0 - largest) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
  }
}

func plainLargest(_ x: [Float]) -> (out0: [Float], out1: [Int64]) {
  var largest: [Float] = []
  var positions: [Int64] = []
  for start in stride(from: 0, to: x.count, by: columns) {
    let position = (start..<start + columns).reduce(start) { x[$1] > x[$0] ? $1 : $0 }
    largest.append(x[position])
    positions.append(Int64(position - start))
  }
  return (largest, positions)
}

let x = (0..<rows * columns).map { Float($0 % 37) / 4 }
let y = try softmax(x: x, fallback: plainSoftmax)
print("the first row sums to", (y[..<columns].reduce(0, +) * 1000).rounded() / 1000)

let (values, positions) = try largest(x: x, fallback: plainLargest)
print("its largest element is", values[0], "at", positions[0])
