"""From PyTorch modules and functions to specs."""

from __future__ import annotations

import contextlib
import operator
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from granary.errors import GranaryError
from granary.spec import Spec, UnsupportedNode

if TYPE_CHECKING:
    import torch
    from torch import fx
    from torch.export import ExportedProgram

    from granary.torch.groups import FusedGraph
    from granary.torch.support import Support

# Operators that stay whole where Granary has them: one node says more than its many parts.
kept_whole = (
    "scaled_dot_product_attention.default",
    "lstm.input",
    "gru.input",
    "rnn_tanh.input",
    "rnn_relu.input",
    "mish.default",
    "hardswish.default",
    "softplus.default",
    "logsumexp.default",
    "instance_norm.default",
    "l1_loss.default",
    "mse_loss.default",
    "huber_loss.default",
    "smooth_l1_loss.default",
    "soft_margin_loss.default",
    "margin_ranking_loss.default",
    "hinge_embedding_loss.default",
    "cosine_embedding_loss.default",
    "triplet_margin_loss.default",
    "multi_margin_loss.default",
    "multilabel_margin_loss.default",
    "kl_div.default",
    "poisson_nll_loss.default",
    "nll_loss_nd.default",
    "cross_entropy_loss.default",
    "binary_cross_entropy.default",
    "binary_cross_entropy_with_logits.default",
    "ctc_loss.Tensor",
    "ctc_loss.IntList",
)


@dataclass
class Exported:
    """What a module or function computes, as specs, with the PyTorch program it came from."""

    program: ExportedProgram
    """The graph of core ATen operators that the specs say; callable through `module()`."""
    graph: FusedGraph
    """The groups that kernels compute, and the nodes that stay with PyTorch."""
    parameters: list[Any]
    """The parameters, buffers and constants, which are inputs behind the user's."""
    user_outputs: int
    """How many of the outputs are results; the rest are buffers after the call."""
    _inputs: list[fx.Node]
    """The placeholders of the user's inputs, then those of `parameters`."""
    _outputs: list[fx.Node]

    @property
    def specs(self) -> list[Spec]:
        """One spec of the whole graph where all is supported, else one for each different group."""
        return specs_of(self.graph)

    @property
    def is_whole(self) -> bool:
        """Whether a single spec says everything, its inputs being the user's and `parameters`."""
        return self.graph.is_whole

    @property
    def remaining(self) -> list[fx.Node]:
        """The nodes that stay with PyTorch."""
        return self.graph.remaining

    @property
    def unsupported(self) -> list[UnsupportedNode]:
        """The nodes that have no kernel, and why."""
        return self.graph.support.unsupported()

    @property
    def checked(self) -> bool:
        """Whether a daemon has checked every node."""
        return self.graph.support.is_checked

    def report(self) -> str:
        """What is unsupported, each operator once, with the nodes that use it."""
        return reported(self.graph)

    def function(self, **options: Any) -> Callable[..., Any]:
        """A function of the example inputs' tensors that runs kernels, and PyTorch for the rest.

        Asks for all kernels at its first call. Takes and gives tensors only, flat; buffers that
        the module would change stay as they are. Records no gradient.

        Args:
            options: `policy`, `deadline` and `socket` of `get_all`.
        """
        run = self.all_outputs(**options)

        def call(*tensors: Any) -> Any:
            results = run(*tensors)[: self.user_outputs]
            return results[0] if len(results) == 1 else results

        return call

    def all_outputs(self, **options: Any) -> Callable[..., tuple[Any, ...]]:
        """As `function`, but gives a tuple of the results and the changed buffers behind them."""
        import torch

        places = {node: index for index, node in enumerate(self._inputs)}
        nodes = self.graph.module.graph.nodes
        order = [places.get(node) for node in nodes if node.op == "placeholder"]
        given = next(node for node in nodes if node.op == "output").args[0]
        picked = operator.itemgetter(*[given.index(node) for node in self._outputs], 0)
        run: Callable[..., Any] | None = None

        def call(*tensors: Any) -> tuple[Any, ...]:
            nonlocal run
            if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
                raise TypeError("a kernel records no gradient; call it under torch.no_grad()")
            if run is None:
                self.graph.ask(**{"deadline": 120, **options})
                run = self.graph.compile(measured=False)
            values = [*tensors, *self.parameters]
            with torch.no_grad():
                results = run(*[None if place is None else values[place] for place in order])
            return tuple(picked(results)[:-1])

        return call


def export(
    target: Any,
    example_inputs: Sequence[Any],
    kwargs: dict[str, Any] | None = None,
    *,
    name: str | None = None,
    groups: str = "whole",
    check: bool = True,
    socket: str | None = None,
) -> Exported:
    """The specs of a PyTorch module or function.

    Exports with `torch.export`, decomposes to core ATen operators except those of `kept_whole`,
    and makes specs of the graph. Parameters and buffers become inputs behind those of the user. A
    kept operator that the daemon does not have is decomposed after all. What then is still
    unsupported stays with PyTorch, between groups of what is supported.

    Args:
        target: a `torch.nn.Module`, or a function of tensors.
        example_inputs: positional arguments, whose shapes, strides and dtypes the spec gets.
        kwargs: arguments by name.
        name: the label of the whole graph's spec.
        groups: `whole` for one spec, or as few as unsupported operators allow; `fusion` for one
            for each heavy operator with what surrounds it. Equal groups share a spec.
        check: whether to ask the daemon, if one answers, which nodes it supports.
        socket: of the daemon; see `get`.

    Raises:
        ValueError: for other groups.
        torch.export's own errors for what it cannot export.
    """
    import torch

    if groups not in ("whole", "fusion"):
        raise ValueError(f"groups are 'whole' or 'fusion', not {groups!r}")
    from granary.recurrent import quick_types

    module = target if isinstance(target, torch.nn.Module) else function_module(target)
    plain = _tensors_as_buffers(module)
    with torch.no_grad(), warnings.catch_warnings(), plain, quick_types():
        warnings.simplefilter("ignore")
        program = torch.export.export(module, tuple(example_inputs), kwargs, strict=False)
        kept = set(kept_whole)
        decomposed = _decomposed(program, kept)
        module, support = _supported(decomposed, check, socket)
        refused = {item.operator.removeprefix("aten.") for item in support.unsupported()}
        if refused & kept:
            decomposed = _decomposed(program, kept - refused)
            module, support = _supported(decomposed, check, socket)
    return _exported(decomposed, module, support, groups == "fusion", name)


@contextlib.contextmanager
def _tensors_as_buffers(module: torch.nn.Module) -> Iterator[None]:
    """Registers tensors that are plain attributes as buffers for a while.

    Only to buffers may an exported module assign, as recurrent ones do with their state.
    """
    import torch

    plain = [
        (owner, name, value)
        for owner in module.modules()
        for name, value in vars(owner).items()
        if isinstance(value, torch.Tensor)
    ]
    for owner, name, value in plain:
        delattr(owner, name)
        owner.register_buffer(name, value, persistent=False)
    try:
        yield
    finally:
        for owner, name, value in plain:
            delattr(owner, name)
            setattr(owner, name, value)


def function_module(function: Callable[..., Any]) -> Any:
    """A module that calls the function."""
    import torch

    class Function(torch.nn.Module):
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

    return Function()


def _decomposed(program: ExportedProgram, kept: set[str]) -> ExportedProgram:
    import torch

    table: Any = torch.export.default_decompositions()
    for written in kept:
        base, overload = written.split(".")
        packet = getattr(torch.ops.aten, base, None)
        if packet is not None and overload in packet.overloads():
            table.pop(getattr(packet, overload), None)
    decomposed: ExportedProgram = program.run_decompositions(table)
    return decomposed


def _supported(
    program: ExportedProgram, check: bool, socket: str | None
) -> tuple[fx.GraphModule, Support]:
    """The graph without what only checks, and what of it has kernels."""
    from torch import fx

    from granary.graphs import is_assertion
    from granary.torch.support import Support

    graph = fx.Graph()
    graph.output(graph.graph_copy(program.graph, {}))
    for node in reversed(graph.nodes):
        if is_assertion(node):
            graph.erase_node(node)
    support = Support(graph, random=True)
    if check:
        with contextlib.suppress(GranaryError):
            support.ask(socket)
    return fx.GraphModule(program.graph_module, graph), support


def _exported(
    program: ExportedProgram,
    module: fx.GraphModule,
    support: Support,
    by_fusion: bool,
    name: str | None,
) -> Exported:
    from granary.torch.groups import FusedGraph, Whole

    inputs, parameters = _inputs(program, module.graph)
    outputs, user_outputs = _outputs(program, module.graph)
    whole = None if by_fusion else Whole(inputs, outputs, name)
    graph = FusedGraph(module, support, by_fusion=by_fusion, whole=whole)
    return Exported(program, graph, parameters, user_outputs, inputs, outputs)


def _inputs(program: ExportedProgram, graph: fx.Graph) -> tuple[list[fx.Node], list[Any]]:
    """The placeholders that are tensors, the user's first; and the values of the others."""
    import torch

    nodes = [node for node in graph.nodes if node.op == "placeholder"]
    user, own, values = [], [], []
    for node, value in zip(nodes, placeholder_values(program), strict=True):
        if not isinstance(node.meta.get("val"), torch.Tensor):
            continue
        if value is None:
            user.append(node)
        elif node.users:
            own.append(node)
            values.append(value)
    return user + own, values


def placeholder_values(program: ExportedProgram) -> list[Any]:
    """What each placeholder gets: a parameter, buffer or constant, or None for the caller's."""
    values: list[Any] = []
    for spec in program.graph_signature.input_specs:
        stored = program.state_dict if spec.target in program.state_dict else program.constants
        values.append(None if spec.target is None else stored[spec.target].detach())
    return values


def _outputs(program: ExportedProgram, graph: fx.Graph) -> tuple[list[fx.Node], int]:
    """The nodes of the tensors that come out, the user's first, and how many those are."""
    import torch
    from torch.export.graph_signature import OutputKind

    nodes = {node.name: node for node in graph.nodes}
    user: list[fx.Node] = []
    changed: list[fx.Node] = []
    for spec in program.graph_signature.output_specs:
        node = nodes.get(getattr(spec.arg, "name", ""))
        if node is None or not isinstance(node.meta.get("val"), torch.Tensor):
            continue
        (user if spec.kind == OutputKind.USER_OUTPUT else changed).append(node)
    return user + changed, len(user)


def specs_of(graph: FusedGraph) -> list[Spec]:
    """The different specs of a graph's groups."""
    return list({fused.spec: fused.written for fused in graph.fused}.values())


def reported(graph: FusedGraph) -> str:
    """What is unsupported, each operator once, with the nodes that use it."""
    unchecked = "" if graph.support.is_checked else ", not checked by a daemon"
    unsupported = graph.support.unsupported()
    if not unsupported:
        count = sum(len(fused.piece.group.nodes) for fused in graph.fused)
        return f"every node of {count} is supported{unchecked}"
    reasons: dict[tuple[str, str], list[str]] = {}
    for item in unsupported:
        reasons.setdefault((item.operator, item.reason), []).append(item.node)
    lines = [f"{len(unsupported)} nodes are unsupported and stay with PyTorch{unchecked}:"]
    for (name, reason), nodes in reasons.items():
        more = f" and {len(nodes) - 3} more" if len(nodes) > 3 else ""
        lines.append(f"  {name}: {reason} [{', '.join(nodes[:3])}{more}]")
    lines.append(f"the others are {len(graph.fused)} groups, {len(graph.specs)} different")
    return "\n".join(lines)
