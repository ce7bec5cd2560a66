"""From PyTorch modules and functions to specs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from granary.errors import BadSpec, GranaryError, Unsupported
from granary.kernels import get_all
from granary.spec import Spec, UnsupportedNode

if TYPE_CHECKING:
    from torch import fx
    from torch.export import ExportedProgram

    from granary.partitioning import Partition

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
    partition: Partition
    """The groups that kernels compute, and the nodes that stay with PyTorch."""
    parameters: list[Any]
    """The parameters, buffers and constants, which are inputs behind the user's."""
    user_outputs: int
    """How many of the outputs are results; the rest are buffers after the call."""
    unsupported: list[UnsupportedNode] = field(default_factory=list)
    checked: bool = False
    """Whether a daemon has checked every node."""

    @property
    def specs(self) -> list[Spec]:
        """One spec of the whole graph where all is supported, else one for each different group."""
        return self.partition.specs

    @property
    def is_whole(self) -> bool:
        """Whether a single spec says everything, its inputs being the user's and `parameters`."""
        return not self.partition.remaining and len(self.partition.groups) == 1

    def report(self) -> str:
        """What is unsupported, each operator once, with the nodes that use it."""
        return reported(self.partition, self.unsupported, self.checked)

    def function(self, **options: Any) -> Callable[..., Any]:
        """A function of the example inputs' tensors that runs kernels, and PyTorch for the rest.

        Takes and gives tensors only, flat; buffers that the module would change stay as they are.
        """
        from granary.partitioning import PartitionFunction

        run = PartitionFunction(self.partition, options)

        def call(*tensors: Any) -> Any:
            results = run(*tensors, *self.parameters)[: self.user_outputs]
            return results[0] if len(results) == 1 else results

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
    module = target if isinstance(target, torch.nn.Module) else function_module(target)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(module, tuple(example_inputs), kwargs, strict=False)
        kept = set(kept_whole)
        decomposed = _decomposed(program, kept)
        checks = _checks(decomposed, check, socket)
        refused = {item.operator.removeprefix("aten.") for item in checks.unsupported}
        if refused & kept:
            decomposed = _decomposed(program, kept - refused)
            checks = _checks(decomposed, check, socket)
    return _exported(decomposed, checks, groups == "fusion", name)


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


def _exported(
    program: ExportedProgram, checks: Checks, by_fusion: bool, name: str | None
) -> Exported:
    from granary.partitioning import partitioned

    inputs, parameters = _inputs(program)
    outputs, user_outputs = _outputs(program)
    partition = partitioned(
        program.graph, list(inputs), outputs, checks.refused, by_fusion=by_fusion, name=name
    )
    return Exported(
        program, partition, parameters, user_outputs, checks.unsupported, checks.complete
    )


def _checks(program: ExportedProgram, check: bool, socket: str | None) -> Checks:
    return checked(program.graph, _inputs(program)[0], check, socket)


def _inputs(program: ExportedProgram) -> tuple[dict[fx.Node, str], list[Any]]:
    """The placeholders with their names, the user's first; and the values of the others."""
    import torch

    nodes = {node.name: node for node in program.graph.nodes if node.op == "placeholder"}
    user: dict[fx.Node, str] = {}
    own: dict[fx.Node, str] = {}
    values = []
    for spec in program.graph_signature.input_specs:
        node = nodes[spec.arg.name]
        if not isinstance(node.meta.get("val"), torch.Tensor):
            continue
        if spec.target is None:
            user[node] = node.name
            continue
        if not node.users:
            continue
        own[node] = node.name
        stored = program.state_dict if spec.target in program.state_dict else program.constants
        values.append(stored[spec.target].detach())
    return user | own, values


def _outputs(program: ExportedProgram) -> tuple[list[fx.Node], int]:
    """The nodes of the tensors that come out, the user's first, and how many those are."""
    import torch
    from torch.export.graph_signature import OutputKind

    nodes = {node.name: node for node in program.graph.nodes}
    user: list[fx.Node] = []
    changed: list[fx.Node] = []
    for spec in program.graph_signature.output_specs:
        node = nodes.get(getattr(spec.arg, "name", ""))
        if node is None or not isinstance(node.meta.get("val"), torch.Tensor):
            continue
        (user if spec.kind == OutputKind.USER_OUTPUT else changed).append(node)
    return user + changed, len(user)


@dataclass
class Checks:
    """Which nodes of a graph have no kernel, and why."""

    unsupported: list[UnsupportedNode]
    refused: set[fx.Node]
    """The nodes of `unsupported`."""
    complete: bool
    """Whether a daemon has checked every node."""


def checked(graph: fx.Graph, inputs: dict[fx.Node, str], check: bool, socket: str | None) -> Checks:
    """Finds the nodes that specs have no form for, and with `check` those the daemon refuses.

    The daemon is asked about each node by itself, without making kernels.
    """
    from granary.graphs import Translation

    translation = Translation(graph, inputs)
    checks = Checks(list(translation.unsupported), set(translation.refused), False)
    if not check:
        return checks
    singles = {node: spec.renamed() for node, spec in translation.single_nodes()}
    texts = list(dict.fromkeys(spec.json() for spec in singles.values()))
    try:
        answers = dict(zip(texts, get_all(texts, policy="cached", socket=socket), strict=True))
    except GranaryError:
        return checks
    checks.complete = True
    for node, spec in singles.items():
        answer = answers[spec.json()]
        if isinstance(answer, BadSpec | Unsupported):
            # The daemon names the node, which this report does too.
            reason = str(answer).split("): ", 1)[-1]
            checks.refused.add(node)
            checks.unsupported.append(UnsupportedNode(node.name, str(node.target), reason))
        elif isinstance(answer, GranaryError) and answer.code != "not-found":
            checks.complete = False
    return checks


def reported(partition: Partition, unsupported: list[UnsupportedNode], complete: bool) -> str:
    """What is unsupported, each operator once, with the nodes that use it."""
    unchecked = "" if complete else ", not checked by a daemon"
    if not unsupported:
        count = sum(len(group.nodes) for group in partition.groups)
        return f"every node of {count} is supported{unchecked}"
    reasons: dict[tuple[str, str], list[str]] = {}
    for item in unsupported:
        reasons.setdefault((item.operator, item.reason), []).append(item.node)
    lines = [f"{len(unsupported)} nodes are unsupported and stay with PyTorch{unchecked}:"]
    for (operator, reason), nodes in reasons.items():
        more = f" and {len(nodes) - 3} more" if len(nodes) > 3 else ""
        lines.append(f"  {operator}: {reason} [{', '.join(nodes[:3])}{more}]")
    lines.append(f"the others are {len(partition.groups)} groups, {len(partition.specs)} different")
    return "\n".join(lines)
