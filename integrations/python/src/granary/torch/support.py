"""Which nodes of a graph kernels can compute, as the daemon says."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

import torch
from torch import fx

from granary.errors import BadSpec, GranaryError, NoKernel, PreferVendor, Unsupported
from granary.graphs import Translation
from granary.kernels import get_all
from granary.spec import UnsupportedNode
from granary.torch.partition import base_name

# Where Granary's meaning is not PyTorch's: docs/spec.md says how they differ.
_denied = {"as_strided", "resize_", "empty", "empty_strided", "nonzero", "_local_scalar_dense"}
_first_result_only = {"_embedding_bag"}
_random = "its random numbers are PyTorch's"


class Support:
    """Which nodes of a graph may be in kernels; without `ask`, all that specs have a form for.

    Args:
        graph: of ATen operators.
        random: whether operators with random numbers may be; a kernel's are not PyTorch's.
    """

    _answers: dict[str, str] = {}  # noqa: RUF012

    def __init__(self, graph: fx.Graph, *, random: bool = False) -> None:
        self.reasons: dict[fx.Node, str] = {}
        """Why a node stays with PyTorch."""
        self.is_checked = False
        """Whether a daemon was asked about every node."""
        self._graph = graph
        self._texts: dict[fx.Node, str] = {}
        for node in graph.nodes:
            if node.op != "call_function" or node.target is operator.getitem:
                continue
            if reason := refusal(node, random=random):
                self.reasons[node] = reason
            elif text := self._text(node):
                self._texts[node] = text
        self._take(self._texts)

    @classmethod
    def known(cls, graph: fx.Graph, names: Iterable[str]) -> Support:
        """The support of a graph that was asked about before: the names of the nodes."""
        support, taken = cls(graph), set(names)
        support._taken = {node for node in graph.nodes if node.name in taken}
        return support

    def __call__(self, node: fx.Node) -> bool:
        """Whether a node of the graph may be in a kernel."""
        return node in self._taken

    def ask(self, socket: str | None) -> None:
        """Asks the daemon about all nodes at once, each by itself, and remembers the answers for
        the process.

        Raises:
            GranaryError: when the daemon does not answer.
        """
        self._resolve(dict.fromkeys(self._texts.values()), socket)
        self.reasons |= {
            node: _random if is_random(node) else self._answers[text]
            for node, text in self._texts.items()
            if self._answers[text]
        }
        self._take(node for node in self._texts if node not in self.reasons)
        self.is_checked = True

    def unsupported(self) -> list[UnsupportedNode]:
        """The nodes that stay with PyTorch, in the order of the graph."""
        return [
            UnsupportedNode(node.name, str(node.target), self.reasons[node])
            for node in self._graph.nodes
            if node in self.reasons
        ]

    def _take(self, nodes: Iterable[fx.Node]) -> None:
        self._taken = set(nodes)
        for node in self._graph.nodes:
            if node.target is operator.getitem and node.args[0] in self._taken:
                self._taken.add(node)

    def _text(self, node: fx.Node) -> str | None:
        translation = single(node)
        if translation.unsupported:
            self.reasons[node] = translation.unsupported[0].reason
            return None
        outputs = next(other for other in translation.graph.nodes if other.op == "output")
        return translation.spec(outputs.args[0]).json()

    def _resolve(self, texts: Iterable[str], socket: str | None) -> None:
        new = [text for text in texts if text not in self._answers]
        answers = get_all(new, policy="cached", socket=socket)
        for text, answer in zip(new, answers, strict=True):
            if isinstance(answer, BadSpec | Unsupported):
                self._answers[text] = str(answer).split("): ", 1)[-1] or "unsupported"
            elif isinstance(answer, GranaryError) and not isinstance(
                answer, NoKernel | PreferVendor
            ):
                raise answer
            else:
                self._answers[text] = ""


class _Single(Translation):
    def __init__(self, graph: fx.Graph, inputs: dict[fx.Node, str]) -> None:
        super().__init__(graph, inputs)
        self.graph = graph


def single(node: fx.Node) -> _Single:
    """A node by itself, its operands being inputs and all that is used of it being outputs."""
    graph, inputs = fx.Graph(), {}
    copies: dict[fx.Node, fx.Node] = {}
    for index, operand in enumerate(node.all_input_nodes):
        copies[operand] = graph.placeholder(f"x{index}")
        copies[operand].meta["val"] = operand.meta.get("val")
        inputs[copies[operand]] = f"x{index}"
    args, kwargs = fx.map_arg((node.args, node.kwargs), copies.__getitem__)
    copied = graph.create_node("call_function", node.target, args, kwargs, "y")
    copied.meta["val"] = node.meta["val"]
    results = [copied]
    if not isinstance(node.meta["val"], torch.Tensor):
        users = {user.args[1]: user for user in node.users}
        results = []
        for position, user in sorted(users.items()):
            part = graph.call_function(operator.getitem, (copied, position))
            part.meta["val"] = user.meta["val"]
            results.append(part)
    graph.output(tuple(results))
    return _Single(graph, inputs)


def refusal(node: fx.Node, *, random: bool = False) -> str | None:
    """Why a node is not even asked about.

    Args:
        node: of a graph of ATen operators.
        random: whether operators with random numbers are asked about.
    """
    target: Any = node.target
    if not isinstance(target, torch._ops.OpOverload):
        return "it is no ATen operator"
    if not random and is_random(node):
        return _random
    if target._schema.is_mutable:
        return "it changes its operands"
    if base_name(node) in _denied and not _strides_over_a_whole(node):
        return "its meaning in specs is not PyTorch's"
    if base_name(node) in _first_result_only and any(user.args[1] != 0 for user in node.users):
        return "its further results are not PyTorch's"
    for value in [node, *node.all_input_nodes]:
        if reason := _refused_value(value):
            return reason
    return None


def _strides_over_a_whole(node: fx.Node) -> bool:
    """Whether the node is `as_strided` of a tensor that is all of its storage in order: then the
    strides count the tensor's own elements, as they do in specs."""
    if base_name(node) != "as_strided" or not isinstance(node.args[0], fx.Node):
        return False
    value = node.args[0].meta.get("val")
    return (
        isinstance(value, torch.Tensor)
        and value.is_contiguous()
        and value.storage_offset() == 0
        and value.untyped_storage().nbytes() == value.numel() * value.element_size()
    )


def is_random(node: fx.Node) -> bool:
    """Whether a node draws random numbers: attention without dropout does not."""
    target: Any = node.target
    if not isinstance(target, torch._ops.OpOverload):
        return False
    if torch.Tag.nondeterministic_seeded not in target.tags:
        return False
    for place, argument in enumerate(target._schema.arguments):
        if argument.name == "dropout_p":
            given = node.args[place] if place < len(node.args) else node.kwargs.get("dropout_p", 0)
            return bool(given != 0)
    return True


def _refused_value(node: fx.Node) -> str | None:
    value = node.meta.get("val")
    tensors = [value] if isinstance(value, torch.Tensor) else value
    if not isinstance(tensors, list | tuple):
        return "an operand or the result is no tensor"
    for tensor in tensors:
        if tensor is None:
            continue
        if not isinstance(tensor, torch.Tensor) or tensor.device.type != "cpu":
            return "a tensor is not on the CPU"
        if tensor.layout != torch.strided:
            return "a tensor is not strided"
        if tensor.is_complex():
            return f"a tensor is complex: {tensor.dtype}"
        if not all(type(extent) is int for extent in (*tensor.shape, *tensor.stride())):
            return "a shape is not static"
    return None
