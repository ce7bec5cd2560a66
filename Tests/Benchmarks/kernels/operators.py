"""The operators of the benchmark: specs, inputs, and the same in PyTorch."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Input:
    """A tensor: its shape, and what is in it."""

    shape: tuple[int, ...]
    is_weight: bool = False
    """Weights are constants of a model: peers that prepare them once may."""
    below: int | None = None
    """Integers from 0 up to this; normal f32 without."""
    make: Callable[[Any, tuple[int, ...]], Any] | None = None
    """What makes the values from a generator and the shape, where they are not plainly random."""

    @property
    def bytes(self) -> int:
        """What the tensor takes in memory."""
        return math.prod(self.shape) * (4 if self.below is None else 8)


@dataclass(frozen=True)
class Operator:
    """One row of the table."""

    name: str
    spec: str
    inputs: tuple[Input, ...]
    output: tuple[int, ...]
    torch: Callable[..., Any]
    """The operator as a function of `torch` and the inputs."""
    flops: float = 0
    """Multiplications and additions of a product; 0 where memory alone decides."""
    read: int | None = None
    """Bytes read, where that is not all of the inputs."""
    width: int = 4
    """Bytes of an element of the result."""

    @property
    def bytes_read(self) -> int:
        """Bytes that the operator has to read."""
        return sum(input.bytes for input in self.inputs) if self.read is None else self.read

    @property
    def bytes_written(self) -> int:
        """Bytes of the result."""
        return self.width * math.prod(self.output)


def _weight(*shape: int) -> Input:
    return Input(shape, is_weight=True)


def _plain(*shape: int) -> Input:
    return Input(shape)


OPERATORS = [
    Operator(
        "gemm 1024³",
        "matmul(a: f32[1024,1024], b: f32[1024,1024])",
        (_plain(1024, 1024), _weight(1024, 1024)),
        (1024, 1024),
        lambda torch, a, b: a @ b,
        flops=2 * 1024**3,
    ),
    Operator(
        "gemm 512×64×2048",
        "matmul(a: f32[512,2048], b: f32[2048,64])",
        (_plain(512, 2048), _weight(2048, 64)),
        (512, 64),
        lambda torch, a, b: a @ b,
        flops=2 * 512 * 64 * 2048,
    ),
    Operator(
        "bmm 64×64³",
        "bmm(a: f32[64,64,64], b: f32[64,64,64])",
        (_plain(64, 64, 64), _plain(64, 64, 64)),
        (64, 64, 64),
        lambda torch, a, b: torch.bmm(a, b),
        flops=2 * 64**4,
    ),
    Operator(
        "linear+bias+gelu 256×1024×1024",
        "gelu(linear(x: f32[256,1024], w: f32[1024,1024], b: f32[1024]))",
        (_plain(256, 1024), _weight(1024, 1024), _weight(1024)),
        (256, 1024),
        lambda torch, x, w, b: torch.nn.functional.gelu(torch.nn.functional.linear(x, w, b)),
        flops=2 * 256 * 1024 * 1024,
    ),
    Operator(
        "softmax 4096×1024",
        "softmax(x: f32[4096,1024], dim: -1)",
        (_plain(4096, 1024),),
        (4096, 1024),
        lambda torch, x: torch.softmax(x, -1),
    ),
    Operator(
        "layer norm 4096×1024",
        "layer_norm(x: f32[4096,1024], normalized_shape: [1024], weight: g: f32[1024], "
        "bias: b: f32[1024])",
        (_plain(4096, 1024), _weight(1024), _weight(1024)),
        (4096, 1024),
        lambda torch, x, g, b: torch.nn.functional.layer_norm(x, (1024,), g, b),
    ),
    Operator(
        "rms norm 4096×1024",
        "rms_norm(x: f32[4096,1024], normalized_shape: [1024], weight: g: f32[1024], eps: 1e-5)",
        (_plain(4096, 1024), _weight(1024)),
        (4096, 1024),
        lambda torch, x, g: torch.nn.functional.rms_norm(x, (1024,), g, 1e-5),
    ),
    Operator(
        "row sum 8192×4096",
        "sum(x: f32[8192,4096], dim: [1])",
        (_plain(8192, 4096),),
        (8192,),
        lambda torch, x: x.sum(-1),
    ),
    Operator(
        "x·σ(x)+b, 16 M",
        "add(mul(x: f32[16777216], sigmoid(x)), b: f32[16777216])",
        (_plain(1 << 24), _plain(1 << 24)),
        (1 << 24,),
        lambda torch, x, b: x * torch.sigmoid(x) + b,
    ),
    Operator(
        "conv2d 1×64×56×56, k3, 64",
        "conv2d(x: f32[1,64,56,56], w: f32[64,64,3,3], padding: [1,1])",
        (_plain(1, 64, 56, 56), _weight(64, 64, 3, 3)),
        (1, 64, 56, 56),
        lambda torch, x, w: torch.nn.functional.conv2d(x, w, padding=1),
        flops=2 * 64 * 64 * 9 * 56 * 56,
    ),
    Operator(
        "depthwise conv2d 8×128×56×56, k3",
        "conv2d(x: f32[8,128,56,56], w: f32[128,1,3,3], padding: [1,1], groups: 128)",
        (_plain(8, 128, 56, 56), _weight(128, 1, 3, 3)),
        (8, 128, 56, 56),
        lambda torch, x, w: torch.nn.functional.conv2d(x, w, padding=1, groups=128),
        flops=2 * 8 * 128 * 9 * 56 * 56,
    ),
    Operator(
        "conv1d 32×96×200, k3, 96",
        "conv1d(x: f32[32,96,200], w: f32[96,96,3], padding: [1])",
        (_plain(32, 96, 200), _weight(96, 96, 3)),
        (32, 96, 200),
        lambda torch, x, w: torch.nn.functional.conv1d(x, w, padding=1),
        flops=2 * 32 * 96 * 96 * 3 * 200,
    ),
    Operator(
        "max pool 8×64×112×112, 3/2/1",
        "max_pool2d(x: f32[8,64,112,112], kernel_size: [3,3], stride: [2,2], padding: [1,1])",
        (_plain(8, 64, 112, 112),),
        (8, 64, 56, 56),
        lambda torch, x: torch.nn.functional.max_pool2d(x, 3, 2, 1),
    ),
    Operator(
        "cumsum 2048×4096",
        "cumsum(x: f32[2048,4096], dim: -1)",
        (_plain(2048, 4096),),
        (2048, 4096),
        lambda torch, x: torch.cumsum(x, -1),
    ),
    Operator(
        "embedding bag 4096×32 of 100k×64",
        "sum(embedding(t: f32[100000,64], i: i64[4096,32]), dim: [1])",
        (_weight(100_000, 64), Input((4096, 32), below=100_000)),
        (4096, 64),
        lambda torch, t, i: (
            t[i].sum(1)
            if torch.compiler.is_compiling() or torch.jit.is_tracing()
            else torch.nn.functional.embedding_bag(i, t, mode="sum")
        ),
        read=4096 * 32 * (64 * 4 + 8),
    ),
    Operator(
        "FM interaction 512×32×64",
        "bmm(x: f32[512,32,64], transpose(x, 1, 2))",
        (_plain(512, 32, 64),),
        (512, 32, 32),
        lambda torch, x: torch.bmm(x, x.transpose(1, 2)),
        flops=2 * 512 * 32 * 32 * 64,
    ),
]


def named(name: str) -> Operator:
    """The operator or block of that name."""
    from blocks import BLOCKS

    return next(operator for operator in [*OPERATORS, *BLOCKS] if operator.name == name)


def arrays(operator: Operator) -> list[Any]:
    """The same inputs for everyone, as NumPy arrays at whole cache lines."""
    import numpy

    random = numpy.random.default_rng(7)
    made = []
    for input in operator.inputs:
        if input.make is not None:
            values = input.make(random, input.shape)
            values = values.astype(numpy.float32 if input.below is None else numpy.int64)
        elif input.below is not None:
            values = random.integers(0, input.below, size=input.shape)
        else:
            values = random.standard_normal(input.shape, dtype=numpy.float32)
            if input.is_weight and len(input.shape) > 1:
                values *= numpy.float32(1 / math.sqrt(math.prod(input.shape[1:])))
        memory = numpy.empty(values.nbytes + 64, numpy.uint8)
        start = -memory.ctypes.data % 64
        aligned = memory[start : start + values.nbytes].view(values.dtype).reshape(input.shape)
        aligned[...] = values
        made.append(aligned)
    return made
