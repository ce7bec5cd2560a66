"""Kernels in models of ONNX Runtime: in place of a part, which stays for when there is none."""

import importlib.util
import os
import unittest

from daemon import running_daemon, use_tree

use_tree()

for needed in ("onnx", "onnxruntime", "onnxruntime_extensions"):
    if importlib.util.find_spec(needed) is None:
        raise unittest.SkipTest(f"needs {needed}")

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper

import granary
import granary.onnx

SPEC = "softmax(add(mm(x: f32[4,8], w: f32[8,6]), b: f32[6]), dim: -1)"


def model(rows="rows"):
    weights = numpy.random.default_rng(0).standard_normal((8, 6)).astype(numpy.float32)
    nodes = [
        helper.make_node("Abs", ["given"], ["x"]),
        helper.make_node("MatMul", ["x", "w"], ["product"]),
        helper.make_node("Add", ["product", "b"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["shares"], axis=-1),
        helper.make_node("ReduceMax", ["shares"], ["largest"], keepdims=0),
    ]
    floats = TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "classifier",
        [helper.make_tensor_value_info("given", floats, [rows, 8])],
        [
            helper.make_tensor_value_info("shares", floats, [rows, 6]),
            helper.make_tensor_value_info("largest", floats, []),
        ],
        [
            onnx.numpy_helper.from_array(weights, "w"),
            onnx.numpy_helper.from_array(numpy.ones(6, numpy.float32), "b"),
        ],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    made.ir_version = 10
    return made


def expected(x):
    plain = onnxruntime.InferenceSession(
        model().SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return plain.run(None, {"given": x})


class OnnxTests(unittest.TestCase):
    def setUp(self):
        self.x = numpy.random.default_rng(1).standard_normal((4, 8)).astype(numpy.float32)

    def agrees(self, session, x):
        for given, right in zip(session.run(None, {"given": x}), expected(x), strict=True):
            numpy.testing.assert_allclose(given, right, rtol=1e-5, atol=1e-6)

    def test_the_kernel_runs_in_place_of_the_part(self):
        with running_daemon():
            granary.get(SPEC, deadline=300)
            changed = granary.onnx.replace(model(), SPEC, ["x", "w", "b"], ["shares"])
            kinds = [node.op_type for node in changed.graph.node]
            self.assertEqual(sorted(kinds), ["Abs", "Granary_f32_f32_f32__f32", "ReduceMax"])
            session = granary.onnx.session(changed.SerializeToString())
            before = granary.counters().calls
            self.agrees(session, self.x)
            self.assertEqual(granary.counters().calls, before + 1)
            # Another number of rows than the spec has: the model's own part.
            with self.assertLogs("granary", "WARNING"):
                self.agrees(session, numpy.ones((7, 8), numpy.float32))
            self.assertEqual(granary.counters().calls, before + 1)

    def test_without_a_kernel_the_part_runs(self):
        os.environ["GRANARY_SOCKET"] = "/nonexistent/socket"
        self.addCleanup(os.environ.pop, "GRANARY_SOCKET")
        spec = SPEC.replace("add(mm", "add(mul(mm").replace("),", ", 1.0),", 1)
        changed = granary.onnx.replace(model(), spec, ["x", "w", "b"], ["shares"])
        with self.assertLogs("granary", "WARNING"):
            self.agrees(granary.onnx.session(changed), self.x)

    def test_what_does_not_fit_is_refused(self):
        with self.assertRaises(ValueError):
            granary.onnx.replace(model(), SPEC, ["x", "w", "b"], ["nothing"])


if __name__ == "__main__":
    unittest.main()
