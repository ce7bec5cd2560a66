"""The package against a real daemon. What needs NumPy or PyTorch is skipped where they are not."""

import asyncio
import functools
import importlib.util
import os
import threading
import unittest
from pathlib import Path

from daemon import running_daemon, use_tree

use_tree()

import granary

# A loaded machine may need longer than programs wait by default.
patient = functools.partial(granary.get, deadline=300)
has_numpy = importlib.util.find_spec("numpy") is not None
has_torch = importlib.util.find_spec("torch") is not None


class DaemonCase(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(running_daemon())


class OpenSizeTests(DaemonCase):
    spec = "n in 1...40; add(x: f32[n,3], y: f32[n,3])"

    def test_a_kernel_with_open_sizes_says_what_it_takes(self):
        kernel = patient(self.spec)
        self.assertEqual(kernel.sizes, [granary.OpenSize(1, 40, 1, (0, 0))])
        self.assertEqual(kernel.inputs[0][1].shape, (40, 3))
        self.assertEqual(patient("neg(x: f32[4])").sizes, [])

    @unittest.skipUnless(has_numpy, "NumPy is not installed")
    def test_one_kernel_serves_the_range_and_refuses_what_lies_outside(self):
        import numpy

        kernel = patient(self.spec)
        for size in (1, 2, 17, 39, 40):
            x = numpy.random.rand(size, 3).astype(numpy.float32)
            numpy.testing.assert_array_equal(kernel(x, x), x + x)
        for size in (0, 41, 100):
            x = numpy.zeros((size, 3), numpy.float32)
            with self.assertRaises(granary.SizeRefused):
                kernel(x, x)
        with self.assertRaises(ValueError):
            kernel(numpy.zeros((4, 3), numpy.float32), numpy.zeros((5, 3), numpy.float32))
        with self.assertRaises(ValueError):
            kernel(numpy.zeros((4, 2), numpy.float32), numpy.zeros((4, 2), numpy.float32))
        with self.assertRaises(ValueError):
            kernel(*[numpy.zeros((), numpy.float32)] * 2)

    def test_a_spec_that_is_no_family_is_refused_with_the_reason(self):
        with self.assertRaisesRegex(granary.BadSpec, "no input has n"):
            patient("n in 1...4; neg(x: f32[2*n])")


class ClientTests(DaemonCase):
    def test_a_spec_resolves_to_an_answer_and_a_bad_one_to_its_error(self):
        client = granary.Client()
        good, bad = client.resolve(["neg(x: f32[4])", "nonsense(x: f32[4])"])
        self.assertEqual(good["status"], "baseline")
        self.assertEqual(bad["error"]["code"], "bad-spec")
        self.assertEqual(client.greeting()["process_identifier"], self.daemon.pid)
        self.assertGreaterEqual(client.statistics()["requests"], 1)
        self.assertTrue(client.explain("neg(x: f32[4])")["present"])

    def test_kernels_say_what_they_take(self):
        kernel = patient("mm(x: f32[4,8]{1,4}, w: f32[8,2])")
        self.assertEqual([name for name, _ in kernel.inputs], ["x", "w"])
        self.assertEqual(kernel.inputs[0][1], granary.TensorType("f32", (4, 8), (1, 4)))
        self.assertEqual(list(map(str, kernel.outputs)), ["f32[4,2]"])
        self.assertEqual(kernel.verdict, "baseline")
        self.assertEqual(
            asyncio.run(granary.get_async("neg(x: f32[4])", deadline=300)).outputs[0].shape, (4,)
        )

    def test_many_specs_take_two_round_trips_and_fail_each_for_itself(self):
        before = granary.counters().requests
        one, two, three = granary.get_all(
            ["abs(x: f32[4])", "foo(x: f32[4])", "exp(x: f32[4])"], deadline=300
        )
        self.assertEqual(granary.counters().requests, before + 2)
        self.assertIsInstance(one, granary.Kernel)
        self.assertIsInstance(three, granary.Kernel)
        self.assertIsInstance(two, granary.BadSpec)
        self.assertIn("foo", str(two))

    def test_a_miss_is_an_error_of_its_own(self):
        with self.assertRaises(granary.NoKernel):
            granary.get("sinh(x: f32[4])", policy="cached")

    def test_a_dead_daemon_is_an_error_and_the_kernel_lives_on(self):
        kernel = patient("neg(x: f32[5])")
        self.daemon.kill()
        self.daemon.wait()
        with self.assertRaises(granary.NoDaemon):
            granary.Client().greeting()
        with self.assertRaises(granary.GranaryError):
            granary.get("neg(x: f32[6])")
        with self.assertRaisesRegex(granary.GranaryError, "a moment ago|no daemon"):
            granary.get("neg(x: f32[7])")
        again = patient("neg(x: f32[5])")
        self.assertEqual(again.artifact, kernel.artifact)


class FallbackTests(unittest.TestCase):
    def test_without_a_daemon_the_fallback_runs(self):
        double = granary.kernel("add(x: f32[1], x)", lambda x: [2 * x[0]], socket="/nonexistent/x")
        with self.assertLogs("granary", "WARNING") as logs:
            self.assertEqual([double([3])[0] for _ in range(3)], [6, 6, 6])
        self.assertEqual(len(logs.records), 1)
        self.assertEqual(double.fallback_calls, 3)

    def test_without_a_fallback_the_reason_is_raised(self):
        with self.assertRaises(granary.GranaryError):
            granary.kernel("neg(x: f32[1])", socket="/nonexistent/y")([1])


@unittest.skipUnless(has_numpy, "needs NumPy")
class ArrayTests(DaemonCase):
    def test_arrays_go_in_and_out_in_every_dtype(self):
        import numpy

        for name in ["float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8"]:
            dtype = granary.tensors._numpy_names[name]
            x = numpy.arange(24, dtype=name).reshape(4, 6)
            result = patient(f"add(x: {dtype}[4,6], x)")(x)
            self.assertEqual(result.dtype, x.dtype)
            numpy.testing.assert_array_equal(result, x + x)

    def test_strides_are_taken_as_they_are_and_others_refused(self):
        import numpy

        x = numpy.arange(24, dtype="f4").reshape(4, 6)
        kernel = patient("neg(x: f32[6,4]{1,6})")
        numpy.testing.assert_array_equal(kernel(x.T), -x.T)
        with self.assertRaisesRegex(ValueError, "strides"):
            kernel(numpy.ascontiguousarray(x.T))
        with self.assertRaisesRegex(ValueError, r"f32\[6,4\]"):
            kernel(x)
        with self.assertRaises(TypeError):
            kernel("text")

    def test_results_are_written_where_out_says(self):
        import numpy

        kernel = patient("(neg(x: f32[8]), exp(x))")
        x = numpy.arange(8, dtype="f4")
        out = [granary.empty(type) for type in kernel.outputs]
        results = kernel(x, out=out)
        self.assertTrue(all(a is b for a, b in zip(results, out, strict=True)))
        numpy.testing.assert_array_equal(out[0], -x)

    def test_a_buffer_that_is_not_aligned_is_copied(self):
        import numpy

        kernel = patient("mm(x: f32[64,64]{1,64}, y: f32[64,64])")
        memory = numpy.ones(2 * 64 * 64 * 4 + 1, dtype="u1")
        x = memory[1 : 1 + 64 * 64 * 4].view("f4").reshape(64, 64)
        x[:] = numpy.eye(64)
        y = numpy.random.default_rng(0).random((64, 64), dtype="f4")
        numpy.testing.assert_allclose(kernel(x.T, y), y, rtol=1e-6)

    def test_an_index_out_of_range_is_an_index_error_and_needs_no_fallback(self):
        import numpy

        pick = granary.kernel("embedding(w: f32[3,4], i: i64[2])", self.fail, deadline=300)
        with self.assertRaises(IndexError):
            pick(numpy.zeros((3, 4), "f4"), numpy.array([0, 3]))

    def test_a_computed_index_out_of_range_reads_inside_of_its_table(self):
        import numpy

        kernel = patient("index_select(x: f32[65536], dim: 0, index: abs(i: i64[2]))")
        x = numpy.arange(65536, dtype="f4")
        result = kernel(x, numpy.array([-7, 10**9]))
        numpy.testing.assert_array_equal(result, [7, 65535])

    def test_threads_and_children_call_kernels(self):
        import numpy

        kernel = patient("add(x: f32[100000], x)")
        x = numpy.arange(100000, dtype="f4")
        failures = []

        def work():
            for _ in range(20):
                if not numpy.array_equal(kernel(x), 2 * x):
                    failures.append(1)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        child = os.fork()
        if child == 0:
            os._exit(0 if numpy.array_equal(kernel(x), 2 * x) else 1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])


@unittest.skipUnless(has_torch, "needs PyTorch")
class TorchTests(DaemonCase):
    def test_tensors_go_in_and_out_without_copies(self):
        import torch

        for dtype in (torch.bfloat16, torch.float16, torch.float32, torch.int64, torch.bool):
            x = torch.arange(12).reshape(3, 4).to(dtype)
            name = granary.tensors.torch_dtype_name(dtype)
            result = patient(f"eq(x: {name}[3,4], x)")(x)
            self.assertTrue(torch.equal(result, torch.ones(3, 4, dtype=torch.bool)))
        empty = patient("sum(x: f32[0,3], dim: [0])")(torch.empty(0, 3))
        self.assertTrue(torch.equal(empty, torch.zeros(3)))
        x = torch.randn(16)
        kernel, out = patient("neg(x: f32[16])"), torch.empty(16)
        self.assertIs(kernel(x, out=out), out)
        self.assertTrue(torch.equal(out, -x))

    def test_a_gradient_is_not_lost_silently(self):
        import torch

        kernel, x = patient("neg(x: f32[16])"), torch.randn(16, requires_grad=True)
        with self.assertRaisesRegex(TypeError, "gradient"):
            kernel(x)
        with torch.no_grad():
            self.assertTrue(torch.equal(kernel(x), -x))

    def test_an_exported_module_computes_what_pytorch_does(self):
        import torch

        torch.manual_seed(0)
        module = torch.nn.Sequential(
            torch.nn.Conv2d(3, 8, 3),
            torch.nn.BatchNorm2d(8),
            torch.nn.Mish(),
            torch.nn.Flatten(),
            torch.nn.LayerNorm(8 * 36),
        )
        x = torch.randn(2, 3, 8, 8)
        for training in (False, True):
            module.train(training)
            exported = granary.export(module, (x,))
            self.assertEqual(exported.unsupported, [], exported.report())
            self.assertTrue(exported.checked)
            run = exported.function(deadline=300)
            before = granary.counters().calls
            with torch.no_grad():
                torch.testing.assert_close(run(x), module(x))
            self.assertEqual(granary.counters().calls, before + 1)

    def test_training_gives_the_running_statistics_behind_the_results(self):
        import torch

        module = torch.nn.BatchNorm1d(5, momentum=0.3)
        x = torch.randn(7, 5)
        exported = granary.export(module, (x,))
        kernel = patient(exported.specs[0])
        _, mean, variance, count = kernel(x, *exported.parameters)
        with torch.no_grad():
            module(x)
        torch.testing.assert_close(mean, module.running_mean)
        torch.testing.assert_close(variance, module.running_var)
        self.assertEqual(count, 1)

    def test_a_state_that_is_a_plain_attribute_may_change(self):
        import torch

        class Recurrent(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.cell = torch.nn.Linear(7, 4)
                self.hidden = torch.zeros(2, 4)

            def forward(self, x, hidden):
                self.hidden.copy_(hidden)
                self.hidden = torch.tanh(self.cell(torch.cat((x, self.hidden), 1)))
                return self.hidden * 2

        module = Recurrent()
        x, hidden = torch.randn(2, 3), torch.randn(2, 4)
        exported = granary.export(module, (x, hidden))
        self.assertEqual(list(module._buffers), [])
        self.assertEqual(module.hidden.tolist(), torch.zeros(2, 4).tolist())
        with torch.no_grad():
            results = exported.function(deadline=60)(x, hidden)
            torch.testing.assert_close(results, module(x, hidden))

    def test_unknown_operators_are_named_once_and_the_rest_has_kernels(self):
        import torch

        def function(x):
            parts = torch.linalg.det(x.exp()).sum() + torch.linalg.det(x + 1).sum()
            return parts.sigmoid(), x

        x = torch.randn(2, 3, 3)
        exported = granary.export(function, (x,))
        self.assertFalse(exported.is_whole)
        self.assertEqual(exported.report().count("aten._linalg_det.default"), 1)
        self.assertNotIn("aten.exp", exported.report())
        operators = [str(node.target) for node in exported.remaining]
        self.assertEqual(
            set(operators), {"aten._linalg_det.default", "<built-in function getitem>"}
        )
        self.assertEqual(len(exported.graph.fused), 2)
        before = granary.counters().calls
        torch.testing.assert_close(exported.function(deadline=300)(x), function(x))
        self.assertEqual(granary.counters().calls, before + 2)

    def test_values_without_a_dtype_in_specs_stay_with_pytorch(self):
        import torch

        def function(x):
            return torch.fft.fft(x.relu()).abs().exp()

        x = torch.randn(8)
        exported = granary.export(function, (x,))
        self.assertEqual(len(exported.graph.fused), 2, exported.report())
        torch.testing.assert_close(exported.function(deadline=300)(x), function(x))

    def test_fusion_groups_that_are_equal_share_a_spec_and_a_key(self):
        import torch

        torch.manual_seed(0)
        layers = [torch.nn.Linear(16, 16), torch.nn.GELU(), torch.nn.LayerNorm(16)]
        module = torch.nn.Sequential(*layers, *layers, *layers)
        x = torch.randn(4, 16)
        exported = granary.export(module, (x,), groups="fusion")
        self.assertEqual(exported.unsupported, [], exported.report())
        self.assertEqual((len(exported.graph.fused), len(exported.specs)), (3, 1))
        run = exported.function(deadline=300)
        before = granary.counters().calls
        with torch.no_grad():
            torch.testing.assert_close(run(x), module(x))
        self.assertEqual(granary.counters().calls, before + 3)
        self.assertEqual(len(granary.export(module, (x,)).specs[0].nodes), 12)
        with self.assertRaisesRegex(ValueError, "fusion"):
            granary.export(module, (x,), groups="each")

    def test_a_graph_without_a_daemon_runs_in_pytorch(self):
        import torch

        module = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
        x = torch.randn(3, 4)
        exported = granary.export(module, (x,), groups="fusion", socket="/nonexistent/z")
        self.assertFalse(exported.checked)
        self.assertIn("not checked", exported.report())
        with torch.no_grad():
            torch.testing.assert_close(exported.function(socket="/nonexistent/z")(x), module(x))

    def test_kept_operators_are_one_node(self):
        import torch
        from torch.nn import functional as F

        lstm = torch.nn.LSTM(4, 5, batch_first=True)
        x = torch.randn(2, 3, 4)
        self.assertEqual(_operators(granary.export(lstm, (x,))).count("aten.lstm.input"), 1)
        cases = {
            "aten.gru.input": torch.nn.GRU(4, 5),
            "aten.mish.default": F.mish,
            "aten.hardswish.default": F.hardswish,
            "aten.softplus.default": F.softplus,
            "aten.logsumexp.default": lambda x: torch.logsumexp(x, 1),
            "aten.instance_norm.default": torch.nn.InstanceNorm1d(3),
            "aten.scaled_dot_product_attention.default": F.scaled_dot_product_attention,
            "aten.huber_loss.default": F.huber_loss,
            "aten.kl_div.default": F.kl_div,
        }
        counts = {"aten.huber_loss.default": 2, "aten.kl_div.default": 2}
        counts["aten.scaled_dot_product_attention.default"] = 3
        for operator, function in cases.items():
            exported = granary.export(function, [x] * counts.get(operator, 1))
            self.assertTrue(exported.is_whole, exported.report())
            self.assertIn(operator, _operators(exported))

    def test_forward_with_backward_trains_as_pytorch_does(self):
        import torch

        from granary.training import export_with_backward

        torch.manual_seed(0)
        module = torch.nn.Sequential(
            torch.nn.Linear(6, 8), torch.nn.BatchNorm1d(8), torch.nn.GELU(), torch.nn.Linear(8, 3)
        )
        x = torch.randn(5, 6)
        for groups in ("whole", "fusion"):
            statistics = module[1].running_mean.clone()
            trained = export_with_backward(module, (x,), groups=groups, deadline=300)
            self.assertTrue(torch.equal(module[1].running_mean, statistics))
            self.assertNotIn("unsupported", trained.report())
            before = granary.counters().calls
            results = trained.function(x)
            seed = torch.randn_like(results)
            gradients = torch.autograd.grad(results, list(module.parameters()), seed)
            self.assertGreaterEqual(granary.counters().calls, before + 2)
            wanted = module(x)
            torch.testing.assert_close(results, wanted, rtol=1e-4, atol=1e-5)
            for own, other in zip(
                gradients, torch.autograd.grad(wanted, list(module.parameters()), seed), strict=True
            ):
                torch.testing.assert_close(own, other, rtol=1e-4, atol=1e-5)
        with self.assertRaisesRegex(ValueError, "gradient"):
            export_with_backward(torch.relu, (x,))


def _operators(exported):
    return [node["op"] for spec in exported.specs for node in spec.nodes]


class SpecTests(unittest.TestCase):
    def test_types_read_as_they_are_written(self):
        for text in ["f32[]", "i64[2,3]", "f32[2,3]{1,2}", "bf16[0,4]"]:
            self.assertEqual(str(granary.TensorType.parse(text)), text)
        with self.assertRaises(ValueError):
            granary.TensorType.parse("f32")

    def test_numbers_that_json_lacks_are_written_as_strings(self):
        type = granary.TensorType.contiguous("f32", (2,))
        node = {"id": "y", "op": "aten.eq.Scalar", "args": {"self": "%x", "other": float("-inf")}}
        self.assertIn('"other":"-inf"', granary.Spec([("x", type)], [node], ["%y"]).json())


if __name__ == "__main__":
    assert Path(granary._library.__file__).exists()
    unittest.main()
