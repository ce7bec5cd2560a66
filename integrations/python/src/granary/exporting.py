"""From PyTorch modules and functions to specs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from granary.errors import BadSpec, GranaryError, Unsupported
from granary.function import KernelFunction
from granary.kernels import get_all
from granary.spec import Spec, UnsupportedNode

if TYPE_CHECKING:
    from torch import fx
    from torch.export import ExportedProgram

    from granary.graphs import Translation

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
    """The graph of core ATen operators that the spec says; callable through `module()`."""
    specs: list[Spec]
    """One spec for the whole graph; none when a node is unsupported."""
    parameters: list[Any]
    """The parameters, buffers and constants, which are the spec's inputs behind the user's."""
    user_outputs: int
    """How many of the spec's outputs are results; the rest are buffers after the call."""
    unsupported: list[UnsupportedNode] = field(default_factory=list)
    checked: bool = False
    """Whether a daemon has checked every node."""

    def report(self) -> str:
        """What is unsupported, each operator once, with the nodes that use it."""
        if not self.unsupported:
            checked = "" if self.checked else ", not checked by a daemon"
            return f"every node of {len(self.specs[0].nodes)} is supported{checked}"
        reasons: dict[tuple[str, str], list[str]] = {}
        for item in self.unsupported:
            reasons.setdefault((item.operator, item.reason), []).append(item.node)
        lines = [f"{len(self.unsupported)} nodes are unsupported and stay with PyTorch:"]
        for (operator, reason), nodes in reasons.items():
            more = f" and {len(nodes) - 3} more" if len(nodes) > 3 else ""
            lines.append(f"  {operator}: {reason} [{', '.join(nodes[:3])}{more}]")
        return "\n".join(lines)

    def function(self, **options: Any) -> Callable[..., Any]:
        """A function of the example inputs' tensors that runs the kernel, or else PyTorch.

        Takes and gives tensors only, flat; buffers that the module would change stay as they are
        when the kernel runs.
        """
        module = self.program.module()

        def original(*tensors: Any) -> Any:
            return module(*tensors[: len(tensors) - len(self.parameters)])

        if not self.specs:
            return module
        run = KernelFunction(self.specs[0], original, options)

        def call(*tensors: Any) -> Any:
            results = run(*tensors, *self.parameters)
            if not isinstance(results, tuple) or run.kernel_calls == 0:
                return results
            kept = results[: self.user_outputs]
            return kept[0] if len(kept) == 1 else kept

        return call


def export(
    target: Any,
    example_inputs: Sequence[Any],
    kwargs: dict[str, Any] | None = None,
    *,
    name: str | None = None,
    check: bool = True,
    socket: str | None = None,
) -> Exported:
    """The specs of a PyTorch module or function.

    Exports with `torch.export`, decomposes to core ATen operators except those of `kept_whole`,
    and makes one spec of the graph. Parameters and buffers become inputs behind those of the
    user. A kept operator that the daemon does not have is decomposed after all.

    Args:
        target: a `torch.nn.Module`, or a function of tensors.
        example_inputs: positional arguments, whose shapes, strides and dtypes the spec gets.
        kwargs: arguments by name.
        name: the spec's label.
        check: whether to ask the daemon, if one answers, which nodes it supports.
        socket: of the daemon; see `get`.

    Raises:
        torch.export's own errors for what it cannot export.
    """
    import torch

    module = target if isinstance(target, torch.nn.Module) else _FunctionModule.of(target)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(module, tuple(example_inputs), kwargs, strict=False)
        kept = set(kept_whole)
        exported = _exported(_decomposed(program, kept), name, check, socket)
        refused = {item.operator.removeprefix("aten.") for item in exported.unsupported}
        if refused & kept:
            kept -= refused
            exported = _exported(_decomposed(program, kept), name, check, socket)
    return exported


class _FunctionModule:
    """Makes a module of a function."""

    @staticmethod
    def of(function: Callable[..., Any]) -> Any:
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
    program: ExportedProgram, name: str | None, check: bool, socket: str | None
) -> Exported:
    from granary.graphs import Translation

    inputs, parameters = _inputs(program)
    outputs, user_outputs = _outputs(program)
    translation = Translation(program.graph, inputs)
    unsupported = list(translation.unsupported)
    checked = check and _check(translation, unsupported, socket)
    specs = []
    if not unsupported:
        specs.append(translation.spec(outputs, name))
    return Exported(program, specs, parameters, user_outputs, unsupported, checked)


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


def _check(
    translation: Translation, unsupported: list[UnsupportedNode], socket: str | None
) -> bool:
    """Asks the daemon about each node by itself, without making kernels."""
    singles = list(translation.single_nodes())
    try:
        answers = get_all([spec for _, spec in singles], policy="cached", socket=socket)
    except GranaryError:
        return False
    complete = True
    for (node, _), answer in zip(singles, answers, strict=True):
        if isinstance(answer, BadSpec | Unsupported):
            # The daemon names the node, which this report does too.
            reason = str(answer).split("): ", 1)[-1]
            unsupported.append(UnsupportedNode(node.name, str(node.target), reason))
        elif isinstance(answer, GranaryError) and answer.code != "not-found":
            complete = False
    return complete
