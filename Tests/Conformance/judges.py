"""Who computes a spec: the reference evaluator, or kernels from a daemon."""

from __future__ import annotations

import json
import select
import subprocess

import torch

import granary
from granary.spec import TensorType
from granary.tensors import torch_dtype
from samples import Sample, dtypes


class Unsupported(Exception):
    """A spec that Granary refuses, and why."""


class Wrong(Exception):
    """A spec that Granary accepts and cannot compute."""


class EvaluatorJudge:
    """Computes in double precision, in a process of its own; no kernel is compiled."""

    # What one sample may take: a net against hangs.
    patience_seconds = 120

    def __init__(self, program: str) -> None:
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    def compute(self, sample: Sample) -> list[torch.Tensor]:
        """The outputs, rounded to their dtypes.

        Raises:
            Unsupported, Wrong.
        """
        request = {"spec": sample.spec.json(), "inputs": [_bytes(t).hex() for t in sample.inputs]}
        reply = self._ask(json.dumps(request).encode() + b"\n")
        if "error" in reply:
            refused = reply["code"].startswith("spec.") or reply["code"] == "lowering"
            raise (Unsupported if refused else Wrong)(reply["error"])
        return [_tensor(TensorType.parse(type), data) for type, data in reply["outputs"]]

    def _ask(self, line: bytes) -> dict:
        if self._process is None:
            self._process = subprocess.Popen(
                [self._program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        process = self._process
        assert process.stdin and process.stdout
        try:
            process.stdin.write(line)
            process.stdin.flush()
        except BrokenPipeError:
            pass
        ready, _, _ = select.select([process.stdout], [], [], self.patience_seconds)
        reply = process.stdout.readline() if ready else b""
        if not reply:
            process.kill()
            self._process = None
            raise Wrong(f"the evaluator ended with {process.wait()}" if ready else "too slow")
        return json.loads(reply)


class DaemonJudge:
    """Runs the kernels that a daemon serves."""

    def fetch(self, samples: list[Sample]) -> None:
        """Has the kernels of many samples made in one request."""
        granary.get_all([sample.spec for sample in samples], deadline=600)

    def compute(self, sample: Sample) -> list[torch.Tensor]:
        """The outputs of the kernel.

        Raises:
            Unsupported, Wrong.
        """
        try:
            kernel = granary.get(sample.spec, deadline=600)
        except (granary.BadSpec, granary.Unsupported, granary.PreferVendor) as refusal:
            raise Unsupported(str(refusal)) from None
        except granary.GranaryError as failure:
            raise Wrong(f"{failure.code}: {failure}") from None
        like = torch.empty(0)
        out = [granary.empty(type, like) for type in kernel.outputs]
        try:
            kernel(*sample.inputs, out=out)
        except granary.GranaryError as failure:
            raise Wrong(f"{failure.code}: {failure}") from None
        return out


def _bytes(tensor: torch.Tensor) -> bytes:
    """The memory from the first to the last element."""
    if tensor.numel() == 0:
        return b""
    reach = zip(tensor.shape, tensor.stride(), strict=True)
    count = 1 + sum((extent - 1) * stride for extent, stride in reach)
    flat = torch.as_strided(tensor, (count,), (1,), tensor.storage_offset())
    return flat.view(torch.uint8).numpy().tobytes()


def _tensor(type: TensorType, data: str) -> torch.Tensor:
    assert type.dtype in dtypes
    if not data:
        return torch.empty(type.shape, dtype=torch_dtype(type.dtype))
    memory = torch.frombuffer(bytearray.fromhex(data), dtype=torch.uint8)
    return memory.view(torch_dtype(type.dtype)).reshape(type.shape)
