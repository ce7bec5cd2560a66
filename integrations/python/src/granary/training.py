"""Forward with backward: the graphs that AOTAutograd makes of a module, as specs."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from functorch.compile import aot_module, make_boxed_func
from torch import fx
from torch._decomp import core_aten_decompositions
from torch._functorch.partitioners import min_cut_rematerialization_partition
from torch.utils import _pytree as pytree

from granary.errors import GranaryError
from granary.exporting import function_module, reported, specs_of
from granary.spec import Spec, UnsupportedNode
from granary.torch.groups import FusedGraph
from granary.torch.support import Support


@dataclass
class ExportedGraph:
    """One of the two graphs: the forward or the backward one."""

    graph: FusedGraph
    """The groups that kernels compute, and the nodes that stay with PyTorch."""

    @property
    def specs(self) -> list[Spec]:
        """The different specs of the groups."""
        return specs_of(self.graph)

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
            fused = _fused(graph, groups == "fusion", check, socket)
            graphs[role] = ExportedGraph(fused)
            fused.ask(**{"deadline": 120, "socket": socket, **options})
            boxed: Callable[..., Any] = make_boxed_func(fused.compile(measured=False))
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


def _fused(module: fx.GraphModule, by_fusion: bool, check: bool, socket: str | None) -> FusedGraph:
    support = Support(module.graph)
    if check:
        with contextlib.suppress(GranaryError):
            support.ask(socket)
    return FusedGraph(module, support, by_fusion=by_fusion)


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
