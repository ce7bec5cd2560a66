"""The way from PyTorch tensors into a kernel, in as few steps as Python allows.

A call packs the addresses of the tensors into bytes and hands them to the C library. One guard
of PyTorch's own in C++ says that the tensors are what the kernel was made for.
"""

from __future__ import annotations

import ctypes
import logging
import struct
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch

from granary import _library
from granary.errors import GranaryError, IndexOutOfRange, failure
from granary.kernels import Kernel
from granary.spec import same_layout
from granary.tensors import torch_dtype

log = logging.getLogger("granary")
# Not in PyTorch's type stubs.
_guards: Any = torch._C._dynamo.guards

_source = """
def call({tensors}):
    if fits({tensors}):
        {allocations}
        if run(handle, pack({addresses})) == 0:
            return {results}
    return unusual({tensors})
"""


class Result(NamedTuple):
    """How a kernel's output is laid out as a PyTorch tensor."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: torch.dtype


def call_path(
    kernel: Kernel,
    results: Sequence[Result],
    original: Callable[..., Any],
) -> Callable[..., Any]:
    """A function of tensors that runs a kernel on their memory and gives new tensors.

    Args:
        kernel: whose outputs are, in memory, those of `results`.
        results: the layout of each; their memory is dense.
        original: computes the same with PyTorch; called when the tensors are not what the kernel
            takes, or when it fails.
    """
    return _CallPath(kernel, list(results), original).function


class _CallPath:
    def __init__(
        self,
        kernel: Kernel,
        results: list[Result],
        original: Callable[..., Any],
    ) -> None:
        self._kernel = kernel
        self._results = results
        self._original = original
        self._namespace: dict[str, Any] = {
            "fits": lambda *_: False,
            "run": _run(),
            "handle": kernel.handle,
            "pack": struct.Struct(f"{len(kernel.inputs) + len(results)}P").pack,
            "empty": _guards._empty_strided_cpu,
            "unusual": self._unusual,
            "call": None,
        }
        for index, result in enumerate(results):
            self._namespace |= {
                f"shape{index}": result.shape,
                f"strides{index}": result.strides,
                f"dtype{index}": result.dtype,
            }
        self._define()
        self.function: Callable[..., Any] = self._namespace["call"]

    def _define(self) -> None:
        inputs = [f"x{index}" for index in range(len(self._kernel.inputs))]
        outputs = [f"y{index}" for index in range(len(self._results))]
        allocations = [
            f"y{index} = empty(shape{index}, strides{index}, dtype{index})"
            for index in range(len(outputs))
        ]
        source = _source.format(
            tensors=", ".join(inputs),
            allocations="; ".join(allocations),
            addresses=", ".join(f"{name}.data_ptr()" for name in inputs + outputs),
            results=outputs[0] if len(outputs) == 1 else f"({', '.join(outputs)})",
        )
        exec(compile(source, "<granary call path>", "exec"), self._namespace)

    def _unusual(self, *tensors: Any) -> Any:
        """The first call, and each whose tensors are others than those of the first."""
        if not self._takes(tensors):
            return self._fall_back("the tensors are not what the kernel takes", tensors)
        try:
            results = self._run_kernel(*tensors)
        except IndexOutOfRange:
            # PyTorch's own error says which operator it was.
            return self._original(*tensors)
        except GranaryError as error:
            return self._fall_back(str(error), tensors)
        self._learn(tensors)
        return results

    def _takes(self, tensors: tuple[Any, ...]) -> bool:
        return all(
            tensor.dtype == torch_dtype(type.dtype)
            and tensor.shape == type.shape
            and same_layout(type.shape, tensor.stride(), type.strides)
            and tensor.device.type == "cpu"
            and tensor.layout == torch.strided
            and not tensor.is_neg()
            for tensor, (_, type) in zip(tensors, self._kernel.inputs, strict=True)
        )

    def _run_kernel(self, *tensors: Any) -> Any:
        made = [
            torch.empty_strided(result.shape, result.strides, dtype=result.dtype)
            for result in self._results
        ]
        aligned = [self._aligned(tensor) for tensor in tensors]
        addresses = [tensor.data_ptr() for tensor in [*aligned, *made]]
        status = _run()(self._kernel.handle, self._namespace["pack"](*addresses))
        if status != 0:
            raise failure(status, _library.message())
        return made[0] if len(made) == 1 else tuple(made)

    def _aligned(self, tensor: Any) -> Any:
        if tensor.data_ptr() % self._kernel.alignment_bytes == 0:
            return tensor
        copied = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype)
        return copied.copy_(tensor)

    def _learn(self, tensors: tuple[Any, ...]) -> None:
        """Takes what came as the example for the guard. Later ones that differ come here again."""
        ranks = [[None] * tensor.dim() for tensor in tensors]
        guards = _guards.TensorGuards(
            *tensors, dynamic_dims_sizes=ranks, dynamic_dims_strides=ranks
        )
        self._namespace["fits"] = guards.check

    def _fall_back(self, reason: str, tensors: tuple[Any, ...]) -> Any:
        tell(f"a kernel did not run, PyTorch's operators did: {reason}")
        return self._original(*tensors)


@cache
def _run() -> Any:
    """`granary_call_packed`, with PyTorch's own threads where they are OpenMP's."""
    library = _library.library()
    run = library["granary_call_packed"]
    run.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
    run.restype = ctypes.c_int32
    _use_threads(library)
    return run


def _use_threads(library: Any) -> None:
    """Runs kernels on the threads that PyTorch has; without OpenMP, on as many of others."""
    for path in sorted((Path(torch.__file__).parent / "lib").glob("libgomp*.so*")):
        try:
            openmp = ctypes.CDLL(str(path))
            region, count = openmp.GOMP_parallel, openmp.omp_get_max_threads
        except (OSError, AttributeError):
            continue
        library.granary_use_openmp(region, count)
        return
    library.granary_set_threads(torch.get_num_threads())


_told: set[str] = set()


def tell(message: str) -> None:
    """Warns once for each message."""
    if message not in _told:
        _told.add(message)
        log.warning("%s", message)
