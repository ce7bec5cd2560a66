"""The C library, `granary.h`, through ctypes."""

from __future__ import annotations

import ctypes
import os
from ctypes import POINTER, Structure, c_char_p, c_int32, c_int64, c_size_t, c_uint64, c_void_p
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from granary.errors import EnvironmentRefused


class Options(Structure):
    """`granary_options`."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("refresh", c_int32),
        ("socket", c_char_p),
        ("policy", c_char_p),
        ("deadline_milliseconds", c_int64),
        ("published", c_char_p),
    )


class Tensor(Structure):
    """`granary_tensor`."""

    _fields_ = (
        ("name", c_char_p),
        ("dtype", c_char_p),
        ("rank", c_int32),
        ("shape", POINTER(c_int64)),
        ("strides", POINTER(c_int64)),
        ("bytes", c_int64),
    )


class Size(Structure):
    """`granary_size`."""

    _fields_ = (
        ("lower", c_int64),
        ("upper", c_int64),
        ("step", c_int64),
        ("input", c_int32),
        ("dimension", c_int32),
    )


class Description(Structure):
    """`granary_description`."""

    _fields_ = (
        ("key", c_char_p),
        ("artifact", c_char_p),
        ("verdict", c_char_p),
        ("revision", c_int64),
        ("input_count", c_int32),
        ("output_count", c_int32),
        ("inputs", POINTER(Tensor)),
        ("outputs", POINTER(Tensor)),
        ("alignment_bytes", c_int64),
        ("workspace_bytes", c_int64),
        ("size_count", c_int32),
        ("sizes", POINTER(Size)),
    )


class Counters(NamedTuple):
    """What the library did since the process started."""

    requests: int
    kernels_loaded: int
    calls: int
    serial_calls: int
    fallbacks: int


class _Counters(Structure):
    _fields_ = tuple((name, c_uint64) for name in Counters._fields)


@cache
def library() -> Any:
    """The loaded library: the one of the wheel, or the one that GRANARY_LIBRARY names.

    Raises:
        EnvironmentRefused: when it cannot be loaded.
    """
    path = os.environ.get("GRANARY_LIBRARY") or str(Path(__file__).parent / "libgranary.so")
    try:
        loaded = ctypes.CDLL(path)
    except OSError as error:
        raise EnvironmentRefused(f"cannot load the C library of Granary: {error}") from error
    loaded.granary_get_all.argtypes = (
        POINTER(c_char_p),
        c_size_t,
        POINTER(Options),
        POINTER(c_void_p),
        POINTER(c_int32),
    )
    loaded.granary_get_all.restype = c_int32
    loaded.granary_get.argtypes = (c_char_p, POINTER(Options), POINTER(c_void_p))
    loaded.granary_get.restype = c_int32
    loaded.granary_message.argtypes = ()
    loaded.granary_message.restype = c_char_p
    loaded.granary_describe.argtypes = (c_void_p,)
    loaded.granary_describe.restype = POINTER(Description)
    loaded.granary_call.restype = c_int32
    loaded.granary_call_sized.restype = c_int32
    loaded.granary_shapes.argtypes = (c_void_p, POINTER(c_int64), POINTER(c_int64))
    loaded.granary_shapes.restype = c_int32
    loaded.granary_set_threads.argtypes = (c_int32,)
    loaded.granary_set_threads.restype = None
    loaded.granary_count.argtypes = ()
    loaded.granary_count.restype = _Counters
    return loaded


def message() -> str:
    """Why this thread's last call failed."""
    text: bytes = library().granary_message()
    return text.decode(errors="replace")


def set_threads(count: int) -> None:
    """How many threads a call uses, the caller's own included; set before the first kernel runs."""
    library().granary_set_threads(count)


def counters() -> Counters:
    """What the library did since the process started."""
    counted = library().granary_count()
    return Counters(*(getattr(counted, name) for name in Counters._fields))
