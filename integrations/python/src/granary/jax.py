"""Kernels in JAX programs on the CPU, as foreign calls.

    softmax = granary.jax.kernel("softmax(x: f32[64,1000], dim: -1)", fallback=jax.nn.softmax)
    y = jax.jit(softmax)(x)

Tracing asks for the kernel; without one the fallback is traced instead. The compiled program names
the spec, so that other processes may load it. Kernels have no gradient: give them one by
`jax.custom_vjp`.
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jax
import jaxlib

from granary._library import library
from granary.errors import EnvironmentRefused, GranaryError
from granary.kernels import get
from granary.spec import Spec

_log = logging.getLogger("granary")
_target = "granary_call"
_dtypes = {
    "f64": "float64",
    "f32": "float32",
    "f16": "float16",
    "bf16": "bfloat16",
    "i64": "int64",
    "i32": "int32",
    "i16": "int16",
    "i8": "int8",
    "u8": "uint8",
    "bool": "bool",
}


def kernel(spec: str | Spec, fallback: Callable[..., Any] | None = None) -> Callable[..., Any]:
    """A function of JAX arrays that runs the kernel of a spec, in and outside of `jax.jit`.

    Args:
        spec: in text form, as JSON, or a `Spec`, whose inputs are contiguous.
        fallback: what is traced in its place when there is no kernel.
    """
    text = spec.json() if isinstance(spec, Spec) else spec

    def run(*arrays: Any) -> Any:
        try:
            return call(text, *arrays)
        except GranaryError as error:
            if fallback is None:
                raise
            _log.warning("no kernel, tracing the fallback: %s", error)
        return fallback(*arrays)

    return run


def call(spec: str, *arrays: Any) -> Any:
    """The outputs of a spec's kernel: an array, or a list of them when there are several.

    Raises:
        GranaryError: when there is no kernel, or no compiler for the few lines between JAX and it.
        ValueError: when an array does not fit its input.
    """
    found = get(spec)
    _register()
    for array, (name, type) in zip(arrays, found.inputs, strict=True):
        if tuple(array.shape) != type.shape or str(array.dtype) != _dtypes[type.dtype]:
            given = f"{array.dtype}{list(array.shape)}"
            raise ValueError(f"input {name} must be {type}, but the array is {given}")
        if not type.is_contiguous:
            raise ValueError(f"input {name} has strides, which arrays of JAX have not")
    results = [jax.ShapeDtypeStruct(type.shape, _dtypes[type.dtype]) for type in found.outputs]
    given = jax.ffi.ffi_call(_target, results)(*arrays, spec=spec)
    return given[0] if len(given) == 1 else given


@cache
def _register() -> None:
    shim = ctypes.CDLL(str(_compiled()))
    functions = (library()[name] for name in ("granary_get", "granary_call", "granary_message"))
    shim.granary_jax_bind(*[ctypes.cast(function, ctypes.c_void_p) for function in functions])
    jax.ffi.register_ffi_target(_target, jax.ffi.pycapsule(shim.granary_jax_call), platform="cpu")


def _compiled() -> Path:
    """The shared object between JAX and libgranary, for this jaxlib; compiled once."""
    source = Path(__file__).with_name("jax_call.cc")
    identity = hashlib.sha256(source.read_bytes() + jaxlib.__version__.encode()).hexdigest()[:16]
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    place = Path(cache) / "granary" / f"jax-{identity}.so"
    if place.exists():
        return place
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as folder:
        made = Path(folder) / "shim.so"
        command = [os.environ.get("CXX", "c++"), "-std=c++17", "-O2", "-shared", "-fPIC"]
        command += ["-fvisibility=hidden", f"-I{jax.ffi.include_dir()}", str(source), "-o"]
        try:
            subprocess.run([*command, str(made)], check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            reason = getattr(error, "stderr", None) or error
            raise EnvironmentRefused(f"no C++ compiler made the call from JAX: {reason}") from None
        made.rename(place)
    return place
