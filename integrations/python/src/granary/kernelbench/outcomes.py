"""What became of problems, one by one and together."""

from __future__ import annotations

import math
import statistics
from dataclasses import asdict, dataclass, field
from typing import Any

speedups = (1.0, 1.5, 2.0)
_good = ("correct", "imported")


@dataclass
class Outcome:
    """What became of one problem."""

    problem: str
    state: str
    """`correct`; `partial` when some nodes stay with PyTorch and the results are right; `wrong`,
    by KernelBench's rule or ours; `unstable` when it is as near to the model in f64 as PyTorch
    is, and KernelBench's rule refuses both; `random` when PyTorch disagrees with itself, and the
    kernels with it also from equal seeds; `unsupported`; `no-kernel`; `broken` when the problem
    itself or its run fails. Where nothing was to run, `imported` or `partial`."""
    reason: str = ""
    mode: str = ""
    kernel_ms: float | None = None
    eager_ms: float | None = None
    compiled_ms: float | None = None
    compile_failure: str = ""
    """Why `torch.compile` gave nothing."""
    ready_seconds: float | None = None
    """Until all kernels were there."""
    workspace_bytes: int | None = None
    """Memory beside inputs and results, of the kernel that needs most."""
    eager_workspace_bytes: int | None = None
    """Memory beside inputs and results, of PyTorch eager at its peak."""
    specs: int = 0
    remaining: int = 0
    """Nodes that stay with PyTorch."""
    weak: list[str] = field(default_factory=list)
    """What would pass KernelBench's rule without computing anything."""
    unseen: list[str] = field(default_factory=list)
    """The wrong answers that Granary's verification would take for right, on any kind of input:
    `zeros`, `constant`, `stale`, and `narrow`, the answer to inputs with half of their digits."""
    unexamined: str = ""
    """Why that is not known."""
    reduced: dict[str, str] = field(default_factory=dict)
    """What `--scale small` made smaller."""

    @property
    def speedup(self) -> float | None:
        """Over PyTorch eager."""
        return _ratio(self.eager_ms, self.kernel_ms)

    @property
    def speedup_over_compiled(self) -> float | None:
        """Over `torch.compile`."""
        return _ratio(self.compiled_ms, self.kernel_ms)

    def json(self) -> dict[str, Any]:
        """The members of the JSON report."""
        ratios = {"speedup": self.speedup, "speedup_over_compiled": self.speedup_over_compiled}
        return asdict(self) | ratios

    def line(self) -> str:
        """One line for people."""
        text = f"{self.problem:44} {self.mode:10} {self.state:11}"
        if self.speedup is not None:
            text += f" {self.kernel_ms:9.3f} ms, {self.speedup:.2f} x eager"
        if self.speedup_over_compiled is not None:
            text += f", {self.speedup_over_compiled:.2f} x torch.compile"
        if self.workspace_bytes is not None and self.eager_workspace_bytes is not None:
            own, other = self.workspace_bytes / 2**20, self.eager_workspace_bytes / 2**20
            text += f", workspace {own:.1f} MiB, PyTorch's {other:.1f}"
        if self.weak:
            text += f"  [weak: {', '.join(self.weak)} would pass]"
        if self.unseen:
            text += f"  [without signal: {', '.join(self.unseen)} not told from right]"
        return f"{text}  {self.reason}".rstrip()


def summary(outcomes: list[Outcome]) -> dict[str, Any]:
    """Pass rate, fast_p, and how the speedups are distributed.

    fast_p is KernelBench's: the share of all problems whose kernel is correct and more than p
    times as fast as PyTorch.
    """
    count = max(1, len(outcomes))
    states = [outcome.state for outcome in outcomes]
    timed = [outcome for outcome in outcomes if outcome.state == "correct"]
    return {
        "problems": len(outcomes),
        "states": {state: states.count(state) for state in sorted(set(states))},
        "pass_rate": sum(state in _good for state in states) / count,
        "weak": sum(bool(outcome.weak) for outcome in outcomes),
        "without_signal": [outcome.problem for outcome in outcomes if outcome.unseen],
        "ready_seconds": _ready(outcomes),
        "workspace": _workspace(outcomes),
        "eager": _distribution([outcome.speedup for outcome in timed], count),
        "torch_compile": _distribution([outcome.speedup_over_compiled for outcome in timed], count),
    }


def failures(outcomes: list[Outcome]) -> list[Outcome]:
    """All that are not correct, or imported where nothing was to run."""
    return [outcome for outcome in outcomes if outcome.state not in _good]


def by_mode(outcomes: list[Outcome]) -> dict[str, list[Outcome]]:
    """The outcomes of each mode, in the order of their first."""
    modes = dict.fromkeys(outcome.mode for outcome in outcomes)
    return {mode: [outcome for outcome in outcomes if outcome.mode == mode] for mode in modes}


def summary_lines(outcomes: list[Outcome]) -> list[str]:
    """The summary of each mode for people, every failure last."""
    return [line for each in by_mode(outcomes).values() for line in _mode_lines(each)]


def _mode_lines(outcomes: list[Outcome]) -> list[str]:
    found = summary(outcomes)
    states = ", ".join(f"{count} {state}" for state, count in found["states"].items())
    where = f" in {outcomes[0].mode} mode" if outcomes[0].mode else ""
    lines = [f"{found['problems']} problems{where}: {states}; pass rate {found['pass_rate']:.1%}"]
    for name in ("eager", "torch_compile"):
        ratios = found[name]
        if not ratios["count"]:
            continue
        fast = ", ".join(f"fast_{p:g} {ratios[f'fast_{p:g}']:.1%}" for p in speedups)
        lines.append(
            f"against {name.replace('torch_', 'torch.')}: {fast}; median {ratios['median']:.2f}, "
            f"geometric mean {ratios['geometric_mean']:.2f}, slowest {ratios['least']:.2f}, "
            f"loses at {ratios['share_that_loses']:.1%} of {ratios['count']}"
        )
    lines += _cost_lines(found["ready_seconds"], found["workspace"])
    if found["without_signal"]:
        named = ", ".join(found["without_signal"])
        lines.append(f"without signal, some wrong answer would pass verification: {named}")
    if found["weak"]:
        lines.append(f"{found['weak']} problems would accept an answer that computes nothing")
    bad = failures(outcomes)
    if bad:
        lines.append("not whole:" if _is_import(outcomes) else "not correct:")
        lines += [f"  {outcome.problem}: {outcome.state}: {outcome.reason}" for outcome in bad]
    return lines


def _is_import(outcomes: list[Outcome]) -> bool:
    return any(outcome.state == "imported" for outcome in outcomes)


def _ready(outcomes: list[Outcome]) -> dict[str, float]:
    """Until all kernels of a problem were there."""
    known = [outcome.ready_seconds for outcome in outcomes if outcome.ready_seconds is not None]
    return {"median": statistics.median(known), "largest": max(known)} if known else {}


def _workspace(outcomes: list[Outcome]) -> dict[str, float]:
    """Peak memory beside inputs and results: kernels' and PyTorch's, and at how many problems
    kernels take more."""
    known = [
        (outcome.workspace_bytes, outcome.eager_workspace_bytes)
        for outcome in outcomes
        if outcome.workspace_bytes is not None and outcome.eager_workspace_bytes is not None
    ]
    if not known:
        return {}
    return {
        "count": len(known),
        "largest": max(own for own, _ in known),
        "largest_eager": max(other for _, other in known),
        "more_than_eager": sum(own > other for own, other in known),
    }


def _cost_lines(ready: dict[str, float], workspace: dict[str, float]) -> list[str]:
    lines = []
    if ready:
        lines.append(
            f"until kernels were there: median {ready['median']:.2f} s, "
            f"largest {ready['largest']:.2f} s"
        )
    if workspace:
        own, other = workspace["largest"] / 2**20, workspace["largest_eager"] / 2**20
        lines.append(
            f"peak workspace: largest {own:.1f} MiB, PyTorch's {other:.1f} MiB; more than "
            f"PyTorch's at {workspace['more_than_eager']:g} of {workspace['count']:g}"
        )
    return lines


def _distribution(ratios: list[float | None], count: int) -> dict[str, Any]:
    known = sorted(ratio for ratio in ratios if ratio is not None)
    found: dict[str, Any] = {
        f"fast_{p:g}": sum(ratio > p for ratio in known) / count for p in speedups
    }
    found["count"] = len(known)
    if known:
        found["median"] = statistics.median(known)
        found["geometric_mean"] = math.exp(statistics.fmean(map(math.log, known)))
        found["least"], found["most"] = known[0], known[-1]
        found["share_that_loses"] = sum(ratio < 1 for ratio in known) / len(known)
    return found


def _ratio(other: float | None, own: float | None) -> float | None:
    return None if other is None or not own else other / own
