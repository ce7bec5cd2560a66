"""Kernels: how they are asked for and called."""

from __future__ import annotations

import asyncio
import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from granary import _library
from granary._library import library
from granary.errors import BadSpec, GranaryError, failure
from granary.spec import Spec, TensorType, same_layout
from granary.tensors import View, address, aligned_copy, empty, is_torch, torch_dtype, view

_Types = tuple[list[TensorType], list[TensorType]]
"""The types of the inputs and of the outputs."""

_kept_sizes = 1024
"""For how many combinations of open sizes a kernel keeps the types."""

_TorchType = tuple[Any, Any, tuple[int, ...], tuple[int, ...]]
"""What a PyTorch tensor must be: class, dtype, shape, strides."""


@dataclass(frozen=True)
class OpenSize:
    """A size that a spec leaves open: `lower`, `lower + step`, … up to `upper`."""

    lower: int
    upper: int
    step: int
    place: tuple[int, int]
    """The input and the dimension whose extent it is."""


class Kernel:
    """A kernel that is loaded into this process. Callable from any thread and after fork.

    Valid as long as the process lives; two of them may be the same kernel.
    """

    def __init__(self, handle: int) -> None:
        described = library().granary_describe(handle).contents
        self.handle = handle
        self.key: str = described.key.decode()
        self.artifact: str = described.artifact.decode()
        self.verdict: str = described.verdict.decode()
        self.revision: int = described.revision
        self.alignment_bytes: int = described.alignment_bytes
        self.workspace_bytes: int = described.workspace_bytes
        inputs = described.inputs[: described.input_count]
        self.inputs = [(tensor.name.decode(), _type(tensor)) for tensor in inputs]
        self.outputs = [_type(tensor) for tensor in described.outputs[: described.output_count]]
        self._call = library().granary_call
        self._pointer = ctypes.c_void_p(handle)
        self._input_pointers = ctypes.c_void_p * len(self.inputs)
        self._output_pointers = ctypes.c_void_p * len(self.outputs)
        self._torch_inputs: list[_TorchType] | None = None
        self.sizes = [
            OpenSize(size.lower, size.upper, size.step, (size.input, size.dimension))
            for size in described.sizes[: described.size_count]
        ]
        """What the spec leaves open; `inputs` and `outputs` are then those at the largest sizes."""
        self._types: dict[tuple[int, ...], _Types] = {}

    def __call__(self, *tensors: Any, out: Any = None) -> Any:
        """Runs the kernel on the memory of tensors.

        Args:
            tensors: one for each input, in the order of the spec, with its dtype, shape and
                strides. One that is not aligned as the kernel needs is copied; nothing else is.
            out: where the results go: a contiguous tensor, or a sequence of them when the spec
                has several outputs. Without it they are new PyTorch tensors when the first input
                is one, else new NumPy arrays.

        Returns:
            The output, or a tuple when the spec has several.

        Raises:
            TypeError, ValueError: when a tensor does not fit its input.
            IndexOutOfRange: when an index in an input lies outside its table.
            SizeRefused: when an open size is not one that the kernel was made for.
        """
        if len(tensors) != len(self.inputs):
            raise TypeError(f"the kernel takes {len(self.inputs)} tensors, not {len(tensors)}")
        if self.sizes:
            return self._call_sized(tensors, out)
        # The views own what was copied, so they live until the kernel has run.
        addresses = self._torch_addresses(tensors)
        inputs = None if addresses else self._views(tensors)
        results, outputs = self._results(out, tensors[0] if tensors else None, self.outputs)
        status = self._call(
            self._pointer,
            self._input_pointers(*(addresses or [input.address for input in inputs or ()])),
            self._output_pointers(*outputs),
        )
        if status != 0:
            raise failure(status, _library.message())
        return results[0] if len(results) == 1 else tuple(results)

    def _call_sized(self, tensors: tuple[Any, ...], out: Any) -> Any:
        """Runs a kernel at the sizes that the tensors have where the spec leaves them open."""
        given = [view(tensor) for tensor in tensors]
        sizes = []
        for size in self.sizes:
            position, dimension = size.place
            shape = given[position].shape
            if dimension >= len(shape):
                name, type = self.inputs[position]
                raise ValueError(f"input {name} has {len(type.shape)} dimensions, not {len(shape)}")
            sizes.append(shape[dimension])
        types, output_types = self._types_at(tuple(sizes))
        inputs = [
            self._checked(view, name, type)
            for view, (name, _), type in zip(given, self.inputs, types, strict=True)
        ]
        results, outputs = self._results(out, tensors[0] if tensors else None, output_types)
        status = library().granary_call_sized(
            self._pointer,
            (ctypes.c_int64 * len(sizes))(*sizes),
            self._input_pointers(*(input.address for input in inputs)),
            self._output_pointers(*outputs),
        )
        if status != 0:
            raise failure(status, _library.message())
        return results[0] if len(results) == 1 else tuple(results)

    def _types_at(self, sizes: tuple[int, ...]) -> _Types:
        known = self._types.get(sizes)
        if known is not None:
            return known
        types = [type for _, type in self.inputs] + self.outputs
        numbers = (ctypes.c_int64 * (16 * len(types)))()
        status = library().granary_shapes(
            self._pointer, (ctypes.c_int64 * len(sizes))(*sizes), numbers
        )
        if status != 0:
            raise failure(status, _library.message())
        made = []
        for position, type in enumerate(types):
            at, rank = 16 * position, len(type.shape)
            shape, strides = numbers[at : at + rank], numbers[at + 8 : at + 8 + rank]
            made.append(TensorType(type.dtype, tuple(shape), tuple(strides)))
        if len(self._types) >= _kept_sizes:
            self._types.clear()
        self._types[sizes] = (made[: len(self.inputs)], made[len(self.inputs) :])
        return self._types[sizes]

    def _torch_addresses(self, tensors: tuple[Any, ...]) -> list[int] | None:
        """The addresses of PyTorch tensors that fit as they are; None when one needs a second look.

        The way of nearly every call from PyTorch, so it says yes in as few steps as it can.
        """
        if not tensors or not is_torch(tensors[0]):
            return None
        expected = self._torch_inputs or self._learn_torch()
        addresses = []
        for tensor, (kind, dtype, shape, strides) in zip(tensors, expected, strict=True):
            if (
                tensor.__class__ is not kind
                or tensor.dtype is not dtype
                or tensor.shape != shape
                or tensor.stride() != strides
                or not tensor.is_cpu
                or tensor.requires_grad
                or tensor.is_neg()
            ):
                return None
            addresses.append(tensor.data_ptr())
            if addresses[-1] % self.alignment_bytes:
                return None
        return addresses

    def _learn_torch(self) -> list[_TorchType]:
        import torch

        self._torch_inputs = [
            (torch.Tensor, torch_dtype(type.dtype), type.shape, type.strides)
            for _, type in self.inputs
        ]
        return self._torch_inputs

    def _views(self, tensors: tuple[Any, ...]) -> list[View]:
        return [
            self._checked(view(tensor), name, type)
            for tensor, (name, type) in zip(tensors, self.inputs, strict=True)
        ]

    def _checked(self, view: View, name: str, type: TensorType) -> View:
        if view.dtype != type.dtype or view.shape != type.shape:
            given = TensorType(view.dtype, view.shape, view.strides)
            raise ValueError(f"input {name} must be {type}, but the tensor is {given}")
        if not same_layout(type.shape, view.strides, type.strides):
            raise ValueError(
                f"input {name} must have the strides {type.strides}, not {view.strides}; "
                "copy it, or name its strides in the spec"
            )
        if view.address % self.alignment_bytes:
            return aligned_copy(view, self.alignment_bytes)
        return view

    def _results(self, out: Any, like: Any, types: list[TensorType]) -> tuple[list[Any], list[int]]:
        """The tensors that the kernel writes, and their addresses."""
        if out is None:
            results = [empty(type, like) for type in types]
            return results, [address(result) for result in results]
        results = list(out) if isinstance(out, tuple | list) else [out]
        if len(results) != len(self.outputs):
            raise TypeError(f"the kernel writes {len(self.outputs)} outputs, not {len(results)}")
        addresses = []
        for position, (result, type) in enumerate(zip(results, types, strict=True)):
            checked = self._checked(view(result), f"out[{position}]", type)
            if checked.owner is not view(result).owner:
                raise ValueError(f"out[{position}] is not aligned; use granary.empty")
            addresses.append(checked.address)
        return results, addresses

    def __repr__(self) -> str:
        inputs = ", ".join(f"{name}: {type}" for name, type in self.inputs)
        outputs = ", ".join(map(str, self.outputs))
        return f"<granary.Kernel ({inputs}) -> {outputs}, {self.verdict} {self.artifact[:12]}>"


def _type(tensor: _library.Tensor) -> TensorType:
    rank = tensor.rank
    return TensorType(
        tensor.dtype.decode(), tuple(tensor.shape[:rank]), tuple(tensor.strides[:rank])
    )


def get(
    spec: str | Spec,
    *,
    policy: str | None = None,
    deadline: float | None = None,
    socket: str | None = None,
    refresh: bool = False,
) -> Kernel:
    """The kernel of a spec: from this process, else from the daemon.

    Args:
        spec: in text form, as JSON, or a `Spec`.
        policy: `cached`, `baseline` (the default; never waits for a search) or `tuned`.
        deadline: seconds that this may take; 10 by default.
        socket: of the daemon; by default where GRANARY_SOCKET, GRANARY_HOME or the XDG variables
            say.
        refresh: ask the daemon even when this process has the kernel, and take a better one.

    Raises:
        GranaryError: when there is no kernel in time.
    """
    options = _options(policy, deadline, socket, refresh)
    handle = ctypes.c_void_p()
    status = library().granary_get(_text(spec), ctypes.byref(options), ctypes.byref(handle))
    if status != 0 or handle.value is None:
        raise failure(status, _library.message())
    return Kernel(handle.value)


def get_all(
    specs: Sequence[str | Spec],
    *,
    policy: str | None = None,
    deadline: float | None = None,
    socket: str | None = None,
    refresh: bool = False,
    published: str | None = None,
) -> list[Kernel | GranaryError]:
    """The kernels of many specs in two round trips, each with its own failure; see `get`.

    Args:
        specs: as `get` takes one.
        policy, deadline, socket, refresh: see `get`.
        published: a folder of published kernels to look in first.
    """
    count = len(specs)
    options = _options(policy, deadline, socket, refresh, published)
    texts = [_text(spec) for spec in specs]
    handles, statuses = (ctypes.c_void_p * count)(), (ctypes.c_int32 * count)()
    library().granary_get_all(
        (ctypes.c_char_p * count)(*texts), count, ctypes.byref(options), handles, statuses
    )
    results: list[Kernel | GranaryError] = []
    for text, handle, status in zip(texts, handles, statuses, strict=True):
        if handle is not None:
            results.append(Kernel(handle))
        else:
            results.append(failure(status, _reason(text, options)))
    return results


async def get_async(spec: str | Spec, **options: Any) -> Kernel:
    """As `get`, without blocking the event loop."""
    return await asyncio.to_thread(get, spec, **options)


def _reason(text: bytes, options: _library.Options) -> str:
    """Why there is no kernel for a spec: the library remembers it and asks nobody again."""
    handle = ctypes.c_void_p()
    library().granary_get(text, ctypes.byref(options), ctypes.byref(handle))
    return _library.message()


def _text(spec: str | Spec) -> bytes:
    text = spec.json() if isinstance(spec, Spec) else spec
    if "\0" in text:
        raise BadSpec("a spec has no NUL character")
    return text.encode()


def _options(
    policy: str | None,
    deadline: float | None,
    socket: str | None,
    refresh: bool,
    published: str | None = None,
) -> _library.Options:
    return _library.Options(
        size=ctypes.sizeof(_library.Options),
        refresh=int(refresh),
        socket=socket.encode() if socket else None,
        policy=policy.encode() if policy else None,
        deadline_milliseconds=max(1, round(deadline * 1000)) if deadline is not None else 0,
        published=published.encode() if published else None,
    )
