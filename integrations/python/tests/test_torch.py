"""Kernels in PyTorch programs: compiled models, overridden operators, models compiled ahead."""

import copy
import importlib.util
import json
import socketserver
import subprocess
import sys
import tempfile
import threading
import unittest
import unittest.mock
from pathlib import Path

from daemon import running_daemon, use_tree

use_tree()

import granary

if importlib.util.find_spec("torch") is None:
    raise unittest.SkipTest("needs PyTorch")

import torch
import torch.nn.functional as F
from torch import nn

import granary.torch
from granary.torch.partition import Partition, piece_of

always = {"measured": False}


def compiled(target, **options):
    return torch.compile(
        target, backend=granary.torch.granary_backend, options={**always, **options}
    )


class Block(nn.Module):
    """An encoder layer, small."""

    def __init__(self, width=16, heads=2):
        super().__init__()
        self.norm, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.queries, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.heads = heads

    def forward(self, x):
        batch, length, width = x.shape
        shape = (batch, length, 3, self.heads, width // self.heads)
        q, k, v = self.queries(self.norm(x)).view(shape).permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(x.shape)
        x = x + self.out(mixed)
        return x + self.down(F.gelu(self.up(self.second(x))))


class Convolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, 8, 3, padding=1)
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        y = F.max_pool2d(F.relu(self.norm(self.first(x))), 2)
        y = F.relu(y + self.second(y))
        return self.head(y.mean((2, 3)))


class TorchCase(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(0)
        torch._dynamo.reset()
        self.daemon = self.enterContext(running_daemon())

    def calls(self):
        return granary.counters().calls


class CompiledModels(TorchCase):
    def test_models_compute_what_they_do_in_pytorch_and_mostly_in_kernels(self):
        for model, x in (
            (nn.Sequential(Block(), Block()), torch.randn(2, 5, 16)),
            (Convolutions(), torch.randn(2, 3, 8, 8)),
            (Convolutions(), torch.randn(2, 3, 8, 8).to(memory_format=torch.channels_last)),
        ):
            run = compiled(model.eval())
            before = self.calls()
            with torch.no_grad():
                y = run(x)
                torch.testing.assert_close(y, model(x))
                self.assertEqual(y.stride(), model(x).stride())
            self.assertGreater(self.calls(), before)
            report = granary.torch.report()
            self.assertGreater(report.operators_in_kernels, 0.8 * report.operators, report)

    def test_equal_layers_are_asked_for_once(self):
        model = nn.Sequential(*[Block() for _ in range(4)]).eval()
        with granary.torch.record() as recording, torch.no_grad():
            compiled(model)(torch.randn(1, 3, 16))
        self.assertLess(len(recording.specs), 15)

    def test_training_gives_the_gradients_and_the_running_statistics(self):
        for model, x in (
            (Block(), torch.randn(2, 5, 16)),
            (Convolutions(), torch.randn(2, 3, 8, 8)),
        ):
            other = copy.deepcopy(model)
            run, y = compiled(model), x.clone().requires_grad_()
            before = self.calls()
            for _ in range(2):
                run(y).square().sum().backward()
            self.assertGreater(self.calls(), before)
            z = x.clone().requires_grad_()
            for _ in range(2):
                other(z).square().sum().backward()
            torch.testing.assert_close(y.grad, z.grad, rtol=1e-4, atol=1e-5)
            for one, two in zip(model.parameters(), other.parameters(), strict=True):
                torch.testing.assert_close(one.grad, two.grad, rtol=1e-4, atol=1e-4)
            for one, two in zip(model.buffers(), other.buffers(), strict=True):
                torch.testing.assert_close(one, two)

    def test_what_is_unsupported_stays_with_pytorch_between_kernels(self):
        def function(x):
            return torch.linalg.det(x.exp() @ x).relu() + x.sum()

        x = torch.randn(3, 4, 4)
        torch.testing.assert_close(compiled(function)(x), function(x), rtol=1e-4, atol=1e-4)
        reasons = granary.torch.report().reasons
        self.assertTrue(any("_linalg_det" in reason for reason in reasons), reasons)

    def test_strides_over_all_of_a_tensor_are_computed(self):
        def function(x):
            return torch.as_strided(x.exp(), (3, 2), (1, 4), 1) * 2

        x, before = torch.randn(4, 4), self.calls()
        torch.testing.assert_close(compiled(function)(x), function(x))
        self.assertGreater(self.calls(), before)
        part = torch.randn(5, 4)[1:]
        torch.testing.assert_close(compiled(function)(part), function(part))

    def test_random_numbers_are_pytorchs(self):
        def function(x):
            return F.dropout(x * 2, 0.5) + 1

        x = torch.randn(64)
        run = compiled(function)
        torch.manual_seed(7)
        ours = run(x)
        torch.manual_seed(7)
        torch.testing.assert_close(ours, torch.compile(function, backend="aot_eager")(x))

    def test_sizes_that_vary_are_compiled_for_each(self):
        run = compiled(lambda x: torch.softmax(x * 2, -1).sum(0))
        for rows in (3, 4, 5, 3, 9):
            x, before = torch.randn(rows, 6), self.calls()
            torch.testing.assert_close(run(x), torch.softmax(x * 2, -1).sum(0))
            self.assertGreater(self.calls(), before)

    def test_views_of_inputs_and_strides_are_taken_as_they_are(self):
        run = compiled(lambda x, y: (x.t() @ y[1:]).relu() + 1)
        x, y = torch.randn(8, 12), torch.randn(9, 5)
        for a, b in ((x, y), (torch.randn(12, 8).t(), y), (x, torch.randn(9, 10)[:, ::2])):
            torch.testing.assert_close(run(a, b), (a.t() @ b[1:]).relu() + 1)

    def test_an_index_out_of_range_is_pytorchs_error(self):
        run = compiled(lambda w, i: F.embedding(i, w) * 2)
        w = torch.randn(5, 3)
        torch.testing.assert_close(run(w, torch.tensor([0, 4])), w[[0, 4]] * 2)
        with self.assertRaises(IndexError):
            run(w, torch.tensor([0, 5]))

    def test_measuring_keeps_the_results(self):
        model = Block().eval()
        run, x = compiled(model, measured=True), torch.randn(2, 5, 16)
        with torch.no_grad():
            for _ in range(2):
                torch.testing.assert_close(run(x), model(x))

    def test_a_graph_that_is_faster_uncompiled_runs_so_and_the_next_process_knows(self):
        model, x = Block().eval(), torch.randn(2, 5, 16)
        for is_faster in (True, False):
            measured = unittest.mock.Mock(return_value=is_faster)
            with running_daemon(), unittest.mock.patch("granary.torch.backend.is_faster", measured):
                for _ in range(2):
                    torch._dynamo.reset()
                    run = compiled(model, measured=True)
                    with torch.no_grad():
                        for _ in range(2):
                            torch.testing.assert_close(run(x), model(x))
                    before = self.calls()
                    with torch.no_grad():
                        run(x)
                    left = granary.torch.report().graphs_left
                    self.assertEqual((left > 0, self.calls() > before), (not is_faster, is_faster))
                self.assertEqual(measured.call_count, 1)

    def test_what_changes_its_inputs_is_not_run_for_a_measurement(self):
        def function(x):
            return x.add_(1).exp()

        run = compiled(function, measured=True)
        x, y = torch.zeros(8), torch.zeros(8)
        for _ in range(3):
            torch.testing.assert_close(run(x), function(y))
        torch.testing.assert_close(x, y)

    def test_better_kernels_come_only_when_asked_for(self):
        run, x = compiled(lambda x: torch.softmax(x, -1)), torch.randn(300, 70)
        run(x)
        (graph,) = [g for g in granary.torch.backend._graphs if "_softmax" in g.fused[0].spec]
        first = graph.fused[0].kernel.artifact
        with running_daemon(GRANARY_SEARCH_SECONDS="20", GRANARY_SEARCH_CANDIDATES="30"):
            spec = graph.fused[0].spec
            granary.get(spec, policy="tuned", deadline=60)
            run(x)
            self.assertEqual(graph.fused[0].kernel.artifact, first)
            changed = granary.torch.refresh(policy="tuned", deadline=60)
            self.assertEqual(changed > 0, graph.fused[0].kernel.artifact != first)
            torch.testing.assert_close(run(x), torch.softmax(x, -1))

    def test_pytorchs_threads_are_used_and_its_number_of_them_respected(self):
        run, x = compiled(lambda x: x.exp().sum(-1)), torch.randn(4096, 512)
        expected, before = x.exp().sum(-1), torch.get_num_threads()
        run(x)
        try:
            for count in (1, before):
                torch.set_num_threads(count)
                serial = granary.counters().serial_calls
                torch.testing.assert_close(run(x), expected)
                self.assertEqual(granary.counters().serial_calls - serial, int(count == 1))
        finally:
            torch.set_num_threads(before)

    def test_a_daemon_that_dies_changes_nothing_for_a_compiled_model(self):
        run, x = compiled(lambda x: x.exp() + 1), torch.randn(9)
        run(x)
        self.daemon.kill()
        self.daemon.wait()
        torch.testing.assert_close(run(x), x.exp() + 1)
        self.assertEqual(granary.torch.refresh(deadline=1), 0)
        other = compiled(lambda x: x.cos() + 1)
        torch.testing.assert_close(other(x), x.cos() + 1)


class WithoutADaemon(unittest.TestCase):
    def setUp(self):
        torch._dynamo.reset()

    def test_models_run_as_if_they_were_not_compiled_and_say_so_once(self):
        model, x = Block().eval(), torch.randn(2, 5, 16)
        granary.torch.calling._told.clear()
        with self.assertLogs("granary", "WARNING") as logs, torch.no_grad():
            for _ in range(2):
                torch._dynamo.reset()
                run = compiled(model, socket="/nonexistent/socket")
                torch.testing.assert_close(run(x), model(x), rtol=0, atol=0)
        self.assertEqual(len(logs.records), 1, logs.output)

    def test_whatever_answers_on_the_socket_the_model_runs(self):
        model, x = Block().eval(), torch.randn(2, 5, 16)
        folder = self.enterContext(tempfile.TemporaryDirectory())
        replies = [b"rubbish", b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n[1]", b""]
        with socketserver.ThreadingUnixStreamServer(folder + "/socket", None) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            for reply in replies:

                def answer(request, *_, reply=reply):
                    request.recv(65536)
                    request.sendall(reply)

                server.RequestHandlerClass = answer
                torch._dynamo.reset()
                with torch.no_grad():
                    run = compiled(model, socket=folder + "/socket")
                    torch.testing.assert_close(run(x), model(x), rtol=0, atol=0)
            server.shutdown()

    def test_overridden_operators_are_pytorchs(self):
        x = torch.randn(3, 5)
        names = ["aten::_softmax"]
        with granary.torch.override(names, socket="/nonexistent/socket") as override:
            result = torch.softmax(x, -1)
            counters = override.counters["aten._softmax.default"]
        torch.testing.assert_close(result, torch.softmax(x, -1), rtol=0, atol=0)
        self.assertEqual((counters.calls, counters.kernel_calls), (1, 0))


class CompiledAhead(TorchCase):
    def test_a_folder_runs_in_a_process_without_a_daemon(self):
        model, x = nn.Sequential(Block(), Block()).eval(), torch.randn(2, 5, 16)
        out = Path(self.enterContext(tempfile.TemporaryDirectory())) / "model"
        written = granary.torch.compile_ahead(model, (x,), out)
        self.assertGreater(written.groups_in_kernels, 0)
        locked = json.loads((out / "granary.lock").read_text())["kernels"]
        self.assertEqual(
            {kernel["artifact"] for kernel in locked},
            {f.name for f in (out / "artifacts").iterdir()},
        )
        torch.save((x, model(x)), out.parent / "expected.pt")
        with self.assertRaises(ValueError):
            granary.torch.compile_ahead(model, (x,), out)
        self.daemon.kill()
        self.daemon.wait()
        program = """
import sys, torch, granary.torch
x, expected = torch.load(sys.argv[2])
run = granary.torch.load(sys.argv[1], measured=False)
torch.testing.assert_close(run(x), expected)
assert granary.counters().calls == int(sys.argv[3]), granary.counters()
"""
        arguments = [str(out), str(out.parent / "expected.pt"), str(written.groups_in_kernels)]
        subprocess.run([sys.executable, "-c", program, *arguments], check=True)
        artifact = next((out / "artifacts").iterdir())
        artifact.write_bytes(artifact.read_bytes()[:-1] + b"x")
        with self.assertRaises(granary.BadAnswer):
            granary.torch.load(out)


class Overrides(TorchCase):
    def test_operators_run_as_kernels_until_removed_and_gradients_hold(self):
        x = torch.randn(6, 9, requires_grad=True)
        w = torch.randn(6, 9)
        (expected,) = torch.autograd.grad((torch.softmax(x, -1) * w).sum(), x)
        with granary.torch.override(["aten::_softmax", "aten::mul.Tensor"]) as override:
            (gradient,) = torch.autograd.grad((torch.softmax(x, -1) * w).sum(), x)
            torch.testing.assert_close(torch.softmax(x, -1), x.exp() / x.exp().sum(-1, True))
        softmax = override.counters["aten._softmax.default"]
        self.assertEqual((softmax.calls, softmax.kernel_calls), (2, 2))
        self.assertGreater(override.counters["aten.mul.Tensor"].kernel_calls, 0)
        torch.testing.assert_close(gradient, expected)
        torch.softmax(x, -1)
        self.assertEqual(softmax.calls, 2)

    def test_numbers_and_dtypes_without_kernels_give_what_pytorch_gives(self):
        cases = [
            lambda x: torch.add(x, 1.1),
            lambda x: torch.add(x.abs().to(torch.bfloat16), 1.1),
            lambda x: torch.add(x.to(torch.complex64), 1),
            lambda x: torch.add(x.long(), 2.5, alpha=2),
            lambda x: torch.add(x[0, 0], 3),
            lambda x: torch.add(x, x.t().contiguous().t()),
        ]
        x = torch.randn(4, 4)
        expected = [case(x) for case in cases]
        with granary.torch.override(["aten::add.Tensor"]) as override:
            given = [case(x) for case in cases for _ in range(2)]
        for index, result in enumerate(given):
            torch.testing.assert_close(result, expected[index // 2])
        counters = override.counters["aten.add.Tensor"]
        self.assertEqual(counters.calls, len(given))
        self.assertIn("complex64", counters.reason)

    def test_operators_that_pytorch_takes_apart_are_refused(self):
        for name in ("aten::softmax.int", "aten::nonsense", "other::add"):
            with self.assertRaises(ValueError):
                granary.torch.override([name])


class Partitions(unittest.TestCase):
    def graph(self, function, *shapes):
        return torch.fx.experimental.proxy_tensor.make_fx(function, tracing_mode="fake")(
            *[torch.randn(shape) for shape in shapes]
        ).graph

    def groups(self, graph, unsupported=()):
        def supported(node):
            return node.op == "call_function" and not any(
                n in str(node.target) for n in unsupported
            )

        partition = Partition(graph, supported)
        return partition, [[str(node.target) for node in group.nodes] for group in partition.groups]

    def test_a_group_has_one_contraction_and_what_follows(self):
        graph = self.graph(lambda x, y: ((x @ y).relu() @ y + 1).exp(), (4, 4), (4, 4))
        _, groups = self.groups(graph)
        self.assertEqual([len(group) for group in groups], [2, 3])

    def test_no_way_leads_out_of_a_group_and_back(self):
        graph = self.graph(lambda x: x.exp() + x.exp().sin().cos(), (4,))
        _, groups = self.groups(graph, unsupported=["sin"])
        for group in groups:
            self.assertFalse("aten.exp.default" in group and "aten.cos.default" in group, groups)

    def test_equal_groups_are_equal_texts_whatever_stands_around_them(self):
        def function(x, w):
            return ((x @ w.t()).relu() @ w.t()).relu() @ w.t()

        graph = self.graph(function, (4, 4), (4, 4))
        partition, _ = self.groups(graph)
        specs = {
            granary.torch.groups.spec_of(piece_of(group, partition))[0].json()
            for group in partition.groups[:2]
        }
        self.assertEqual(len(specs), 1)


if __name__ == "__main__":
    unittest.main()
