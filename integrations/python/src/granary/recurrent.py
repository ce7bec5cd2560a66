"""Recurrent layers at export: the types of their results without their thousands of steps."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch._C import DispatchKey
from torch._decomp import decomposition_table
from torch._subclasses.fake_tensor import FakeTensor
from torch.fx.experimental.proxy_tensor import get_proxy_mode

_layers = ("lstm", "gru", "rnn_tanh", "rnn_relu")
_keys = (DispatchKey.Autograd, DispatchKey.CompositeImplicitAutograd, DispatchKey.Meta)
_table: Any = decomposition_table
_lock = threading.Lock()
_local = threading.local()


@contextlib.contextmanager
def quick_types() -> Iterator[None]:
    """Has this thread take the types of a recurrent layer's results from those of its operands.

    PyTorch finds them by going through the layer's steps, one small operator after another: tens
    of seconds for a long sequence. Where the steps themselves are traced they stay, as they do in
    other threads.
    """
    _install()
    _local.depth = getattr(_local, "depth", 0) + 1
    try:
        yield
    finally:
        _local.depth -= 1


def _install() -> None:
    with _lock:
        for name in _layers:
            operator: Any = getattr(torch.ops.aten, name).input
            places = [(operator.py_kernels, key) for key in _keys] + [(_table, operator)]
            for table, key in places:
                steps = table.get(key)
                if steps is not None and not hasattr(steps, "granary_steps"):
                    table[key] = _quick(steps)
            operator._dispatch_cache.clear()


def _quick(steps: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(steps)
    def run(*args: Any, **kwargs: Any) -> Any:
        depth = getattr(_local, "depth", 0)
        if depth and not kwargs and get_proxy_mode() is None and isinstance(args[0], FakeTensor):
            return _results(*args)
        return steps(*args, **kwargs)

    run.granary_steps = steps  # type: ignore[attr-defined]
    return run


def _results(
    input: Any,
    state: Any,
    parameters: Any,
    has_biases: bool,
    layers: int,
    dropout: float,
    train: bool,
    bidirectional: bool,
    batch_first: bool,
) -> tuple[Any, ...]:
    states = list(state) if isinstance(state, list | tuple) else [state]
    steps, batch = (1, 0) if batch_first else (0, 1)
    width = states[0].shape[-1] * (2 if bidirectional else 1)
    output = input.new_empty((input.shape[steps], input.shape[batch], width))
    ends = [input.new_empty(tuple(each.shape)) for each in states]
    return (output.transpose(0, 1) if batch_first else output, *ends)
