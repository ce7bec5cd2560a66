"""Forward with backward: the graphs that AOTAutograd makes of a module, as specs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from functorch.compile import aot_module, make_boxed_func
from torch import fx
from torch._decomp import core_aten_decompositions
from torch._functorch.partitioners import min_cut_rematerialization_partition
from torch.utils import _pytree as pytree

from granary.exporting import checked, function_module, reported
from granary.partitioning import Partition, PartitionFunction, partitioned
from granary.spec import Spec, UnsupportedNode


@dataclass
class ExportedGraph:
    """One of the two graphs: the forward or the backward one."""

    partition: Partition
    """The groups that kernels compute, and the nodes that stay with PyTorch."""
    unsupported: list[UnsupportedNode] = field(default_factory=list)
    checked: bool = False
    """Whether a daemon has checked every node."""

    @property
    def specs(self) -> list[Spec]:
        """One spec of the whole graph where all is supported, else one for each different group."""
        return self.partition.specs

    def report(self) -> str:
        """What is unsupported, each operator once, with the nodes that use it."""
        return reported(self.partition, self.unsupported, self.checked)


@dataclass
class Trained:
    """A module whose forward and backward passes run as kernels."""

    forward: ExportedGraph
    """From parameters and inputs to results, and what the backward pass needs of them."""
    backward: ExportedGraph
    """From that and the gradients of the results to those of parameters and inputs."""
    function: Callable[..., Any]
    """Takes what the module takes, of the same shapes, and gives what it gives, with gradients."""

    def report(self) -> str:
        """What is unsupported in each pass."""
        return f"forward: {self.forward.report()}\nbackward: {self.backward.report()}"


def export_with_backward(
    target: Any,
    example_inputs: Sequence[Any],
    *,
    groups: str = "whole",
    check: bool = True,
    socket: str | None = None,
    **options: Any,
) -> Trained:
    """The specs of a module's or function's forward and backward passes.

    AOTAutograd traces both, and keeps or computes again what the backward pass needs, whichever
    moves less. Parameters stay those of the module, and a training step updates them as ever.

    Args:
        target: a `torch.nn.Module`, or a function of tensors.
        example_inputs: positional arguments; some tensor or parameter must want a gradient.
        groups: `whole` or `fusion`; see `export`.
        check: whether to ask the daemon, if one answers, which nodes it supports.
        socket: of the daemon; see `get`.
        options: `policy` and `deadline` of `get`, for the kernels of `function`.

    Raises:
        ValueError: for other groups, and when nothing wants a gradient.
        AOTAutograd's own errors for what it cannot trace.
    """
    if groups not in ("whole", "fusion"):
        raise ValueError(f"groups are 'whole' or 'fusion', not {groups!r}")
    module = target if isinstance(target, torch.nn.Module) else function_module(target)
    graphs: dict[str, ExportedGraph] = {}

    def compiler(role: str) -> Callable[[fx.GraphModule, Any], Callable[..., Any]]:
        def compile(graph: fx.GraphModule, _: Any) -> Callable[..., Any]:
            graphs[role] = _exported(graph.graph, groups == "fusion", check, socket)
            run = PartitionFunction(graphs[role].partition, {"socket": socket, **options})
            boxed: Callable[..., Any] = make_boxed_func(_flat(graph.graph, run))
            return boxed

        return compile

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        function = aot_module(
            module,
            fw_compiler=compiler("forward"),
            bw_compiler=compiler("backward"),
            partition_fn=min_cut_rematerialization_partition,
            decompositions=core_aten_decompositions(),
        )
        _run_once(module, function, example_inputs)
    if len(graphs) < 2:
        raise ValueError("nothing wants a gradient, so there is no backward pass")
    return Trained(graphs["forward"], graphs["backward"], function)


def _exported(graph: fx.Graph, by_fusion: bool, check: bool, socket: str | None) -> ExportedGraph:
    placeholders = [node for node in graph.nodes if node.op == "placeholder"]
    tensors = [node for node in placeholders if isinstance(node.meta.get("val"), torch.Tensor)]
    outputs = [node for node in _results(graph) if isinstance(node, fx.Node)]
    checks = checked(graph, {node: node.name for node in tensors}, check, socket)
    partition = partitioned(graph, tensors, outputs, checks.refused, by_fusion=by_fusion)
    return ExportedGraph(partition, checks.unsupported, checks.complete)


def _results(graph: fx.Graph) -> list[Any]:
    (output,) = (node for node in graph.nodes if node.op == "output")
    return pytree.tree_leaves(output.args[0], is_leaf=lambda leaf: leaf is None)


def _flat(graph: fx.Graph, run: PartitionFunction) -> Callable[..., Any]:
    """The function that AOTAutograd calls, whose results may be missing or no tensors."""
    placeholders = [node for node in graph.nodes if node.op == "placeholder"]
    places = [index for index, node in enumerate(placeholders) if node in run.partition.inputs]
    results = _results(graph)

    def call(*values: Any) -> list[Any]:
        with torch.no_grad():
            given = run(*[values[place].detach() for place in places])
        remaining = iter(given)
        return [next(remaining) if isinstance(item, fx.Node) else item for item in results]

    return call


def _run_once(module: Any, function: Any, example_inputs: Sequence[Any]) -> None:
    """Has AOTAutograd trace both passes; buffers and randomness stay as they are."""
    state = {name: value.clone() for name, value in module.named_buffers()}
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        inputs = pytree.tree_map(_leaf, list(example_inputs))
        results = pytree.tree_leaves(function(*inputs))
        wanted = [
            value
            for value in [*module.parameters(), *pytree.tree_leaves(inputs)]
            if isinstance(value, torch.Tensor) and value.requires_grad
        ]
        given = [
            value for value in results if isinstance(value, torch.Tensor) and value.requires_grad
        ]
        if given and wanted:
            torch.autograd.grad(
                given, wanted, [torch.ones_like(value) for value in given], allow_unused=True
            )
    with torch.no_grad():
        for name, value in module.named_buffers():
            value.copy_(state[name])


def _leaf(value: Any) -> Any:
    if not isinstance(value, torch.Tensor):
        return value
    return value.detach().clone().requires_grad_(value.requires_grad)
