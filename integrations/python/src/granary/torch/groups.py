"""A graph of ATen operators whose groups are kernels."""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import fx

from granary.errors import GranaryError
from granary.graphs import Translation, Untranslatable
from granary.kernels import Kernel, get_all
from granary.spec import Spec, contiguous_strides
from granary.torch.calling import Result, call_path
from granary.torch.choosing import is_kernel_faster
from granary.torch.partition import Partition, Piece, piece_of, whole_piece
from granary.torch.recording import note
from granary.torch.support import Support


@dataclass(eq=False)
class Fused:
    """A group with its spec, and its kernel when there is one."""

    piece: Piece
    written: Spec
    spec: str
    """Its JSON form."""
    results: list[Result]
    kernel: Kernel | None = None
    reason: str | None = None
    """Why PyTorch runs the group, when it does."""
    name: str = ""
    """What the group's function is called in the code of the whole graph."""
    original_calls: int = 0
    """How often PyTorch's operators ran."""
    _original: Callable[..., Any] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        def group(*tensors: Any) -> Any:
            return self.original(*tensors)

        self.marker: Callable[..., Any] = group

    def original(self, *tensors: Any) -> Any:
        """The group by PyTorch's operators; what a kernel would give."""
        if self._original is None:
            self._original = fx.GraphModule(torch.nn.Module(), self.piece.graph).forward
        self.original_calls += 1
        results = self._original(*tensors)
        return results[0] if len(results) == 1 else results

    def path(self, kernel: Kernel) -> Callable[..., Any]:
        """The function that calls a kernel."""
        return call_path(kernel, self.results, self.original)


@dataclass(frozen=True)
class Whole:
    """How a graph of which everything is supported becomes one spec."""

    inputs: list[fx.Node]
    """All of its placeholders that are tensors, in the order of the spec."""
    outputs: list[fx.Node]
    name: str | None = None
    """The label of the spec."""


class FusedGraph:
    """A function of the graph's inputs that runs kernels where there are some.

    Args:
        module: a graph of ATen operators with fake tensors in `meta["val"]`.
        support: which of its nodes may be in kernels.
        by_fusion: one group for each contraction with what follows it, else as few as can be.
        whole: with `by_fusion` false, the form of a graph of one group. Its outputs are
            contiguous, whatever PyTorch's would be.
    """

    def __init__(
        self,
        module: fx.GraphModule,
        support: Support,
        *,
        by_fusion: bool = True,
        whole: Whole | None = None,
    ) -> None:
        self.module = module
        self.support = support
        self.partition = Partition(module.graph, support, by_fusion=by_fusion)
        self.fused: list[Fused] = []
        self.is_whole = whole is not None and self._is_single()
        """Whether a single spec says everything, in the form of `whole`."""
        for group in self.partition.groups:
            if whole is not None and self.is_whole:
                piece = whole_piece(group, self.partition, whole.inputs, whole.outputs)
            else:
                piece = piece_of(group, self.partition)
            # Without operands there is no tensor to say where results go.
            if piece.operands and piece.results:
                self._spell(piece, whole)
        self.is_whole = self.is_whole and bool(self.fused)
        assembly = _Assembly(self)
        self._graph = assembly.graph
        self.remaining = assembly.copied
        """The nodes that PyTorch runs whatever kernels there are."""
        self._namespace: dict[str, Any] = {}
        self._measured = False

    @property
    def specs(self) -> list[str]:
        """The different ones of the groups."""
        return list(dict.fromkeys(fused.spec for fused in self.fused))

    @property
    def kernels(self) -> dict[str, str | None]:
        """The artifact of each spec, where there is one."""
        return {f.spec: None if f.kernel is None else f.kernel.artifact for f in self.fused}

    @property
    def original_calls(self) -> int:
        """How often PyTorch's operators ran in the place of a kernel."""
        return sum(fused.original_calls for fused in self.fused)

    def _is_single(self) -> bool:
        inside = self.partition.is_inside
        computed = (node for node in self.partition.needed if node.op == "call_function")
        return len(self.partition.groups) == 1 and all(map(inside, computed))

    def _spell(self, piece: Piece, whole: Whole | None) -> None:
        name = whole.name if whole is not None and self.is_whole else None
        try:
            spec, results = spec_of(piece, name=name, is_contiguous=self.is_whole)
            self.fused.append(Fused(piece, spec, spec.json(), results))
        except Untranslatable as reason:
            for node in piece.group.nodes:
                self.support.reasons[node] = str(reason)

    def ask(self, *, refresh: bool = False, **options: Any) -> int:
        """Asks for all kernels at once and counts those that are new.

        Args:
            refresh: ask for better ones than the process has.
            options: `policy`, `deadline` and `socket` of `granary.get`.
        """
        texts = self.specs
        note(texts)
        answers = dict(zip(texts, get_all(texts, refresh=refresh, **options), strict=True))
        changed = 0
        for fused in self.fused:
            answer = answers[fused.spec]
            if isinstance(answer, GranaryError):
                if fused.kernel is None:
                    fused.reason = str(answer)
            elif fused.kernel is None or fused.kernel.artifact != answer.artifact:
                fused.kernel = answer
                changed += 1
        return changed

    def compile(self, *, measured: bool) -> Callable[..., Any]:
        """The function. Later, `install` changes which kernels it calls."""
        self._measured = measured
        code = self._graph.python_code("self")
        names = {id(value): name for name, value in code.globals.items()}
        for fused in self.fused:
            fused.name = names[id(fused.marker)]
        self._namespace = dict(code.globals)
        exec(compile(code.src, "<granary graph>", "exec"), self._namespace)
        self.install()
        self._forward = self._namespace["forward"]
        return self._run

    def _run(self, *tensors: Any) -> Any:
        return self._forward(self.module, *tensors)

    def install(self) -> None:
        """Has the function call the kernels that the groups have now."""
        for fused in self.fused:
            if fused.kernel is None:
                self._namespace[fused.name] = fused.original
            elif self._measured:
                self._namespace[fused.name] = self._trial(fused, fused.kernel)
            else:
                self._namespace[fused.name] = fused.path(fused.kernel)

    @contextmanager
    def timed(self, timing: Timing) -> Iterator[None]:
        """Adds the time of every call of a kernel, meanwhile."""
        served = [fused for fused in self.fused if fused.kernel and fused.reason is None]
        before = {fused.name: self._namespace[fused.name] for fused in served}

        def watched(function: Callable[..., Any]) -> Callable[..., Any]:
            def call(*tensors: Any) -> Any:
                began = time.perf_counter()
                results = function(*tensors)
                timing.seconds += time.perf_counter() - began
                return results

            return call

        self._namespace |= {name: watched(function) for name, function in before.items()}
        try:
            yield
        finally:
            self._namespace |= before

    def _trial(self, fused: Fused, kernel: Kernel) -> Callable[..., Any]:
        """The first call, which decides who serves the group from then on."""

        def first(*tensors: Any) -> Any:
            path = fused.path(kernel)
            fused.reason = None
            if is_kernel_faster(kernel.artifact, path, fused.original, tensors):
                self._namespace[fused.name] = path
            else:
                fused.reason = "measured: PyTorch's own operators are faster here"
                self._namespace[fused.name] = fused.original
            return self._namespace[fused.name](*tensors)

        return first


@dataclass
class Timing:
    """How long kernels took."""

    seconds: float = 0
    """With what Python does to call them."""


class _Assembly:
    """Writes the whole graph with one call for each group."""

    def __init__(self, whole: FusedGraph) -> None:
        self.graph = fx.Graph()
        self._partition = whole.partition
        self._fused = {fused.piece.group: fused for fused in whole.fused}
        self.copied: list[fx.Node] = []
        """The computations among what is outside of the groups."""
        self._values: dict[fx.Node, fx.Node] = {}
        nodes = whole.module.graph.nodes
        for node in nodes:
            if node.op == "placeholder":
                self._copy(node)
        for node in nodes:
            fused = self._of(node)
            if fused is not None:
                if node is fused.piece.group.nodes[-1]:
                    self._call(fused)
            elif node.op != "placeholder" and self._partition.is_step(node):
                self._value(node)

    def _of(self, node: fx.Node) -> Fused | None:
        group = self._partition.group_of(node)
        return None if group is None else self._fused.get(group)

    def _value(self, node: fx.Node) -> fx.Node:
        if node not in self._values:
            source = node.args[0] if node.target is operator.getitem else node
            assert isinstance(source, fx.Node)
            if fused := self._of(source):
                self._call(fused)
            else:
                self._copy(node)
        return self._values[node]

    def _copy(self, node: fx.Node) -> None:
        for operand in node.all_input_nodes:
            self._value(operand)
        self._values[node] = self.graph.node_copy(node, self._values.__getitem__)
        if node.op == "call_function":
            self.copied.append(node)

    def _call(self, fused: Fused) -> None:
        if fused.piece.results[0] in self._values:
            return
        operands = tuple(self._value(operand) for operand in fused.piece.operands)
        called = self.graph.call_function(fused.marker, operands)
        if len(fused.piece.results) == 1:
            self._values[fused.piece.results[0]] = called
            return
        for index, result in enumerate(fused.piece.results):
            self._values[result] = self.graph.call_function(operator.getitem, (called, index))


def spec_of(
    piece: Piece, *, name: str | None = None, is_contiguous: bool = False
) -> tuple[Spec, list[Result]]:
    """What a piece computes, and how its results are laid out.

    A kernel writes contiguous outputs. One that PyTorch expects in another order of its
    dimensions, such as channels last, is an output whose dimensions are permuted to that order.

    Args:
        piece: a group as a graph.
        name: the label of the spec.
        is_contiguous: whether results are contiguous, whatever PyTorch expects.

    Raises:
        Untranslatable: when a result is not dense in memory.
    """
    inputs = {node: node.name for node in piece.graph.nodes if node.op == "placeholder"}
    translation = Translation(piece.graph, inputs)
    if translation.unsupported:
        raise Untranslatable(translation.unsupported[0].reason)
    outputs = next(node for node in piece.graph.nodes if node.op == "output").args[0]
    spec = translation.spec(outputs, name)
    results = []
    for index, node in enumerate(outputs):
        value = node.meta["val"]
        if is_contiguous:
            shape = tuple(value.shape)
            results.append(Result(shape, contiguous_strides(shape), value.dtype))
            continue
        order = _memory_order(value)
        if order != list(range(value.dim())):
            args = {"self": spec.outputs[index], "dims": order}
            identifier = f"laid_out{index}"
            spec.nodes.append({"id": identifier, "op": "aten.permute.default", "args": args})
            spec.outputs[index] = f"%{identifier}"
        results.append(Result(tuple(value.shape), tuple(value.stride()), value.dtype))
    return spec, results


def _memory_order(value: Any) -> list[int]:
    """The dimensions of a dense tensor from the outermost in memory to the innermost."""
    dims = sorted(range(value.dim()), key=lambda dim: (-value.stride(dim), dim))
    expected = 1
    for dim in reversed(dims):
        if value.shape[dim] == 1 or value.numel() == 0:
            continue
        if value.stride(dim) != expected:
            raise Untranslatable("its result is not dense in memory")
        expected *= value.shape[dim]
    if value.is_contiguous():
        return list(range(value.dim()))
    return dims
