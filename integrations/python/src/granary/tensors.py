"""The memory of tensors of several libraries, without copies and without importing any of them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from granary.spec import TensorType

if TYPE_CHECKING:
    import numpy

_numpy_names = {
    "float64": "f64",
    "float32": "f32",
    "float16": "f16",
    "bfloat16": "bf16",
    "int64": "i64",
    "int32": "i32",
    "int16": "i16",
    "int8": "i8",
    "uint8": "u8",
    "bool": "bool",
}
# NumPy has no bf16; like `granary run`, its raw words stand for it.
_numpy_dtypes = {dtype: name for name, dtype in _numpy_names.items()} | {"bf16": "uint16"}


class View(NamedTuple):
    """A tensor in memory. Valid as long as `owner` lives."""

    address: int
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    owner: Any


def is_torch(tensor: Any) -> bool:
    """Whether a value is a PyTorch tensor."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(tensor, torch.Tensor)


def view(tensor: Any) -> View:
    """The memory of a PyTorch tensor, a NumPy array, or anything with DLPack on the CPU.

    Raises:
        TypeError: for what is none of these, is on another device, has a dtype that no kernel
            takes, or wants a gradient, which a kernel does not record.
    """
    if is_torch(tensor):
        return _torch_view(tensor)
    if hasattr(tensor, "__array_interface__"):
        return _numpy_view(tensor)
    if hasattr(tensor, "__dlpack__"):
        torch = sys.modules.get("torch")
        if torch is not None:
            return _torch_view(torch.from_dlpack(tensor))
        import numpy

        return _numpy_view(numpy.from_dlpack(tensor))
    raise TypeError(f"{type(tensor).__name__} is no tensor: it has no array interface or DLPack")


def _torch_view(tensor: Any) -> View:
    import torch

    dtype = torch_dtype_name(tensor.dtype)
    if dtype is None:
        raise TypeError(f"no kernel takes {tensor.dtype}")
    if tensor.device.type != "cpu" or tensor.layout != torch.strided or tensor.is_neg():
        raise TypeError(f"a kernel takes strided tensors on the CPU, not {tensor.device}")
    if tensor.requires_grad and torch.is_grad_enabled():
        raise TypeError("a kernel records no gradient; call it under torch.no_grad()")
    return View(tensor.data_ptr(), dtype, tuple(tensor.shape), tensor.stride(), tensor)


def _numpy_view(array: numpy.ndarray[Any, Any]) -> View:
    import numpy

    array = numpy.asarray(array)
    dtype = _numpy_names.get(array.dtype.name)
    if array.dtype == numpy.uint16:
        dtype = "bf16"
    if dtype is None or not array.dtype.isnative:
        raise TypeError(f"no kernel takes {array.dtype}")
    size = array.itemsize
    if any(stride % size for stride in array.strides):
        raise TypeError("the array's elements do not lie at multiples of their size")
    strides = tuple(stride // size for stride in array.strides)
    return View(array.ctypes.data, dtype, array.shape, strides, array)


def address(tensor: Any) -> int:
    """Where a PyTorch tensor or a NumPy array begins."""
    return int(tensor.data_ptr() if is_torch(tensor) else tensor.ctypes.data)


def torch_dtype(name: str) -> Any:
    """The PyTorch dtype of a name in specs."""
    import torch

    return getattr(torch, "bfloat16" if name == "bf16" else _numpy_dtypes[name])


def torch_dtype_name(dtype: Any) -> str | None:
    """The name in specs of a PyTorch dtype; None for one that specs do not have."""
    return _numpy_names.get(str(dtype).removeprefix("torch."))


def empty(type: TensorType, like: Any = None, alignment: int = 64) -> Any:
    """Uninitialised memory for a contiguous tensor, aligned as kernels need it.

    A PyTorch tensor when `like` is one, else a NumPy array.
    """
    if is_torch(like):
        return _empty_torch(type, alignment)
    import numpy

    dtype = numpy.dtype(_numpy_dtypes[type.dtype])
    if like is not None and type.dtype == "bf16" and like.dtype.name == "bfloat16":
        dtype = like.dtype
    count = 1
    for extent in type.shape:
        count *= extent
    memory = numpy.empty(count * dtype.itemsize + alignment, dtype=numpy.uint8)
    start = -memory.ctypes.data % alignment
    return memory[start : start + count * dtype.itemsize].view(dtype).reshape(type.shape)


def _empty_torch(type: TensorType, alignment: int) -> Any:
    import torch

    tensor = torch.empty(type.shape, dtype=torch_dtype(type.dtype))
    if tensor.data_ptr() % alignment == 0:
        return tensor
    size = tensor.element_size()
    memory = torch.empty(tensor.numel() * size + alignment, dtype=torch.uint8)
    start = -memory.data_ptr() % alignment
    return memory[start : start + tensor.numel() * size].view(tensor.dtype).view(type.shape)


def aligned_copy(view: View, alignment: int) -> View:
    """The same tensor, with the same strides, in fresh memory that is aligned."""
    import ctypes

    import numpy

    size = numpy.dtype(_numpy_dtypes[view.dtype]).itemsize
    last = sum(
        (extent - 1) * stride for extent, stride in zip(view.shape, view.strides, strict=True)
    )
    count = 0 if 0 in view.shape else (last + 1) * size
    memory = numpy.empty(count + alignment, dtype=numpy.uint8)
    address = memory.ctypes.data + -memory.ctypes.data % alignment
    ctypes.memmove(address, view.address, count)
    return View(address, view.dtype, view.shape, view.strides, memory)
