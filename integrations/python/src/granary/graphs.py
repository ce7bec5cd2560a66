"""From FX graphs of ATen operators to specs."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import fx

from granary.rewriting import rewritings
from granary.spec import Spec, TensorType, UnsupportedNode
from granary.tensors import torch_dtype_name

# Where results lie and how they are made is not part of what they are.
_placement = {"device", "layout", "memory_format", "non_blocking", "pin_memory"}
_namespaces = {"aten", "fbgemm"}
# Operators without a result that only check.
_assertions = {
    "_assert_async",
    "_assert_scalar",
    "_assert_tensor_metadata",
    "sym_constrain_range",
    "sym_constrain_range_for_size",
}
# Whose result or operand has pairs in specs.
_to_complex = {"aten._fft_r2c.default", "aten._fft_c2c.default"}
_between_complex = {"aten.view_as_real.default", "aten.view_as_complex.default"}


class Untranslatable(Exception):
    """A node or a value that specs have no form for."""


def tensor_type(tensor: Any) -> TensorType:
    """The type of a tensor, real or fake, with its strides.

    Raises:
        Untranslatable: for a dtype, a size or a layout that specs do not have.
    """
    dtype = torch_dtype_name(tensor.dtype)
    if dtype is None:
        raise Untranslatable(f"specs have no dtype {tensor.dtype}")
    if tensor.layout != torch.strided:
        raise Untranslatable(f"specs have no layout {tensor.layout}")
    shape, strides = tuple(tensor.shape), tuple(tensor.stride())
    if not all(type(extent) is int for extent in shape + strides):
        raise Untranslatable(f"the shape {shape} is not static")
    return TensorType(dtype, shape, strides)


class Translation:
    """Turns the nodes of one graph into those of a spec.

    Args:
        graph: whose `call_function` nodes are ATen operators, with tensors in `meta["val"]`.
        inputs: the placeholders and constants that become inputs, in the spec's order, with
            their names.
    """

    def __init__(self, graph: fx.Graph, inputs: Mapping[fx.Node, str]) -> None:
        self.inputs: list[tuple[str, TensorType]] = []
        self.nodes: list[dict[str, Any]] = []
        self.unsupported: list[UnsupportedNode] = []
        self._references: dict[fx.Node, str] = {}
        self._rewritten: dict[fx.Node, dict[int, str]] = {}
        self._taken: set[str] = set()
        for node, name in inputs.items():
            self._add_input(node, name)
        for node in graph.nodes:
            if node.op not in ("placeholder", "output") and node not in inputs:
                self._add(node)

    def spec(self, outputs: Iterable[fx.Node], name: str | None = None) -> Spec:
        """The whole graph as one spec.

        Raises:
            Untranslatable: when an output has no value in the spec.
        """
        return Spec(self.inputs, self.nodes, [self._reference(node) for node in outputs], name)

    def _add_input(self, node: fx.Node, name: str) -> None:
        name = self._fresh(name)
        try:
            type = tensor_type(node.meta["val"])
            self.inputs.append((name, type))
            self._references[node] = f"%{name}"
        except Untranslatable as reason:
            self.unsupported.append(UnsupportedNode(name, "input", str(reason)))

    def _add(self, node: fx.Node) -> None:
        try:
            if node.target is operator.getitem:
                of, index = node.args
                assert isinstance(index, int)
                if isinstance(of, fx.Node) and of in self._rewritten:
                    self._references[node] = self._rewritten[of][index]
                elif isinstance(of, fx.Node) and of in self._references:
                    self._references[node] = f"{self._references[of]}#{index}"
                return
            if _base_name(node) in _assertions:
                return
            if not isinstance(node.target, torch._ops.OpOverload):
                raise Untranslatable("it is no ATen operator")
            if node.target.namespace not in _namespaces and str(node.target) not in rewritings:
                raise Untranslatable("it is an operator of none of the known libraries")
            if str(node.target) in _between_complex:
                # In specs, a complex number is a pair of real ones.
                self._references[node] = self._reference(next(iter(node.all_input_nodes)))
                return
            for index in _results(node):
                if str(node.target) not in _to_complex:
                    tensor_type(_result(node, index))
            identifier = self._fresh(node.name)
            arguments = self._arguments(node)
            if rewriting := rewritings.get(str(node.target)):
                first = next(iter(node.all_input_nodes)).meta["val"]
                nodes, self._rewritten[node] = rewriting(identifier, arguments, first)
                if isinstance(node.meta["val"], torch.Tensor):
                    self._references[node] = self._rewritten[node][0]
            else:
                nodes = [{"id": identifier, "op": str(node.target), "args": arguments}]
                self._references[node] = f"%{identifier}"
            self.nodes += nodes
        except Untranslatable as reason:
            self.unsupported.append(UnsupportedNode(node.name, _name(node), str(reason)))

    def _arguments(self, node: fx.Node) -> dict[str, Any]:
        assert isinstance(node.target, torch._ops.OpOverload)
        parameters = node.target._schema.arguments
        given = {
            parameter.name: value for parameter, value in zip(parameters, node.args, strict=False)
        }
        given.update(node.kwargs)
        given = {name: value for name, value in given.items() if name not in _placement}
        if given.get("generator", 0) is None:
            del given["generator"]
        return {name: self._argument(value) for name, value in given.items()}

    def _argument(self, value: Any) -> Any:
        if isinstance(value, fx.Node):
            return self._reference(value)
        if isinstance(value, torch.dtype):
            name = torch_dtype_name(value)
            if name is None:
                raise Untranslatable(f"specs have no dtype {value}")
            return name
        if isinstance(value, list | tuple):
            return [self._argument(item) for item in value]
        if value is None or isinstance(value, bool | int | float | str):
            return value
        raise Untranslatable(f"specs have no argument {value!r}")

    def _reference(self, node: fx.Node) -> str:
        reference = self._references.get(node)
        if reference is None:
            raise Untranslatable(f"its operand {node.name} has no value in the spec")
        return reference

    def _fresh(self, name: str) -> str:
        base = re.sub(r"\W", "_", name) or "x"
        fresh, count = base, 1
        while fresh in self._taken:
            fresh = f"{base}_{count}"
            count += 1
        self._taken.add(fresh)
        return fresh


def is_assertion(node: fx.Node) -> bool:
    """Whether a node has no result and only checks."""
    return node.op == "call_function" and _base_name(node) in _assertions


def _results(node: fx.Node) -> Sequence[int]:
    """The positions of a node's results that are tensors."""
    value = node.meta.get("val")
    if isinstance(value, torch.Tensor):
        return [0]
    if isinstance(value, list | tuple):
        return [index for index, item in enumerate(value) if isinstance(item, torch.Tensor)]
    raise Untranslatable("its result is no tensor")


def _result(node: fx.Node, index: int) -> Any:
    value = node.meta["val"]
    return value if isinstance(value, torch.Tensor) else value[index]


def _base_name(node: fx.Node) -> str:
    return str(node.target).removeprefix("aten.").split(".")[0]


def _name(node: fx.Node) -> str:
    return str(node.target) if node.op == "call_function" else f"{node.op} {node.target}"
