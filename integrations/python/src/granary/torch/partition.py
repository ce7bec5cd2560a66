"""Which nodes of a graph of ATen operators go together into kernels."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import fx

_contractions = {
    "mm", "bmm", "addmm", "baddbmm", "linear", "matmul", "convolution", "convolution_backward",
    "scaled_dot_product_attention", "lstm", "gru", "rnn_tanh", "rnn_relu",
    "_cdist_forward", "_pdist_forward",
}  # fmt: skip
_views = {
    "alias", "detach", "expand", "permute", "select", "slice", "split_with_sizes", "squeeze", "t",
    "transpose", "unsqueeze", "view", "_unsafe_view", "diagonal", "unfold",
}  # fmt: skip
_creations = {"full", "zeros", "ones", "scalar_tensor", "arange"}

most_nodes = 48
"""So many operators a kernel has at most: more take long to compile and are hard to tune."""


def base_name(node: fx.Node) -> str:
    """The name of a node's operator without namespace and overload."""
    return str(node.target).partition(".")[2].split(".")[0]


def is_free(node: fx.Node) -> bool:
    """Whether a node only renames, selects or makes up elements: kernels do that while reading."""
    if node.target is operator.getitem:
        return True
    return node.op == "call_function" and base_name(node) in _views | _creations


@dataclass(eq=False)
class Group:
    """Nodes that become one kernel."""

    nodes: list[fx.Node] = field(default_factory=list)
    """In the order of the graph; what is free is not among them."""
    contracts: bool = False
    index: int = 0

    def takes(self, node: fx.Node) -> bool:
        """Whether a node, whose operands allow it, may join a group of the size of a kernel."""
        if len(self.nodes) >= most_nodes:
            return False
        return not (self.contracts and base_name(node) in _contractions)


class Partition:
    """The groups of a graph, without the nodes that its output does not need.

    A group has at most one contraction, and what follows it until the next. No way leads out of
    a group and back into it, so that groups and other nodes have an order to run in.

    Args:
        graph: of ATen operators.
        supported: says whether a node may be in a kernel.
        by_fusion: as said; without it there are as few groups as the others allow, of any size,
            views among their nodes.
    """

    def __init__(
        self, graph: fx.Graph, supported: Callable[[fx.Node], bool], *, by_fusion: bool = True
    ) -> None:
        self.groups: list[Group] = []
        self._supported = supported
        self._by_fusion = by_fusion
        self._unit: dict[fx.Node, int] = {}
        self._group: dict[int, Group] = {}
        # For each unit, a group or a node by itself, the bits of the units that it depends on.
        self._needs: list[int] = []
        self.needed = _needed(graph)
        for node in graph.nodes:
            if node in self.needed and node.op != "output" and not self.is_read_through(node):
                self._place(node)

    def is_read_through(self, node: fx.Node) -> bool:
        """Whether kernels read through a node, so that it is in all groups that need it."""
        is_part = node.target is operator.getitem
        return (is_part or (self._by_fusion and is_free(node))) and self._supported(node)

    def group_of(self, node: fx.Node) -> Group | None:
        """The group that computes a node."""
        unit = self._unit.get(node)
        return None if unit is None else self._group.get(unit)

    def is_inside(self, node: fx.Node) -> bool:
        """Whether kernels compute a node."""
        return self.is_read_through(node) or self.group_of(node) is not None

    def is_step(self, node: fx.Node) -> bool:
        """Whether a node is needed, and computed at a place of its own."""
        return node in self.needed and not self.is_read_through(node)

    def roots(self, node: fx.Node) -> Iterator[fx.Node]:
        """The values that a node needs, through what is free."""
        for operand in node.all_input_nodes:
            if self.is_read_through(operand):
                yield from self.roots(operand)
            else:
                yield operand

    def _place(self, node: fx.Node) -> None:
        units = {self._unit[root] for root in self.roots(node)}
        if node.op != "call_function" or not self._supported(node):
            self._unit[node] = self._new_unit(units)
            return
        for unit in self._candidates(units):
            group = self._group[unit]
            others = units - {unit}
            if self._by_fusion and not group.takes(node):
                continue
            if not any(self._needs[other] >> unit & 1 for other in others):
                self._join(node, group, unit, others)
                return
        self._open(node, units)

    def _candidates(self, units: set[int]) -> list[int]:
        """The groups that a node may join, the best first."""
        if self._by_fusion:
            # The latest producer: its results are still in the cache.
            return sorted(units & self._group.keys(), reverse=True)
        return sorted(self._group)

    def _open(self, node: fx.Node, units: Iterable[int]) -> None:
        unit = self._new_unit(units)
        group = Group([node], base_name(node) in _contractions, len(self.groups))
        self._unit[node] = unit
        self._group[unit] = group
        self.groups.append(group)

    def _join(self, node: fx.Node, group: Group, unit: int, others: Iterable[int]) -> None:
        group.nodes.append(node)
        group.contracts = group.contracts or base_name(node) in _contractions
        self._unit[node] = unit
        needed = self._bits(others)
        self._needs[unit] |= needed
        for index, needs in enumerate(self._needs):
            if needs >> unit & 1:
                self._needs[index] = needs | needed

    def _new_unit(self, units: Iterable[int]) -> int:
        self._needs.append(self._bits(units))
        return len(self._needs) - 1

    def _bits(self, units: Iterable[int]) -> int:
        bits = 0
        for unit in units:
            bits |= self._needs[unit] | 1 << unit
        return bits


def _needed(graph: fx.Graph) -> set[fx.Node]:
    """The nodes that the output needs, and those that are there for their effect."""
    needed: set[fx.Node] = set()
    waiting = [node for node in graph.nodes if node.op == "output" or node.is_impure()]
    while waiting:
        node = waiting.pop()
        if node not in needed:
            needed.add(node)
            waiting += node.all_input_nodes
    return needed


@dataclass
class Piece:
    """A group as a graph of its own: what its kernel computes and PyTorch can run as well."""

    group: Group
    graph: fx.Graph
    operands: list[fx.Node]
    """The nodes of the whole graph whose values the piece takes, one for each placeholder."""
    results: list[fx.Node]
    """The nodes of the whole graph that the piece gives, with those of several results not
    among them: their `getitem` nodes are."""


def piece_of(group: Group, partition: Partition) -> Piece:
    """Copies a group with the free nodes that it reads through."""
    builder = _PieceBuilder(partition)
    for node in group.nodes:
        builder.copy(node)
    results = list(_results(group, partition))
    builder.graph.output(tuple(builder.value(result) for result in results))
    return Piece(group, builder.graph, builder.operands, results)


def whole_piece(
    group: Group, partition: Partition, inputs: Iterable[fx.Node], outputs: Sequence[fx.Node]
) -> Piece:
    """Copies the only group of a graph, under the names of its nodes.

    Args:
        group: which computes all that is not an input.
        partition: the graph's.
        inputs: the operands, in the order of the values to come; some may be unused.
        outputs: the results that are wanted, in their order.
    """
    builder = _PieceBuilder(partition, keeps_names=True)
    for node in inputs:
        builder.add_operand(node)
    for node in group.nodes:
        builder.copy(node)
    builder.graph.output(tuple(builder.value(output) for output in outputs))
    return Piece(group, builder.graph, builder.operands, list(outputs))


def _results(group: Group, partition: Partition) -> Iterator[fx.Node]:
    """What others than the group read of it."""
    for node in group.nodes:
        parts = [node]
        if not isinstance(node.meta.get("val"), torch.Tensor):
            parts = [user for user in node.users if user.target is operator.getitem]
        for part in parts:
            if any(_leaves(user, group, partition) for user in part.users):
                yield part


def _leaves(user: fx.Node, group: Group, partition: Partition) -> bool:
    if partition.is_read_through(user):
        return any(_leaves(next, group, partition) for next in user.users)
    return partition.group_of(user) is not group


class _PieceBuilder:
    """Args:
    partition: the graph's.
    keeps_names: whether copies are called as their originals, not by their place only, by
        which equal groups of a model are equal texts.
    """

    def __init__(self, partition: Partition, *, keeps_names: bool = False) -> None:
        self.graph = fx.Graph()
        self.operands: list[fx.Node] = []
        self._partition = partition
        self._keeps_names = keeps_names
        self._values: dict[fx.Node, fx.Node] = {}

    def copy(self, node: fx.Node) -> fx.Node:
        """Copies a node with what it reads through."""
        for operand in node.all_input_nodes:
            self.value(operand)
        args, kwargs = fx.map_arg((node.args, node.kwargs), self._values.__getitem__)
        name = node.name if self._keeps_names else f"v{len(self._values)}"
        copied = self.graph.create_node(node.op, node.target, args, kwargs, name)
        copied.meta["val"] = node.meta["val"]
        self._values[node] = copied
        return copied

    def value(self, node: fx.Node) -> fx.Node:
        """The copy of a node, or the placeholder that stands for it."""
        if node in self._values:
            return self._values[node]
        if self._partition.is_read_through(node) and not self._is_result_of_another(node):
            return self.copy(node)
        return self.add_operand(node)

    def add_operand(self, node: fx.Node) -> fx.Node:
        """A placeholder for the value of a node."""
        name = node.name if self._keeps_names else f"x{len(self.operands)}"
        placeholder = self.graph.placeholder(name)
        placeholder.meta["val"] = node.meta["val"]
        self.operands.append(node)
        self._values[node] = placeholder
        return placeholder

    def _is_result_of_another(self, node: fx.Node) -> bool:
        """Whether a node is one of the results of an operator in another group."""
        if node.target is not operator.getitem:
            return False
        source = node.all_input_nodes[0]
        return source not in self._values and self._partition.group_of(source) is not None
