"""Recurrent layers at export: their results' types come without going through their steps."""

import importlib.util
import itertools
import unittest
import unittest.mock
from contextlib import nullcontext

from daemon import use_tree

use_tree()

if importlib.util.find_spec("torch") is None:
    raise unittest.SkipTest("needs PyTorch")

import torch
import torch._decomp.decompositions as decompositions
from torch import nn

from granary import recurrent
from granary.exporting import export


def layers():
    for bidirectional, batch_first in itertools.product((False, True), (False, True)):
        shared = {"bidirectional": bidirectional, "batch_first": batch_first}
        yield nn.GRU(7, 9, 1, bias=False, **shared)
        yield nn.LSTM(7, 9, 2, **shared)
    yield nn.RNN(7, 9, nonlinearity="relu")
    yield nn.RNN(7, 9)
    yield nn.LSTM(7, 9, proj_size=5, bidirectional=True)


def types(exported):
    values = [node.meta.get("val") for node in exported.program.graph.nodes]
    return [(value.shape, value.stride()) for value in values if isinstance(value, torch.Tensor)]


class RecurrentTests(unittest.TestCase):
    def test_types_and_specs_are_those_of_the_steps(self):
        x = torch.randn(3, 2, 7)
        for layer in layers():
            quick = export(layer, (x,), check=False)
            with unittest.mock.patch.object(recurrent, "quick_types", nullcontext):
                slow = export(layer, (x,), check=False)
            with self.subTest(layer):
                self.assertEqual(types(quick), types(slow))
                self.assertEqual(
                    [spec.json() for spec in quick.specs], [spec.json() for spec in slow.specs]
                )

    def test_a_long_sequence_is_exported_without_its_steps(self):
        steps = unittest.mock.Mock(side_effect=AssertionError("a step was taken"))
        with unittest.mock.patch.object(decompositions, "one_layer_lstm", steps):
            exported = export(nn.LSTM(4, 4, 6), (torch.randn(4096, 2, 4),), check=False)
        self.assertEqual(exported.remaining, [])

    def test_outside_of_an_export_the_steps_are_traced_as_ever(self):
        layer, x = nn.LSTM(3, 5), torch.randn(2, 1, 3)
        export(layer, (x,), check=False)
        with torch.no_grad():
            program = torch.export.export(layer, (x,), strict=False).run_decompositions()
            for given, wanted in zip(program.module()(x)[1], layer(x)[1], strict=True):
                torch.testing.assert_close(given, wanted)
        names = {str(node.target) for node in program.graph.nodes}
        self.assertIn("aten.tanh.default", names)
        self.assertNotIn("aten.lstm.input", names)
