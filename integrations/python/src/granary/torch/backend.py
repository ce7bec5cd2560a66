"""`torch.compile(model, backend="granary")`."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx

from granary.client import Client
from granary.exporting import kept_whole
from granary.torch.calling import tell
from granary.torch.choosing import is_faster
from granary.torch.evidence import Evidence
from granary.torch.groups import FusedGraph, Timing
from granary.torch.support import Support, is_random

# Operators that core ATen lacks and Granary has, beside those that exports keep.
_also_kept = (
    "silu.default",
    "hardsigmoid.default",
    "leaky_relu.default",
    "elu.default",
    "baddbmm.default",
    "t.default",
    "transpose.int",
    "_unsafe_view.default",
    "_embedding_bag.default",
)
# Its decomposition is for inference only: the second result is not what the gradient needs.
_attention = "_scaled_dot_product_flash_attention_for_cpu.default"


@dataclass(frozen=True)
class Options:
    """What `torch.compile(..., options={...})` may say."""

    policy: str | None = None
    """`cached`, `baseline` (the default) or `tuned`."""
    deadline: float = 120
    """Seconds that all kernels of a graph may take together."""
    socket: str | None = None
    measured: bool = True
    """Whether PyTorch keeps the groups, and the graphs, at which it is faster, as measured by the
    first call. The daemon keeps what was measured."""


_graphs: weakref.WeakSet[FusedGraph] = weakref.WeakSet()
_left_whole: weakref.WeakSet[fx.GraphModule] = weakref.WeakSet()
"""Graphs that are faster without the backend."""


def granary_backend(
    module: fx.GraphModule,
    example_inputs: Sequence[Any],
    *,
    options: dict[str, Any] | None = None,
    **_: Any,
) -> Callable[..., Any]:
    """The backend that Dynamo calls with each graph it finds.

    Never fails because of Granary: what has no kernel runs as PyTorch would run it.
    """
    chosen = Options(**(options or {}))
    try:
        Client(chosen.socket, timeout=10).greeting()
    except Exception as error:
        # Whatever answers there, the model must run.
        tell(f"PyTorch runs the model by itself: {error}")
        return module.forward
    if any(not _is_static(value) for value in example_inputs):
        return _Specializing(module, chosen)
    try:
        if chosen.measured and not _records_gradients(example_inputs):
            return _guarded(module, example_inputs, chosen)
        return _compiled(module, example_inputs, chosen)
    except torch._dynamo.exc.TorchDynamoException:
        raise
    except Exception as error:
        tell(f"PyTorch runs the model by itself: {type(error).__name__}: {error}")
        return module.forward


def _guarded(
    module: fx.GraphModule, example_inputs: Sequence[Any], options: Options
) -> Callable[..., Any]:
    """The compiled graph where it is faster than the graph as it came."""
    evidence = Evidence(module, example_inputs, options.socket)
    if evidence.prefers_eager():
        _left_whole.add(module)
        return module.forward
    graphs: list[FusedGraph] = []
    compiled = _compiled(module, example_inputs, options, graphs)
    if len(graphs) != 1 or any(map(is_random, graphs[0].module.graph.nodes)):
        return compiled
    if evidence.knows(graphs[0].kernels):
        return compiled
    return _Measured(module, compiled, graphs[0], evidence)


class _Measured:
    """A compiled graph whose first call decides whether it runs, or the graph as it came."""

    def __init__(
        self,
        module: fx.GraphModule,
        compiled: Callable[..., Any],
        graph: FusedGraph,
        evidence: Evidence,
    ) -> None:
        self._module = module
        self._compiled = compiled
        self._graph = graph
        self._evidence = evidence
        self._function: Callable[..., Any] = self._first

    def __call__(self, *values: Any) -> Any:
        return self._function(*values)

    def _first(self, *values: Any) -> Any:
        versions = _versions(values)
        results = self._compiled(*values)
        self._function = self._compiled
        # What changes its inputs cannot be run for nothing.
        if _versions(values) == versions:
            faster = is_faster(
                lambda: self._compiled(*values), lambda: self._module.forward(*values)
            )
            self._evidence.keep(self._graph.kernels, faster)
            if not faster:
                _left_whole.add(self._module)
                _graphs.discard(self._graph)
                self._function = self._module.forward
        return results


def _versions(values: Sequence[Any]) -> list[int]:
    """Counts how often each tensor was changed; those of inference mode do not tell."""
    return [
        value._version
        for value in values
        if isinstance(value, torch.Tensor) and not value.is_inference()
    ]


def _records_gradients(values: Sequence[Any]) -> bool:
    return torch.is_grad_enabled() and any(
        isinstance(value, torch.Tensor) and value.requires_grad for value in values
    )


def _compiled(
    module: fx.GraphModule,
    example_inputs: Sequence[Any],
    options: Options,
    graphs: list[FusedGraph] | None = None,
) -> Callable[..., Any]:
    """The function by AOTAutograd; `graphs` gets what it consists of."""
    from torch._dynamo.backends.common import aot_autograd

    def compiler(graph: fx.GraphModule, _: Sequence[Any]) -> Callable[..., Any]:
        return fuse(graph, options, graphs)

    backend = aot_autograd(
        fw_compiler=compiler,
        bw_compiler=compiler,
        inference_compiler=compiler,
        decompositions=decompositions(),
    )
    compiled: Callable[..., Any] = backend(module, list(example_inputs))
    return compiled


def fuse(
    module: fx.GraphModule, options: Options, graphs: list[FusedGraph] | None = None
) -> Callable[..., Any]:
    """The function of a graph of ATen operators, with kernels where there are some."""
    try:
        name_attention(module.graph)
        support = Support(module.graph)
        support.ask(options.socket)
        graph = FusedGraph(module, support)
        graph.ask(policy=options.policy, deadline=options.deadline, socket=options.socket)
        run = graph.compile(measured=options.measured)
    except Exception as error:
        # Whatever it is, the model must run.
        tell(f"PyTorch runs a graph by itself: {type(error).__name__}: {error}")
        run = module.forward
    else:
        _graphs.add(graph)
        if graphs is not None:
            graphs.append(graph)
    from functorch.compile import make_boxed_func

    boxed: Callable[..., Any] = make_boxed_func(run)
    return boxed


def name_attention(graph: fx.Graph) -> None:
    """Names PyTorch's attention as specs do where no gradient needs its second result."""
    for node in graph.nodes:
        if str(node.target) != f"aten.{_attention}":
            continue
        query, key, value = node.args[:3]
        given: list[Any] = [0.0, False]
        given[: len(node.args) - 3] = node.args[3:5]
        dropout, causal = given
        if dropout != 0 or any(user.args[1] != 0 for user in node.users):
            continue
        with graph.inserting_before(node):
            named = graph.call_function(
                torch.ops.aten.scaled_dot_product_attention.default,
                (query, key, value, node.kwargs.get("attn_mask"), 0.0, causal),
                {"scale": node.kwargs.get("scale")},
            )
        named.meta["val"] = node.meta["val"][0]
        for user in list(node.users):
            user.replace_all_uses_with(named)
            graph.erase_node(user)
        graph.erase_node(node)


def decompositions() -> dict[Any, Any]:
    """Core ATen's, without those of operators that Granary has."""
    table = dict(torch._decomp.core_aten_decompositions())
    for written in (*kept_whole, *_also_kept, _attention):
        base, overload = written.split(".")
        packet = getattr(torch.ops.aten, base, None)
        if packet is not None and overload in packet.overloads():
            table.pop(getattr(packet, overload), None)
    return table


class _Specializing:
    """A graph with sizes that vary: compiled anew for each combination of sizes that comes."""

    def __init__(self, module: fx.GraphModule, options: Options) -> None:
        self._module = module
        self._options = options
        self._compiled: dict[Any, Callable[..., Any]] = {}

    def __call__(self, *values: Any) -> Any:
        sizes = tuple(_layout(value) for value in values)
        compiled = self._compiled.get(sizes)
        if compiled is None:
            compiled = self._compiled[sizes] = self._specialized(values)
        return compiled(*values)

    def _specialized(self, values: Sequence[Any]) -> Callable[..., Any]:
        try:
            return _compiled(self._module, values, self._options)
        except Exception as error:
            tell(f"PyTorch runs a graph with varying sizes by itself: {error}")
            return self._module.forward


def _is_static(value: Any) -> bool:
    if isinstance(value, torch.Tensor):
        return all(type(extent) is int for extent in (*value.shape, *value.stride()))
    return not isinstance(value, torch.SymInt | torch.SymFloat | torch.SymBool)


def _layout(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return tuple(value.shape), tuple(value.stride()), value.dtype, value.requires_grad
    return value


def refresh(**options: Any) -> int:
    """Asks for better kernels for all compiled models, and takes them; counts the changed groups.

    Call it at a safe point: no compiled model should run meanwhile, or one of its calls may mix
    kernels of both revisions. Nothing else ever changes the kernels of a compiled model.

    Args:
        options: `policy`, `deadline` and `socket` of `granary.get`.
    """
    changed = 0
    for graph in list(_graphs):
        if count := graph.ask(refresh=True, **options):
            graph.install()
            changed += count
    return changed


@contextmanager
def timing() -> Iterator[Timing]:
    """Measures how long kernels take in the compiled models that are called meanwhile.

    They must have been called before, so that what their first calls measure does not count.
    """
    taken = Timing()
    with ExitStack() as stack:
        for graph in list(_graphs):
            stack.enter_context(graph.timed(taken))
        yield taken


@dataclass(frozen=True)
class Report:
    """What the compiled models of this process leave to kernels and to PyTorch."""

    graphs: int
    operators: int
    """Of all graphs, without those that only rename or select elements."""
    operators_in_kernels: int
    groups: int
    groups_in_kernels: int
    kernels: int
    """Different ones."""
    reasons: dict[str, int]
    """Why operators stay with PyTorch, and how many do so."""
    graphs_left: int = 0
    """Graphs that run as if they were not compiled, since they are faster so, as measured. The
    other figures do not count them."""

    def __str__(self) -> str:
        lines = [
            f"{self.operators_in_kernels} of {self.operators} operators in "
            f"{self.groups_in_kernels} of {self.groups} groups run in {self.kernels} kernels"
        ]
        if self.graphs_left:
            lines.append(f"  {self.graphs_left} graphs run uncompiled: measured to be faster so")
        lines += [f"  {count} with PyTorch: {reason}" for reason, count in self.reasons.items()]
        return "\n".join(lines)


def report() -> Report:
    """Sums up all graphs that were compiled and are still alive."""
    operators = inside = groups = groups_inside = 0
    kernels: set[str] = set()
    reasons: dict[str, int] = {}
    for graph in list(_graphs):
        for node, reason in graph.support.reasons.items():
            name = f"{node.target}: {reason}"
            reasons[name] = reasons.get(name, 0) + 1
            operators += 1
        for fused in graph.fused:
            count = len(fused.piece.group.nodes)
            operators += count
            groups += 1
            if fused.kernel is None or fused.reason is not None:
                reason = fused.reason or "no kernel"
                reasons[reason] = reasons.get(reason, 0) + count
                continue
            inside += count
            groups_inside += 1
            kernels.add(fused.kernel.artifact)
    return Report(
        len(_graphs),
        operators,
        inside,
        groups,
        groups_inside,
        len(kernels),
        reasons,
        len(_left_whole),
    )
