import Glibc
import Testing

extension EndToEnd {
  @Suite("granary run") struct ExecutionTests {
    @Test("softmax gives the values of a plain loop")
    func softmaxIsRight() throws {
      let home = try PrivateHome()
      let (rows, columns) = (33, 77)
      let values = (0..<rows * columns).map { Float(($0 * 37) % 101) / 10 - 5 }
      try FloatArray(shape: [rows, columns], values: values).write(to: home.file("x.npy"))
      let result = try home.granary(
        "run", "softmax(x: f32[33,77], dim: -1)", "--input", "x=\(home.file("x.npy"))",
        "--output-dir", home.file("out"))
      #expect(result.status == 0, "\(result)")
      let output = try FloatArray(reading: home.file("out/output0.npy"))
      #expect(output.shape == [rows, columns])
      for row in 0..<rows {
        let line = values[row * columns..<(row + 1) * columns].map { exp(Double($0)) }
        let sum = line.reduce(0, +)
        for (column, value) in line.enumerated() {
          #expect(abs(Double(output.values[row * columns + column]) - value / sum) < 1e-6)
        }
      }
    }

    @Test("a JSON spec with two outputs writes both, in the order of the spec")
    func twoOutputsAreWritten() throws {
      let home = try PrivateHome()
      let spec = """
        {"granary_spec": 1, "name": "pair",
         "inputs": [{"name": "a", "type": "f32[7,5]"}, {"name": "b", "type": "f32[7,5]"}],
         "nodes": [
           {"id": "s", "op": "aten.add.Tensor", "args": {"self": "%a", "other": "%b"}},
           {"id": "m", "op": "aten.mul.Tensor", "args": {"self": "%s", "other": "%b"}}],
         "outputs": ["%m", "%s"]}
        """
      let (a, b) = ((0..<35).map { Float($0) / 4 }, (0..<35).map { 3 - Float($0) / 8 })
      try FloatArray(shape: [7, 5], values: a).write(to: home.file("a.npy"))
      try FloatArray(shape: [7, 5], values: b).write(to: home.file("b.npy"))
      let result = try home.granary(
        "run", spec, "--input", "a=\(home.file("a.npy"))", "--input", "b=\(home.file("b.npy"))",
        "--output-dir", home.file("out"))
      #expect(result.status == 0, "\(result)")
      // Every value is a small dyadic number, so that float arithmetic is exact.
      let products = try FloatArray(reading: home.file("out/output0.npy"))
      let sums = try FloatArray(reading: home.file("out/output1.npy"))
      #expect(products.values == zip(a, b).map { ($0 + $1) * $1 })
      #expect(sums.values == zip(a, b).map { $0 + $1 })
    }

    @Test("one kernel serves the sizes that a spec leaves open, and refuses others")
    func openSizes() throws {
      let home = try PrivateHome()
      let spec = "n in 2...24; mul(x: f32[n,5], 3.0)"
      for rows in [2, 3, 17, 24, 25, 1] {
        let values = (0..<rows * 5).map { Float($0) / 4 }
        try FloatArray(shape: [rows, 5], values: values).write(to: home.file("x.npy"))
        let result = try home.granary(
          "run", spec, "--input", "x=\(home.file("x.npy"))", "--output-dir", home.file("out"))
        guard (2...24).contains(rows) else {
          #expect(result.status != 0 && result.complaint.contains("2...24"), "\(result)")
          continue
        }
        #expect(result.status == 0, "\(result)")
        let output = try FloatArray(reading: home.file("out/output0.npy"))
        #expect(output.shape == [rows, 5] && output.values == values.map { $0 * 3 })
      }
      #expect(try home.statistics()["entries"].number == 1)
    }

    @Test("the evidence of open sizes names them, and that of each bucket is kept")
    func buckets() throws {
      let home = try PrivateHome()
      let spec = "n in 2...40; softmax(x: f32[n,33], dim: -1)"
      let got = try home.granary("get", spec, "--json")
      #expect(got.status == 0, "\(got)")
      let key = try #require(try got.json()[0]["key"].text)
      let before = try home.granary("show", key, "--json").json()
      #expect(before["evidence"]["checks"][0]["distribution"].text?.hasPrefix("s0 = 2: ") == true)
      #expect(try home.granary("verify", key).status == 0)
      let tuned = try home.granary("tune", spec)
      #expect(tuned.status == 0, "\(tuned)")
      let shown = try home.granary("show", key)
      let text = String(decoding: shown.output, as: UTF8.self)
      #expect(text.contains("bucket 2...7: ") && text.contains("bucket 32...40: "), "\(shown)")
      #expect(try home.granary("explain", spec).status == 0)
      let refused = try home.granary("get", "n in 2...9; relu(x: f32[2*n])")
      #expect(refused.status != 0 && refused.complaint.contains("no input has n"), "\(refused)")
    }

    @Test("an input of another shape is refused with one line that names both")
    func wrongShapesAreRefused() throws {
      let home = try PrivateHome()
      try FloatArray(shape: [3, 4], values: .init(repeating: 1, count: 12))
        .write(to: home.file("x.npy"))
      let result = try home.granary(
        "run", "relu(x: f32[4,3])", "--input", "x=\(home.file("x.npy"))", "--output-dir",
        home.file("out"))
      #expect(result.status == 2, "\(result)")
      let line = result.complaint.split(separator: "\n").last ?? ""
      #expect(line.contains("f32[4,3]") && line.contains("f32[3,4]"))
      #expect(access(home.file("out/output0.npy"), F_OK) != 0)
    }

    @Test("a missing input is refused with one line that names it")
    func missingInputsAreRefused() throws {
      let home = try PrivateHome()
      let result = try home.granary(
        "run", "relu(x: f32[4,3])", "--output-dir", home.file("out"), "--json")
      #expect(result.status == 2, "\(result)")
      let failure = try result.failure()
      #expect(failure["code"].text == "bad-request")
      #expect(failure["message"].text?.contains("--input x=FILE.npy") == true)
    }
  }
}
