"""What a call through `torch.compile(backend="granary")` costs over the kernel itself.

    python benchmarks/call_path.py        # needs PyTorch and a daemon

Times one group's function, which checks its tensors, allocates its result and calls the kernel;
beside it the kernel alone, called by the C library in a loop, and the same in PyTorch.
"""

import ctypes
import struct
import subprocess
import tempfile
import timeit
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

import granary
from granary import _library
from granary.torch.calling import Result, call_path

_loop = """
#include <stdint.h>
void loop(int32_t (*run)(void *, const void *), void *kernel, const void *buffers, long count) {
  while (count-- > 0) run(kernel, buffers);
}
"""


def kernel_alone(kernel: granary.Kernel, buffers: bytes) -> float:
    """Nanoseconds of a call through the C library without Python."""
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder) / "loop.c", Path(folder) / "loop.so"
        source.write_text(_loop)
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", source, "-o", made], check=True)
        loop = ctypes.CDLL(str(made)).loop
    loop.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_long)
    run = ctypes.cast(_library.library().granary_call_packed, ctypes.c_void_p)
    return nanoseconds(lambda: loop(run, kernel.handle, buffers, 1000), 20) / 1000


def nanoseconds(function: Callable[[], object], calls: int = 20_000) -> float:
    """The shortest of several means."""
    return min(timeit.repeat(function, number=calls, repeat=7)) / calls * 1e9


def main() -> None:
    """Prints a line for each number of inputs."""
    torch.set_num_threads(1)
    print(f"{'inputs':>6} {'path':>8} {'kernel':>8} {'over':>8} {'eager':>8}   ns a call")
    for count in (1, 2, 4, 8):
        total = "x0: f32[64]"
        for index in range(1, count):
            total = f"add({total}, x{index}: f32[64])"
        kernel = granary.get(f"relu({total})")
        tensors = [torch.randn(64) for _ in range(count)]
        result = Result((64,), (1,), torch.float32)
        path = call_path(kernel, [result], lambda *_: None)
        path(*tensors)
        out = torch.empty(64)
        packed = struct.pack(f"{count + 1}P", *(t.data_ptr() for t in [*tensors, out]))
        alone = kernel_alone(kernel, packed)

        def eager(tensors: list[torch.Tensor] = tensors) -> torch.Tensor:
            sum = tensors[0]
            for tensor in tensors[1:]:
                sum = sum + tensor
            return torch.relu(sum)

        ours = nanoseconds(partial(path, *tensors))
        print(f"{count:6} {ours:8.0f} {alone:8.0f} {ours - alone:8.0f} {nanoseconds(eager):8.0f}")


if __name__ == "__main__":
    main()
