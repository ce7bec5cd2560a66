"""What measurements said, kept with the daemon so that the next process need not measure again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import fx

from granary.client import Client
from granary.errors import GranaryError
from granary.kernels import get_all
from granary.torch import choosing

_format = 1


class Evidence:
    """The measurements of one graph with inputs of one kind, on this machine with these threads.

    What was measured holds for the kernels that it was measured with: other artifacts are measured
    anew.
    """

    def __init__(self, module: fx.GraphModule, inputs: Sequence[Any], socket: str | None) -> None:
        self._socket = socket
        self._name = f"torch-evidence.{_identity(module, inputs)}"
        self._known: dict[str, Any] = {}
        with contextlib.suppress(GranaryError, ValueError, AttributeError):
            found = json.loads(Client(socket, timeout=10).foreign(self._name) or b"{}")
            if found.get("format") == _format:
                self._known = found
        choosing.learn(self._known.get("groups", {}))

    def prefers_eager(self) -> bool:
        """Whether the graph was slower than without the backend, with the kernels of now."""
        if self._known.get("faster", True):
            return False
        answers = get_all(self._known["specs"], policy="cached", socket=self._socket)
        artifacts = [None if isinstance(a, GranaryError) else a.artifact for a in answers]
        return bool(artifacts == self._known["artifacts"])

    def knows(self, kernels: dict[str, str | None]) -> bool:
        """Whether the graph was measured with these artifacts, by their specs."""
        known = self._known
        return bool(known) and dict(zip(known["specs"], known["artifacts"], strict=True)) == kernels

    def keep(self, kernels: dict[str, str | None], faster: bool) -> None:
        """Keeps whether the graph is faster with the backend than without."""
        artifacts = list(kernels.values())
        self._known = {
            "format": _format,
            "specs": list(kernels),
            "artifacts": artifacts,
            "groups": choosing.decisions(artifact for artifact in artifacts if artifact),
            "faster": faster,
        }
        # Without a daemon that keeps it, the next process measures again.
        with contextlib.suppress(GranaryError):
            Client(self._socket, timeout=10).keep_foreign(
                self._name, json.dumps(self._known).encode()
            )


def _identity(module: fx.GraphModule, inputs: Iterable[Any]) -> str:
    """What measurements depend on beside the kernels."""
    layouts = [
        (str(value.dtype), tuple(value.shape), value.stride(), value.requires_grad)
        if isinstance(value, torch.Tensor)
        else repr(value)
        for value in inputs
    ]
    parts = (
        module.code,
        repr(layouts),
        torch.__version__,
        str(torch.get_num_threads()),
        str(len(os.sched_getaffinity(0))),
        _processor(),
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@cache
def _processor() -> str:
    """The model of the processor, as Linux names it."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("model name", "CPU part")):
                return line
    return ""
