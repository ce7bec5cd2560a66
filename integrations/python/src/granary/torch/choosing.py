"""Whether a kernel or PyTorch's own operators serve a group of nodes: measured, once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

rounds = 15
budget_seconds = 0.2
# A kernel that is as good as PyTorch's own operators is preferred: it may still become better.
tolerance = 1.03

_decisions: dict[str, bool] = {}


def is_kernel_faster(
    artifact: str, kernel: Callable[..., Any], original: Callable[..., Any], tensors: Any
) -> bool:
    """Runs both in turns on the tensors of a call and compares their shortest times.

    Remembered by the kernel's artifact, so that equal groups of a model are measured once.
    """
    if artifact not in _decisions:
        _decisions[artifact] = _measure(kernel, original, tensors)
    return _decisions[artifact]


def learn(known: dict[str, bool]) -> None:
    """Takes over what another process measured, by artifact."""
    for artifact, is_faster in known.items():
        _decisions.setdefault(artifact, is_faster)


def decisions(artifacts: Iterable[str]) -> dict[str, bool]:
    """What was decided about artifacts, if anything was."""
    return {artifact: _decisions[artifact] for artifact in artifacts if artifact in _decisions}


def is_faster(one: Callable[[], Any], other: Callable[[], Any]) -> bool:
    """Runs two functions in turns, and compares their shortest times."""
    return _measure(one, other, ())


def _measure(kernel: Callable[..., Any], original: Callable[..., Any], tensors: Any) -> bool:
    began = time.perf_counter()
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(_seconds(kernel, tensors))
        theirs.append(_seconds(original, tensors))
        if time.perf_counter() - began > budget_seconds and len(ours) >= 3:
            break
    return min(ours) <= min(theirs) * tolerance


def _seconds(function: Callable[..., Any], tensors: Any) -> float:
    began = time.perf_counter()
    function(*tensors)
    return time.perf_counter() - began
