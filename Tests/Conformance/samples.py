"""PyTorch's own samples of its operators, as specs with inputs and expected outputs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from pairs import as_pairs, has_complex, on_pairs
from torch.fx.experimental.proxy_tensor import make_fx
from torch.testing._internal.common_methods_invocations import op_db
from torch.utils import _pytree as pytree

from granary.graphs import Translation, Untranslatable, tensor_type
from granary.spec import Spec
from granary.torch.support import is_random

dtypes = {
    "f32": torch.float32,
    "f64": torch.float64,
    "bf16": torch.bfloat16,
    "f16": torch.float16,
    "i64": torch.int64,
    "i32": torch.int32,
    "i16": torch.int16,
    "i8": torch.int8,
    "u8": torch.uint8,
    "bool": torch.bool,
}
# Their results are whatever was in memory.
uninitialised = {"empty", "empty_like", "empty_permuted", "empty_strided", "new_empty"}
uninitialised |= {"new_empty_strided", "resize_", "resize_as_"}


class NotComparable(Exception):
    """A sample that says nothing about a kernel, and why."""


@dataclass
class Sample:
    """One call of an operator: what to compute, on what, and what PyTorch gives."""

    spec: Spec
    arguments: list[torch.Tensor]
    constants: list[torch.Tensor]
    expected: list[torch.Tensor]
    counted: list[int]
    """The outputs with as many rows as there may be; how many there are follows all results."""
    has_gradients: bool
    _function: Callable[..., list[torch.Tensor]]
    _graph: Callable[..., list[torch.Tensor]]

    @property
    def inputs(self) -> list[torch.Tensor]:
        """The inputs of the spec."""
        return self.arguments + self.constants

    @property
    def operators(self) -> set[str]:
        return {node["op"] for node in self.spec.nodes}

    def results(self, outputs: list[torch.Tensor]) -> list[torch.Tensor]:
        """The results that the outputs of the spec mean."""
        results = outputs[: len(outputs) - len(self.counted)]
        for position, count in zip(self.counted, outputs[len(results) :], strict=True):
            results[position] = results[position][: int(count)]
        return results

    def expected_exactly(self) -> list[torch.Tensor]:
        """What PyTorch gives when it computes 16-bit types in f64, rounded to them at the end."""
        with torch.set_grad_enabled(self.has_gradients):
            wide = [_widened(tensor) for tensor in self.arguments]
            results = [as_pairs(result) for result in self._function(*wide)]
        return [result.to(want.dtype) for result, want in zip(results, self.expected, strict=True)]

    def expected_of_parts(self) -> list[torch.Tensor]:
        """What PyTorch gives for the operators of the spec one after the other."""
        with torch.no_grad():
            return pytree.tree_leaves(self._graph(*self.arguments))


def _widened(tensor: torch.Tensor) -> torch.Tensor:
    is_narrow = tensor.dtype in (torch.bfloat16, torch.float16)
    return tensor.double() if is_narrow else tensor.clone()


def operators() -> list:
    """The operators of PyTorch's test suite, one for each name and variant."""
    return [op for op in op_db if op.name not in uninitialised]


def full_name(op) -> str:
    return f"{op.name}.{op.variant_test_name}" if op.variant_test_name else op.name


def calls(op, dtype: torch.dtype) -> Iterator:
    """The calls that PyTorch tests the operator with, for one dtype."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield from op.sample_inputs("cpu", dtype, requires_grad=False)


def prepare(op, call, known: set[str], part: str = "results") -> Sample:
    """Traces one call into a spec.

    Operators of `known`, full names such as `aten.mish.default`, stay whole; others are decomposed
    as far as PyTorch can.

    Args:
        part: `results`; `gradients` of the real inputs; or the results `as-written`, by the
            operators that the call itself names, such as `conv2d`.

    Raises:
        Untranslatable: for a graph that specs have no form for.
        NotComparable: for random results and those that are no tensors; for a call that names an
            operator that is not known.
    """
    gradients = part == "gradients"
    leaves, structure = pytree.tree_flatten((call.input, call.args, call.kwargs))
    places = [index for index, leaf in enumerate(leaves) if isinstance(leaf, torch.Tensor)]
    inputs = [_plain(leaves[place]) for place in places]

    def function(*tensors):
        replaced = list(leaves)
        for place, tensor in zip(places, tensors, strict=True):
            replaced[place] = tensor
        first, args, kwargs = pytree.tree_unflatten(replaced, structure)
        return pytree.tree_leaves(op(first, *args, **kwargs))

    if gradients:
        function = _gradients(function)
    for tensor in inputs:
        tensor_type(tensor)
    with torch.set_grad_enabled(gradients), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = list(function(*[tensor.clone() for tensor in inputs]))
        if not expected or not all(isinstance(leaf, torch.Tensor) for leaf in expected):
            raise NotComparable("the results are not all tensors")
        traced = _trace(function, inputs, known, part)
        if has_complex(traced.graph):
            traced = on_pairs(traced, inputs)
            expected = [as_pairs(tensor) for tensor in expected]
    for tensor in expected:
        tensor_type(tensor)
    spec, constants = _spec(traced, inputs)
    counted = _count_rows(traced.graph, spec)
    return Sample(spec, inputs, constants, expected, counted, gradients, function, traced)


def _gradients(function: Callable) -> Callable:
    """The gradients of the real arguments; the larger a result, the less it weighs."""

    def gradients(*tensors):
        leaves = [t.detach().requires_grad_(t.is_floating_point()) for t in tensors]
        results = [result for result in function(*leaves) if result.requires_grad]
        wanted = [leaf for leaf in leaves if leaf.requires_grad]
        if not results or not wanted:
            raise NotComparable("there is no gradient")
        weights = [1 / (1 + result.detach().square()) for result in results]
        found = torch.autograd.grad(results, wanted, weights, allow_unused=True)
        return [gradient.detach() for gradient in found if gradient is not None]

    return gradients


def _trace(
    function: Callable, inputs: list[torch.Tensor], known: set[str], part: str
) -> torch.fx.GraphModule:
    """The graph of a call, without operators that change a tensor."""
    if part == "as-written":
        return _as_written(function, inputs, known)
    table = _decompositions(known)
    # Gradients are taken inside, which the transform does not see through.
    pure = (
        function if part == "gradients" else torch.func.functionalize(function, remove="mutations")
    )
    traced = make_fx(pure, decomposition_table=table)(*inputs)
    if any(_changes(node) for node in traced.graph.nodes):
        # A decomposition writes into its own results.
        pure = torch.func.functionalize(traced, remove="mutations")
        traced = make_fx(pure, decomposition_table=table)(*inputs)
    return traced


def _as_written(
    function: Callable, inputs: list[torch.Tensor], known: set[str]
) -> torch.fx.GraphModule:
    traced = make_fx(function, pre_dispatch=True)(*inputs)
    for node in traced.graph.nodes:
        if isinstance(node.target, torch._ops.OpOverload) and str(node.target) not in known:
            raise NotComparable(f"{node.target} is written with other operators")
    return traced


def _changes(node: torch.fx.Node) -> bool:
    return getattr(getattr(node.target, "_schema", None), "is_mutable", False)


def _plain(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor itself, or a copy when two of its elements share memory."""
    tensor = tensor.detach().resolve_conj().resolve_neg()
    if tensor.layout != torch.strided or not tensor.numel():
        return tensor
    occupied = sorted(
        (stride, extent)
        for stride, extent in zip(tensor.stride(), tensor.shape, strict=True)
        if extent > 1
    )
    reach = 0
    for stride, extent in occupied:
        if stride <= reach:
            return tensor.contiguous()
        reach += stride * (extent - 1)
    return tensor


_tables: dict[int, dict] = {}


def _decompositions(known: set[str]) -> dict:
    if id(known) not in _tables:
        table = torch.export.default_decompositions().items()
        _tables[id(known)] = {op: rule for op, rule in table if str(op) not in known}
    return _tables[id(known)]


def _spec(
    traced: torch.fx.GraphModule, inputs: list[torch.Tensor]
) -> tuple[Spec, list[torch.Tensor]]:
    """The spec of a graph, and the constants that are inputs behind those of the call."""
    graph = traced.graph
    for node in graph.nodes:
        if is_random(node):
            raise NotComparable(f"{node.target} is random")
    graph.eliminate_dead_code()
    placeholders = [node for node in graph.nodes if node.op == "placeholder"]
    constants = [node for node in graph.nodes if node.op == "get_attr"]
    values = [*inputs, *(getattr(traced, node.target) for node in constants)]
    for node, value in zip(placeholders + constants, values, strict=True):
        # The tracer writes down other strides where elements do not lie side by side.
        node.meta["val"] = value
    names = {node: f"x{i}" for i, node in enumerate(placeholders + constants)}
    translation = Translation(graph, names)
    if translation.unsupported:
        raise Untranslatable(str(translation.unsupported[0]))
    (output,) = (node for node in graph.nodes if node.op == "output")
    results = list(pytree.tree_leaves(output.args))
    if not all(isinstance(result, torch.fx.Node) for result in results):
        raise Untranslatable("a result does not depend on the inputs")
    return translation.spec(results), values[len(inputs) :]


def _count_rows(graph: torch.fx.Graph, spec: Spec) -> list[int]:
    """Adds the counts of results whose shape depends on data to the spec; their positions.

    Raises:
        NotComparable: when another operator uses such a result.
    """
    counted = []
    (output,) = (node for node in graph.nodes if node.op == "output")
    results = list(pytree.tree_leaves(output.args))
    for node in graph.nodes:
        if node.target is torch.ops.aten.nonzero.default:
            if node not in results or len(node.users) > 1:
                raise NotComparable("a shape in the middle depends on data")
            counted.append(results.index(node))
            spec.outputs.append(spec.outputs[results.index(node)] + "#1")
    return counted
