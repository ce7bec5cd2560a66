"""Verified, tuned kernels for tensor operators, from the Granary daemon.

    softmax = granary.kernel("softmax(x: f32[64,1000], dim: -1)", fallback=my_softmax)
    y = softmax(x)                      # NumPy arrays, PyTorch tensors, anything with DLPack

`get` gives a `Kernel` or raises a `GranaryError`; `kernel` gives a function that never needs the
daemon when it has a fallback; `export` turns a PyTorch module into specs, and
`granary.training.export_with_backward` its backward pass too.
"""

from granary._library import Counters, counters, set_threads
from granary.client import Client
from granary.errors import (
    BadAnswer,
    BadArgument,
    BadSpec,
    DeadlineExceeded,
    EnvironmentRefused,
    GranaryError,
    IndexOutOfRange,
    KernelFailed,
    NoDaemon,
    NoKernel,
    PreferVendor,
    SizeRefused,
    Unsupported,
)
from granary.exporting import Exported, export
from granary.function import KernelFunction, kernel
from granary.kernels import Kernel, OpenSize, get, get_all, get_async
from granary.spec import Spec, TensorType, UnsupportedNode
from granary.tensors import empty

__all__ = [
    "BadAnswer",
    "BadArgument",
    "BadSpec",
    "Client",
    "Counters",
    "DeadlineExceeded",
    "EnvironmentRefused",
    "Exported",
    "GranaryError",
    "IndexOutOfRange",
    "Kernel",
    "KernelFailed",
    "KernelFunction",
    "NoDaemon",
    "NoKernel",
    "OpenSize",
    "PreferVendor",
    "SizeRefused",
    "Spec",
    "TensorType",
    "Unsupported",
    "UnsupportedNode",
    "counters",
    "empty",
    "export",
    "get",
    "get_all",
    "get_async",
    "kernel",
    "set_threads",
]
