"""Kernels in the place of ATen operators, for programs that are not compiled."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._pytree import (
    tree_flatten,
    tree_leaves,
    tree_map,
    tree_map_only,
    tree_unflatten,
)

from granary.errors import GranaryError
from granary.graphs import Untranslatable
from granary.kernels import get
from granary.torch.calling import call_path, tell
from granary.torch.choosing import is_kernel_faster
from granary.torch.groups import Fused, spec_of
from granary.torch.partition import Group, Piece
from granary.torch.recording import note
from granary.torch.support import refusal


@dataclass
class OperatorCounters:
    """How often an overridden operator ran as a kernel, and how often as PyTorch has it."""

    calls: int = 0
    original_calls: int = 0
    reason: str | None = None
    """Why the last call that ran as PyTorch has it did so."""

    @property
    def kernel_calls(self) -> int:
        """How many calls ran as kernels."""
        return self.calls - self.original_calls


class Override:
    """Replaces operators on the CPU until `remove`; a context manager.

    `counters` proves which calls ran as kernels, by the operator's name.
    """

    def __init__(self, operators: Sequence[str], measured: bool, options: dict[str, Any]) -> None:
        overloads = [overload_of(written) for written in operators]
        self.counters = {str(overload): OperatorCounters() for overload in overloads}
        library: Any = torch.library.Library
        self._library: Any = library("aten", "IMPL")
        with warnings.catch_warnings():
            # PyTorch warns of what is the purpose here.
            warnings.simplefilter("ignore")
            for overload in overloads:
                counters = self.counters[str(overload)]
                guarded = _Guarded(overload, counters, measured, options)
                self._library.impl(overload, guarded, "CPU", with_keyset=True)

    def remove(self) -> None:
        """Gives the operators back to PyTorch."""
        if self._library is not None:
            self._library._destroy()
            self._library = None

    def __enter__(self) -> Override:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def override(operators: Sequence[str], *, measured: bool = False, **options: Any) -> Override:
    """Runs operators as kernels, in every PyTorch program of this process, until `remove`.

    Each call is guarded: without a kernel for its tensors, PyTorch's own operator runs. Gradients
    are PyTorch's, whose formulas call the operators of the backward pass as any other.

    Args:
        operators: names such as `aten::_softmax` or `aten::add.Tensor`.
        measured: whether PyTorch keeps the operator where it is faster, as measured by the first
            call with tensors of each kind.
        options: `policy`, `deadline` and `socket` of `granary.get`.

    Raises:
        ValueError: for a name that is no operator which PyTorch runs by itself on the CPU.
    """
    return Override(operators, measured, options)


def overload_of(written: str) -> Any:
    """The operator of a name such as `aten::add.Tensor`.

    Raises:
        ValueError: when PyTorch has no such operator, or makes it of others.
    """
    namespace, _, name = written.rpartition("::")
    base, _, overload = name.partition(".")
    packet = getattr(torch.ops.aten, base, None) if namespace in ("", "aten") else None
    if packet is None or (overload or "default") not in packet.overloads():
        raise ValueError(
            f"PyTorch has no operator {written}; overloads are written aten::add.Tensor"
        )
    found = getattr(packet, overload or "default")
    if torch._C._dispatch_has_kernel_for_dispatch_key(found.name(), "CompositeImplicitAutograd"):
        raise ValueError(f"PyTorch makes {written} of other operators; override those")
    return found


class _Guarded:
    """An operator that runs as a kernel for tensors that it has one for."""

    def __init__(
        self, overload: Any, counters: OperatorCounters, measured: bool, options: dict[str, Any]
    ) -> None:
        self.__name__ = f"granary_{overload.__name__}"
        self._overload = overload
        self._original = torch.library.get_kernel(overload, "CPU")
        self._counters = counters
        self._measured = measured
        self._options = options
        self._paths: dict[Any, Callable[..., Any]] = {}

    def __call__(self, keyset: Any, *args: Any, **kwargs: Any) -> Any:
        leaves, form = tree_flatten((args, kwargs))
        key = (form, *(_layout(leaf) for leaf in leaves))
        path = self._paths.get(key)
        if path is None:
            original = _Original(
                self._overload, self._original, keyset, leaves, form, self._counters
            )
            path = self._paths[key] = self._resolve(args, kwargs, original)
        self._counters.calls += 1
        return path(*[leaf for leaf in leaves if isinstance(leaf, torch.Tensor)])

    def _resolve(self, args: Any, kwargs: Any, original: _Original) -> Callable[..., Any]:
        """The way into the kernel; the original when there is none."""
        try:
            fused = fused_of(self._overload, args, kwargs)
            note([fused.spec])
            kernel = get(fused.spec, **self._options)
        except (GranaryError, Untranslatable) as error:
            original.reason = str(error)
            tell(f"{self._overload} stays with PyTorch: {error}")
            return original
        path = call_path(kernel, fused.results, original)
        if self._measured:
            tensors = [
                leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)
            ]
            if not is_kernel_faster(kernel.artifact, path, original.run, tensors):
                original.reason = "measured: PyTorch's own operator is faster here"
                return original
        return path


class _Original:
    """PyTorch's own operator on other tensors of the same kinds."""

    def __init__(
        self,
        overload: Any,
        kernel: Any,
        keyset: Any,
        leaves: list[Any],
        form: Any,
        counters: OperatorCounters,
    ) -> None:
        self._overload = overload
        self.reason = "the kernel did not run; the log says why"
        self._kernel = kernel
        self._keyset = keyset
        self._values = [None if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves]
        self._places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, torch.Tensor)]
        self._form = form
        self._counters = counters

    def run(self, *tensors: Any) -> Any:
        """What PyTorch does."""
        values = list(self._values)
        for place, tensor in zip(self._places, tensors, strict=True):
            values[place] = tensor
        args, kwargs = tree_unflatten(values, self._form)
        parameters = self._overload._schema.arguments
        args = [
            _as_operand(value, parameter, tensors)
            for value, parameter in zip(args, parameters, strict=False)
        ]
        return self._kernel.call_boxed(self._keyset, *args, **kwargs)

    def __call__(self, *tensors: Any) -> Any:
        """The same, counted."""
        self._counters.original_calls += 1
        self._counters.reason = self.reason
        return self.run(*tensors)


def _as_operand(value: Any, parameter: Any, tensors: Sequence[Any]) -> Any:
    """A number where an operator takes a tensor, as PyTorch promotes it.

    PyTorch hands numbers to Python as numbers, and takes back tensors only.
    """
    if not isinstance(value, bool | int | float) or parameter.type.kind() != "TensorType":
        return value
    wide = {bool: torch.bool, int: torch.int64, float: torch.float64}[type(value)]
    expected = torch.result_type(tensors[0], value)
    scalar = torch.tensor(value, dtype=wide)
    # The widest type keeps all digits; where it would change the result's, that one it is.
    if torch.result_type(tensors[0], scalar) == expected:
        return scalar
    return scalar.to(expected)


def fused_of(overload: Any, args: Any, kwargs: Any) -> Fused:
    """One operator on tensors as a group.

    Raises:
        Untranslatable: when specs have no form for it.
    """
    graph = fx.Graph()
    count = 0

    def placeholder(value: Any) -> Any:
        nonlocal count
        if not isinstance(value, torch.Tensor):
            return value
        node = graph.placeholder(f"x{count}")
        node.meta["val"] = value
        count += 1
        return node

    written = tree_map(placeholder, (args, kwargs))
    with FakeTensorMode() as mode:
        fakes = tree_map_only(torch.Tensor, mode.from_tensor, (args, kwargs))
        given = overload(*fakes[0], **fakes[1])
    node = graph.create_node("call_function", overload, written[0], written[1], "y")
    node.meta["val"] = given
    results = [node]
    if not isinstance(given, torch.Tensor):
        results = [graph.call_function(operator.getitem, (node, i)) for i in range(len(given))]
        for result, value in zip(results, given, strict=True):
            result.meta["val"] = value
    graph.output(tuple(results))
    if reason := refusal(node):
        raise Untranslatable(reason)
    piece = Piece(Group([node]), graph, [], results)
    spec, layouts = spec_of(piece)
    return Fused(piece, spec, spec.json(), layouts)


def _layout(leaf: Any) -> Any:
    if isinstance(leaf, torch.Tensor):
        return leaf.dtype, leaf.shape, leaf.stride(), leaf.requires_grad
    return type(leaf), leaf
