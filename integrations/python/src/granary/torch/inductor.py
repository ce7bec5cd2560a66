"""Inductor's compiled graphs in Granary's store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from granary.foreign import Foreign


@dataclass
class InductorCache:
    """What came of the store, and what went into it."""

    loaded_bytes: int = 0
    saved_bytes: int = 0


@contextmanager
def inductor_cache(name: str, *, socket: str | None = None) -> Iterator[InductorCache]:
    """Takes what Inductor compiled elsewhere from the store, and keeps what it compiles meanwhile.

        with granary.torch.inductor_cache("my-model"):
            compiled = torch.compile(model)
            compiled(x)

    These are `torch.compiler.load_cache_artifacts` and `save_cache_artifacts`, which bundle the
    graphs, the code and the results of autotuning; Inductor checks each before it uses it. Without
    a daemon, Inductor's own directory is all there is, as ever.

    Args:
        name: what the bundle is for; one for each program, PyTorch and processor.
        socket: of the daemon.
    """
    store = Foreign("inductor", socket, timeout=60)
    capability = torch.backends.cpu.get_cpu_capability()
    full = f"{name}/{torch.__version__}/{capability}"
    cache = InductorCache()
    bundle = store.get(full)
    if bundle is not None and torch.compiler.load_cache_artifacts(bundle) is not None:
        cache.loaded_bytes = len(bundle)
    yield cache
    saved = torch.compiler.save_cache_artifacts()
    if saved is None:
        return
    content = saved[0]
    is_new = bundle is None or hashlib.sha256(content).digest() != hashlib.sha256(bundle).digest()
    if is_new and store.keep(full, content):
        cache.saved_bytes = len(content)
