"""Granary's kernels in PyTorch.

    compiled = torch.compile(model, backend="granary")
    y = compiled(x)
    print(granary.torch.report())

What has no kernel, or runs faster without one, stays with PyTorch; without a daemon all does.
"""

from granary.torch.ahead import Ahead, compile_ahead, load
from granary.torch.backend import Options, Report, granary_backend, refresh, report, timing
from granary.torch.inductor import InductorCache, inductor_cache
from granary.torch.overriding import OperatorCounters, Override, override
from granary.torch.recording import Recording, record

__all__ = [
    "Ahead",
    "InductorCache",
    "OperatorCounters",
    "Options",
    "Override",
    "Recording",
    "Report",
    "compile_ahead",
    "granary_backend",
    "inductor_cache",
    "load",
    "override",
    "record",
    "refresh",
    "report",
    "timing",
]
