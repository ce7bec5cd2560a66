"""Specs as values: what to compute, in the JSON form that the daemon reads."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_type = re.compile(r"(\w+)\[([\d,]*)\](?:\{([\d,]*)\})?")


@dataclass(frozen=True)
class TensorType:
    """The dtype, the shape and the strides, in elements, of a tensor."""

    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @staticmethod
    def contiguous(dtype: str, shape: Sequence[int]) -> TensorType:
        """The row-major type of a shape."""
        return TensorType(dtype, tuple(shape), contiguous_strides(shape))

    @staticmethod
    def parse(text: str) -> TensorType:
        """Reads `f32[2,3]` or `f32[2,3]{1,2}`.

        Raises:
            ValueError: for another text.
        """
        match = _type.fullmatch(text)
        if not match:
            raise ValueError(f"{text!r} is not a tensor type such as f32[2,3]")
        dtype, shape, strides = match.groups()
        extents = tuple(int(extent) for extent in shape.split(",") if extent)
        if strides is None:
            return TensorType.contiguous(dtype, extents)
        return TensorType(dtype, extents, tuple(int(stride) for stride in strides.split(",")))

    @property
    def is_contiguous(self) -> bool:
        """Whether elements lie row after row, without gaps."""
        return same_layout(self.shape, self.strides, contiguous_strides(self.shape))

    def __str__(self) -> str:
        extents = ",".join(map(str, self.shape))
        if self.is_contiguous:
            return f"{self.dtype}[{extents}]"
        return f"{self.dtype}[{extents}]{{{','.join(map(str, self.strides))}}}"


def contiguous_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """The row-major strides of a shape, in elements."""
    strides = []
    stride = 1
    for extent in reversed(shape):
        strides.append(stride)
        stride *= max(extent, 1)
    return tuple(reversed(strides))


def same_layout(shape: Sequence[int], one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether two lists of strides put each element of a shape in the same place."""
    if 0 in shape:
        return True
    return all(a == b or extent == 1 for extent, a, b in zip(shape, one, other, strict=True))


@dataclass
class Spec:
    """A graph of ATen operators over typed inputs."""

    inputs: list[tuple[str, TensorType]]
    nodes: list[dict[str, Any]]
    """Each has `id`, `op` and `args`, as the JSON form writes them."""
    outputs: list[str]
    """References: `%name`, `%name#1`."""
    name: str | None = None
    numerics: Mapping[str, float] = field(default_factory=dict)

    def json(self) -> str:
        """The spec in JSON form, on one line."""
        members: dict[str, Any] = {"granary_spec": 1}
        if self.name:
            members["name"] = self.name
        members["inputs"] = [{"name": name, "type": str(type)} for name, type in self.inputs]
        members["nodes"] = self.nodes
        members["outputs"] = self.outputs
        if self.numerics:
            members["numerics"] = dict(self.numerics)
        return json.dumps(_spelled(members), separators=(",", ":"), allow_nan=False)

    def __str__(self) -> str:
        return self.json()


@dataclass(frozen=True)
class UnsupportedNode:
    """A node of a graph that has no kernel, and why."""

    node: str
    operator: str
    reason: str

    def __str__(self) -> str:
        return f"{self.operator} ({self.node}): {self.reason}"


def _spelled(value: Any) -> Any:
    """The value with the numbers that JSON lacks as strings."""
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, dict):
        return {key: _spelled(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(item) for item in value]
    return value
