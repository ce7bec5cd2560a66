"""Graphs of complex numbers as graphs of pairs: the real and the imaginary part, side by side."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import fx
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

from granary.graphs import Untranslatable

aten = torch.ops.aten
_kept = {aten.alias.default, aten.clone.default, aten.detach.default, aten.transpose.int}


@dataclass
class _Pair:
    """A complex value by its parts."""

    parts: torch.Tensor


class _OnPairs(fx.Interpreter):
    def call_function(self, target, args, kwargs):
        first, rest = (args[0], args[1:]) if args else (None, ())
        if target in (aten._fft_r2c.default, aten._fft_c2c.default, aten._fft_c2r.default):
            return _transformed(target, first, rest, kwargs)
        if target is aten.view_as_complex.default:
            return _Pair(first)
        if target is aten._to_copy.default and kwargs.get("dtype") in (
            torch.complex64,
            torch.complex128,
        ):
            return first if isinstance(first, _Pair) else _complex(first, kwargs["dtype"])
        if not any(isinstance(leaf, _Pair) for leaf in pytree.tree_leaves((args, kwargs))):
            return super().call_function(target, args, kwargs)
        if not isinstance(first, _Pair):
            raise Untranslatable(f"{target} of complex numbers")
        if target is aten.view_as_real.default:
            return first.parts
        if target in (aten._conj.default, aten._conj_physical.default):
            real, imaginary = first.parts.select(-1, 0), first.parts.select(-1, 1)
            return _Pair(torch.stack([real, -imaginary], -1))
        if target is aten.constant_pad_nd.default:
            return _Pair(target(first.parts, [0, 0, *rest[0]], *rest[1:]))
        if target in _kept and all(isinstance(dim, int) and dim >= 0 for dim in rest):
            return _Pair(target(first.parts, *rest, **kwargs))
        if target is aten.slice.Tensor and rest[0] >= 0:
            return _Pair(target(first.parts, *rest, **kwargs))
        raise Untranslatable(f"{target} of complex numbers")

    def output(self, target, args, kwargs):
        results = super().output(target, args, kwargs)
        return pytree.tree_map(lambda r: r.parts if isinstance(r, _Pair) else r, results)


def _transformed(target, first, rest, kwargs):
    if isinstance(first, _Pair):
        first = torch.view_as_complex(first.parts.contiguous())
    result = target(first, *rest, **kwargs)
    return _Pair(torch.view_as_real(result)) if result.is_complex() else result


def _complex(real: torch.Tensor, dtype: torch.dtype) -> _Pair:
    real = real.to(torch.empty(0, dtype=dtype).real.dtype)
    return _Pair(torch.stack([real, torch.zeros_like(real)], -1))


def has_complex(graph: fx.Graph) -> bool:
    """Whether a node of the graph gives complex numbers."""
    return any(_is_complex(node.meta.get("val")) for node in graph.nodes)


def on_pairs(traced: fx.GraphModule, inputs: list[torch.Tensor]) -> fx.GraphModule:
    """The graph whose complex results are pairs; complex numbers are only transformed in between.

    Raises:
        Untranslatable: for another operator on complex numbers.
    """
    return make_fx(lambda *tensors: _OnPairs(traced).run(*tensors))(*inputs)


def as_pairs(tensor: torch.Tensor) -> torch.Tensor:
    """A complex tensor's parts in a last dimension; another tensor itself."""
    return torch.view_as_real(tensor.resolve_conj()).contiguous() if tensor.is_complex() else tensor


def _is_complex(value) -> bool:
    return any(
        isinstance(leaf, torch.Tensor) and leaf.is_complex() for leaf in pytree.tree_leaves(value)
    )
