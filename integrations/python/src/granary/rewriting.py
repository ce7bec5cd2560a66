"""Operators that PyTorch's export writes and ATen's core set does not have, in terms of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Written = tuple[list[dict[str, Any]], dict[int, str]]
"""Nodes of a spec, and the reference of each result of the operator that they replace."""

Rewriting = Callable[[str, dict[str, Any], Any], Written]
"""Takes the identifier, the written arguments and the value of the first operand."""


def batch_norm_functional(identifier: str, args: dict[str, Any], input: Any) -> Written:
    """Batch norm that gives the running statistics instead of changing them.

    The running variance takes the unbiased one, as `torch.nn.BatchNorm2d` says.
    """
    norm = {name: args[name] for name in ("input", "weight", "bias", "momentum", "eps")}
    running = {"mean": args["running_mean"], "var": args["running_var"]}
    if not args["training"]:
        written = {**norm, "running_mean": running["mean"], "running_var": running["var"]}
        node = _node(identifier, "_native_batch_norm_legit_no_training.default", **written)
        return [node], _results(identifier, running["mean"], running["var"])
    dims = [dim for dim in range(input.ndim) if dim != 1]
    nodes = [_node(identifier, "_native_batch_norm_legit.no_stats", **norm, training=True)]
    statistics: dict[str, tuple[str, dict[str, Any]]] = {
        "mean": ("mean.dim", {"dim": dims}),
        "var": ("var.correction", {"dim": dims, "correction": 1}),
    }
    for name, (operator, arguments) in statistics.items():
        part = f"{identifier}_{name}"
        momentum = args["momentum"]
        nodes += [
            _node(part, operator, self=args["input"], **arguments),
            _node(f"{part}_new", "mul.Tensor", self=f"%{part}", other=momentum),
            _node(f"{part}_old", "mul.Tensor", self=running[name], other=1 - momentum),
            _node(f"{part}_sum", "add.Tensor", self=f"%{part}_old", other=f"%{part}_new"),
        ]
    return nodes, _results(identifier, f"%{identifier}_mean_sum", f"%{identifier}_var_sum")


def alias(identifier: str, args: dict[str, Any], _: Any) -> Written:
    """The tensor itself, for operators that only matter to whoever may change it."""
    return [_node(identifier, "alias.default", self=args["self"])], {0: f"%{identifier}"}


def convert(identifier: str, args: dict[str, Any], _: Any) -> Written:
    """Another dtype, as PyTorch's own decompositions write it."""
    node = _node(identifier, "_to_copy.default", self=args["a"], dtype=args["dtype"])
    return [node], {0: f"%{identifier}"}


rewritings: dict[str, Rewriting] = {
    "aten._native_batch_norm_legit_functional.default": batch_norm_functional,
    "aten.lift_fresh.default": alias,
    "aten.lift_fresh_copy.default": alias,
    "prims.convert_element_type.default": convert,
}
"""By the full name of the operator."""


def _node(identifier: str, operator: str, **args: Any) -> dict[str, Any]:
    return {"id": identifier, "op": f"aten.{operator}", "args": args}


def _results(identifier: str, *others: str) -> dict[int, str]:
    own = {index: f"%{identifier}#{index}" for index in range(3)}
    return own | dict(enumerate(others, start=3))
