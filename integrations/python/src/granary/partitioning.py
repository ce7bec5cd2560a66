"""Cuts a graph of ATen operators into groups with a spec each and nodes that stay with PyTorch."""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx

from granary.function import KernelFunction
from granary.graphs import Translation
from granary.kernels import Kernel
from granary.spec import Spec, TensorType

# Each starts a group of its own: it dominates the time of what surrounds it.
_heavy = {
    "addbmm",
    "addmm",
    "addmv",
    "baddbmm",
    "bmm",
    "conv1d",
    "conv2d",
    "conv3d",
    "convolution",
    "convolution_backward",
    "gru",
    "linear",
    "lstm",
    "matmul",
    "mm",
    "mv",
    "rnn_relu",
    "rnn_tanh",
    "scaled_dot_product_attention",
}
_largest_group = 64
"""Nodes of a fusion group at most, so that its kernel compiles in bounded time and memory."""


@dataclass(frozen=True)
class Group:
    """Nodes that one kernel computes, in an order that runs."""

    nodes: list[fx.Node]
    inputs: list[fx.Node]
    outputs: list[fx.Node]
    spec: int
    """The position of its spec among those of the partition; equal groups share one."""


@dataclass(frozen=True)
class Partition:
    """A graph as groups and single nodes, in an order that runs."""

    graph: fx.Graph
    inputs: list[fx.Node]
    outputs: list[fx.Node]
    steps: list[Group | fx.Node]
    specs: list[Spec]

    @property
    def groups(self) -> list[Group]:
        """The steps that kernels compute."""
        return [step for step in self.steps if isinstance(step, Group)]

    @property
    def remaining(self) -> list[fx.Node]:
        """The steps that stay with PyTorch."""
        return [step for step in self.steps if isinstance(step, fx.Node)]


def partitioned(
    graph: fx.Graph,
    inputs: Sequence[fx.Node],
    outputs: Sequence[fx.Node],
    refused: set[fx.Node],
    *,
    by_fusion: bool,
    name: str | None = None,
) -> Partition:
    """The partition of a graph.

    Args:
        graph: without symbolic shapes; nodes that nothing needs are left out.
        inputs: the placeholders, in the order of the values to come.
        outputs: the nodes whose values are wanted.
        refused: the nodes that have no kernel.
        by_fusion: one group for each heavy operator with what surrounds it, instead of as few
            groups as the refused nodes allow.
        name: the label of the spec when a single one says the whole graph.
    """
    needed = _needed(outputs)
    kept = {node for node in needed if _producer(node) in refused}
    ordered = _depth_first(outputs) if by_fusion else _alternating(graph, needed, kept)
    cuts = list(_cut(ordered, kept, by_fusion))
    if len(cuts) == 1 and not isinstance(cuts[0], fx.Node):
        names = {node: node.name for node in inputs}
        whole = Translation(graph, names, cuts[0]).spec(outputs, name)
        group = Group(cuts[0], list(inputs), list(outputs), 0)
        return Partition(graph, list(inputs), list(outputs), [group], [whole])
    return _assembled(graph, inputs, outputs, cuts)


def _assembled(
    graph: fx.Graph,
    inputs: Sequence[fx.Node],
    outputs: Sequence[fx.Node],
    cuts: Iterable[list[fx.Node] | fx.Node],
) -> Partition:
    steps: list[Group | fx.Node] = []
    specs: dict[str, int] = {}
    written: list[Spec] = []
    wanted = set(outputs)
    for cut in cuts:
        if isinstance(cut, fx.Node):
            steps.append(cut)
            continue
        own = set(cut)
        reads = dict.fromkeys(
            operand for node in cut for operand in node.all_input_nodes if operand not in own
        )
        gives = [node for node in cut if node in wanted or not own.issuperset(node.users)]
        gives = [node for node in gives if isinstance(node.meta.get("val"), torch.Tensor)]
        if not reads or not gives:
            # Without inputs there is no tensor to say where results go.
            steps += cut
            continue
        names = {node: node.name for node in reads}
        spec = Translation(graph, names, cut).spec(gives).renamed()
        position = specs.setdefault(spec.json(), len(specs))
        if position == len(written):
            written.append(spec)
        steps.append(Group(cut, list(reads), gives, position))
    return Partition(graph, list(inputs), list(outputs), steps, written)


def _needed(outputs: Iterable[fx.Node]) -> set[fx.Node]:
    needed: set[fx.Node] = set()
    waiting = list(outputs)
    while waiting:
        node = waiting.pop()
        if node not in needed:
            needed.add(node)
            waiting += node.all_input_nodes
    return needed


def _producer(node: fx.Node) -> fx.Node:
    """The node that computes the value: results are taken apart where they are made."""
    while node.target is operator.getitem:
        node = node.all_input_nodes[0]
    return node


def _alternating(graph: fx.Graph, needed: set[fx.Node], kept: set[fx.Node]) -> list[fx.Node]:
    """The nodes in an order that runs and changes as seldom as it can between kept and others."""
    missing = {
        node: sum(operand.op == "call_function" for operand in node.all_input_nodes)
        for node in graph.nodes
        if node in needed and node.op == "call_function"
    }
    ready = {False: deque[fx.Node](), True: deque[fx.Node]()}
    for node, count in missing.items():
        if count == 0:
            ready[node in kept].append(node)
    ordered: list[fx.Node] = []
    side = False
    while ready[False] or ready[True]:
        if not ready[side]:
            side = not side
        node = ready[side].popleft()
        ordered.append(node)
        for user in node.users:
            if user in missing:
                missing[user] -= 1
                if missing[user] == 0:
                    ready[user in kept].append(user)
    return ordered


def _depth_first(outputs: Sequence[fx.Node]) -> list[fx.Node]:
    """The nodes in an order that runs, each as close before its first user as can be.

    What only rearranges the graph's inputs, such as a transposed weight, comes right before its
    user.
    """
    from_inputs = _cheap_from_inputs(_needed(outputs))
    ordered: dict[fx.Node, None] = {}
    waiting = [(node, False) for node in reversed(outputs)]
    while waiting:
        node, is_prepared = waiting.pop()
        if node in ordered or node.op != "call_function":
            continue
        if is_prepared:
            ordered[node] = None
            continue
        waiting.append((node, True))
        operands = sorted(node.all_input_nodes, key=lambda operand: operand in from_inputs)
        waiting += [(operand, False) for operand in reversed(operands)]
    return _with_parts(ordered)


def _cheap_from_inputs(nodes: set[fx.Node]) -> set[fx.Node]:
    cheap: set[fx.Node] = set()
    for node in sorted(nodes):
        if node.op == "call_function" and _is_light(node):
            operands = node.all_input_nodes
            if all(operand.op == "placeholder" or operand in cheap for operand in operands):
                cheap.add(node)
    return cheap


def _is_light(node: fx.Node) -> bool:
    target = node.target
    if not isinstance(target, torch._ops.OpOverload):
        return False
    return target.is_view or torch.Tag.pointwise in target.tags


def _is_view(node: fx.Node) -> bool:
    return isinstance(node.target, torch._ops.OpOverload) and node.target.is_view


def _with_parts(ordered: Iterable[fx.Node]) -> list[fx.Node]:
    """The order with each `getitem` right behind what it takes apart."""
    wanted = set(ordered)
    result: list[fx.Node] = []
    for node in ordered:
        if node.target is not operator.getitem:
            result.append(node)
            result += [user for user in node.users if user in wanted and _is_part(user)]
    return result


def _is_part(node: fx.Node) -> bool:
    return node.target is operator.getitem


def _cut(
    ordered: list[fx.Node], kept: set[fx.Node], by_fusion: bool
) -> Iterator[list[fx.Node] | fx.Node]:
    """Groups of consecutive nodes, and the kept ones by themselves."""
    group: list[fx.Node] = []
    has_heavy = False
    for node in ordered:
        if node in kept:
            if group:
                yield group
            yield node
            group, has_heavy = [], False
            continue
        is_heavy = _base_name(node) in _heavy
        if by_fusion and group and not _is_part(node):
            if is_heavy and has_heavy:
                before, own = _split(group)
                yield before
                group = own
            elif len(group) >= _largest_group:
                yield group
                group, has_heavy = [], False
        has_heavy = has_heavy or is_heavy
        group.append(node)
    if group:
        yield group


def _split(group: list[fx.Node]) -> tuple[list[fx.Node], list[fx.Node]]:
    """The group without what at its end only rearranges or needs nothing of it.

    That belongs to the next group, which reads through it without a copy.
    """
    own = set(group)
    start = len(group)
    while start > 1:
        last = group[start - 1]
        if _is_part(last) or _base_name(last) in _heavy:
            break
        if not _is_view(last) and not own.isdisjoint(last.all_input_nodes):
            break
        own.discard(last)
        start -= 1
    return group[:start], group[start:]


def _base_name(node: fx.Node) -> str:
    return str(node.target).removeprefix("aten.").split(".")[0]


class PartitionFunction:
    """Runs a partition: kernels for the groups, PyTorch for the rest and where there is no kernel.

    Takes the values of the partition's inputs and gives a tuple of its outputs' values. A value
    that crosses into a kernel is contiguous.
    """

    def __init__(self, partition: Partition, options: dict[str, Any]) -> None:
        self.partition = partition
        self.kernels: list[KernelFunction | None] = [None] * len(partition.specs)
        """By the position of the spec."""
        for group in partition.groups:
            if self.kernels[group.spec] is None:
                fallback = _in_pytorch(group)
                spec = partition.specs[group.spec]
                self.kernels[group.spec] = KernelFunction(spec, fallback, options)
        self._types = [[type for _, type in spec.inputs] for spec in partition.specs]
        self._released = _last_uses(partition)

    def resolve(self) -> list[Kernel]:
        """Asks for all kernels now; gives them by the position of their spec.

        Raises:
            GranaryError: when one is missing.
        """
        return [kernel.resolve() for kernel in self.kernels if kernel is not None]

    @property
    def fallback_calls(self) -> int:
        """How many times a group was computed by PyTorch for want of a kernel."""
        return sum(kernel.fallback_calls for kernel in self.kernels if kernel is not None)

    def __call__(self, *values: Any) -> tuple[Any, ...]:
        """The values of the outputs."""
        known: dict[fx.Node, Any] = dict(zip(self.partition.inputs, values, strict=True))
        for step, released in zip(self.partition.steps, self._released, strict=True):
            if isinstance(step, Group):
                self._run(step, known)
            else:
                known[step] = _computed(step, known)
            for node in released:
                known.pop(node, None)
        return tuple(known[node] for node in self.partition.outputs)

    def _run(self, group: Group, known: dict[fx.Node, Any]) -> None:
        kernel = self.kernels[group.spec]
        assert kernel is not None
        types = self._types[group.spec]
        given = [
            _laid_out(known[node], type) for node, type in zip(group.inputs, types, strict=True)
        ]
        results = kernel(*given)
        if len(group.outputs) == 1:
            results = (results,)
        known.update(zip(group.outputs, results, strict=True))


def _last_uses(partition: Partition) -> list[list[fx.Node]]:
    """For each step the values that no later step needs."""
    wanted = set(partition.outputs)
    seen: set[fx.Node] = set()
    released: list[list[fx.Node]] = []
    for step in reversed(partition.steps):
        reads = step.inputs if isinstance(step, Group) else step.all_input_nodes
        released.append([node for node in reads if node not in wanted and node not in seen])
        seen.update(reads)
    return released[::-1]


def _laid_out(tensor: Any, type: TensorType) -> Any:
    """The tensor with the strides of the type, copied where it has others."""
    if tensor.stride() == type.strides:
        return tensor
    if type.is_contiguous:
        return tensor.contiguous()
    copy = torch.empty_strided(type.shape, type.strides, dtype=tensor.dtype)
    return copy.copy_(tensor)


def _computed(node: fx.Node, known: dict[fx.Node, Any]) -> Any:
    args = fx.node.map_arg(node.args, known.__getitem__)
    kwargs = fx.node.map_arg(node.kwargs, known.__getitem__)
    assert callable(node.target)
    return node.target(*args, **kwargs)


def _in_pytorch(group: Group) -> Callable[..., Any]:
    """What the group computes, by PyTorch's own operators."""

    def run(*values: Any) -> Any:
        known = dict(zip(group.inputs, values, strict=True))
        for node in group.nodes:
            known[node] = _computed(node, known)
        results = tuple(known[node] for node in group.outputs)
        return results[0] if len(results) == 1 else results

    return run
