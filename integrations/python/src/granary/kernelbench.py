"""Runs KernelBench's problems: `python -m granary.kernelbench --path CHECKOUT`.

Each problem file is read as it is: a class `Model` with `get_inputs` and `get_init_inputs`. The
model is exported, its kernel is asked for, and the results are compared with PyTorch by
KernelBench's own rule: several trials of fresh inputs, each within 1e-2 absolute and relative. Then
the kernel, PyTorch eager and, when asked, `torch.compile` are timed in turns.

Source: KernelBench, `src/eval.py`, https://github.com/ScalingIntelligence/KernelBench.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from granary.errors import GranaryError
from granary.exporting import Exported, export
from granary.kernels import Kernel, get

tolerance = 1e-2
speedups = (1.0, 1.5, 2.0)


@dataclass
class Outcome:
    """What became of one problem."""

    problem: str
    state: str
    """`correct`, `wrong`, `unsupported`, `no-kernel` or `broken`."""
    reason: str = ""
    kernel_ms: float | None = None
    eager_ms: float | None = None
    compiled_ms: float | None = None

    @property
    def speedup(self) -> float | None:
        """Over PyTorch eager."""
        if self.kernel_ms is None or self.eager_ms is None:
            return None
        return self.eager_ms / self.kernel_ms

    def line(self) -> str:
        """One line for people."""
        if self.speedup is None:
            return f"{self.problem:40} {self.state}  {self.reason}"
        return (
            f"{self.problem:40} {self.state}  {self.kernel_ms:.3f} ms, "
            f"eager {self.eager_ms:.3f} ms, {self.speedup:.2f} times as fast"
        )


class Problem:
    """A problem file, run in a namespace of its own."""

    def __init__(self, path: Path) -> None:
        self.name = f"{path.parent.name}/{path.stem}"
        self._names: dict[str, Any] = {"__name__": "kernelbench_problem"}
        exec(compile(path.read_text(), str(path), "exec"), self._names)

    def model(self, training: bool) -> torch.nn.Module:
        """The model with the weights of seed 42."""
        torch.manual_seed(42)
        model: torch.nn.Module = self._names["Model"](*self._names["get_init_inputs"]())
        return model.train(training)

    def inputs(self, seed: int) -> list[Any]:
        """Fresh inputs."""
        torch.manual_seed(seed)
        return list(self._names["get_inputs"]())


def problems(checkout: Path, levels: list[int], chosen: list[str]) -> Iterator[Path]:
    """The problem files of a checkout, by level and number."""
    root = checkout / "KernelBench" if (checkout / "KernelBench").is_dir() else checkout
    for level in levels:
        files = sorted((root / f"level{level}").glob("[0-9]*.py"), key=_number)
        yield from (file for file in files if not chosen or str(_number(file)) in chosen)


def _number(file: Path) -> int:
    return int(file.stem.split("_")[0])


def run(path: Path, options: argparse.Namespace) -> Outcome:
    """Exports, checks and times one problem."""
    name = f"{path.parent.name}/{path.stem}"
    try:
        problem = Problem(path)
        model = problem.model(options.training)
        inputs = problem.inputs(42)
        exported = export(model, inputs, name=f"kernelbench/{name}")
    except Exception as error:
        return Outcome(name, "broken", f"{type(error).__name__}: {str(error).splitlines()[:1]}")
    if not exported.specs:
        return Outcome(name, "unsupported", "; ".join(map(str, exported.unsupported[:3])))
    try:
        kernel = get(exported.specs[0], policy=options.policy, deadline=options.deadline)
    except GranaryError as error:
        return Outcome(name, "no-kernel", f"{error.code}: {error}")
    with torch.no_grad():
        if wrong := _check(problem, model, exported, kernel, options.trials):
            return Outcome(name, "wrong", wrong)
        return _time(name, model, inputs, exported, kernel, options)


def _check(
    problem: Problem, model: torch.nn.Module, exported: Exported, kernel: Kernel, trials: int
) -> str | None:
    """Why the kernel is wrong, by KernelBench's rule; None when it is right."""
    for trial in range(trials):
        inputs = problem.inputs(1000 + trial)
        results = _flat(kernel(*_tensors(inputs), *exported.parameters))[: exported.user_outputs]
        expected = _flat(model(*inputs))
        for got, want in zip(results, expected, strict=True):
            if got.shape != want.shape:
                return f"the shape is {tuple(got.shape)}, not {tuple(want.shape)}"
            if not torch.allclose(got, want, atol=tolerance, rtol=tolerance, equal_nan=True):
                return f"trial {trial} differs by {(got - want).abs().max():.3g}"
    return None


def _time(
    name: str,
    model: torch.nn.Module,
    inputs: list[Any],
    exported: Exported,
    kernel: Kernel,
    options: argparse.Namespace,
) -> Outcome:
    tensors = [*_tensors(inputs), *exported.parameters]
    out = kernel(*tensors)
    functions: dict[str, Callable[[], Any]] = {
        "kernel": lambda: kernel(*tensors, out=out),
        "eager": lambda: model(*inputs),
    }
    if options.compile:
        compiled = torch.compile(model)
        functions["compiled"] = lambda: compiled(*inputs)
    medians = interleaved(functions, options.rounds)
    return Outcome(
        name, "correct", "", medians["kernel"], medians["eager"], medians.get("compiled")
    )


def interleaved(functions: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """The median milliseconds of a call of each, called in turns so that noise meets all alike."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(rounds + 3):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            elapsed = time.perf_counter() - start
            if turn >= 3:
                times[name].append(elapsed * 1000)
    return {name: statistics.median(measured) for name, measured in times.items()}


def summary(outcomes: list[Outcome]) -> dict[str, Any]:
    """Pass rate, fast_p, and how the speedups are distributed."""
    ratios = sorted(outcome.speedup for outcome in outcomes if outcome.speedup is not None)
    states = [outcome.state for outcome in outcomes]
    summed: dict[str, Any] = {state: states.count(state) for state in sorted(set(states))}
    for threshold in speedups:
        share = sum(ratio > threshold for ratio in ratios) / max(1, len(outcomes))
        summed[f"fast_{threshold:g}"] = share
    if ratios:
        summed["median_speedup"] = statistics.median(ratios)
        summed["geometric_mean_speedup"] = math.exp(statistics.fmean(map(math.log, ratios)))
        summed["share_that_loses"] = sum(ratio < 1 for ratio in ratios) / len(ratios)
    return summed


def _tensors(values: list[Any]) -> list[torch.Tensor]:
    return [value for value in values if isinstance(value, torch.Tensor)]


def _flat(value: Any) -> list[torch.Tensor]:
    return list(value) if isinstance(value, tuple | list) else [value]


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="granary.kernelbench", description="Run KernelBench's problems with Granary's kernels."
    )
    parser.add_argument("--path", type=Path, required=True, help="a checkout of KernelBench")
    parser.add_argument("--level", type=int, action="append", help="1, 2 or 3; all unless told")
    parser.add_argument("--problem", action="append", default=[], help="a problem's number")
    parser.add_argument("--training", action="store_true", help="training mode, as KernelBench's")
    parser.add_argument("--policy", default="baseline", help="baseline or tuned")
    parser.add_argument("--deadline", type=float, default=300, help="seconds for one kernel")
    parser.add_argument("--trials", type=int, default=5, help="fresh inputs for each check")
    parser.add_argument("--rounds", type=int, default=20, help="timed calls of each")
    parser.add_argument("--compile", action="store_true", help="time torch.compile too")
    parser.add_argument("--json", action="store_true", help="print one object for all")
    return parser.parse_args(given)


def main() -> int:
    """Runs the chosen problems; 1 when one is wrong."""
    options = arguments()
    outcomes = []
    for path in problems(options.path, options.level or [1, 2, 3], options.problem):
        outcomes.append(run(path, options))
        if not options.json:
            print(outcomes[-1].line(), flush=True)
    if not outcomes:
        print(f"{options.path} has no such problem", file=sys.stderr)
        return 2
    found = summary(outcomes)
    if options.json:
        listed = [{**asdict(outcome), "speedup": outcome.speedup} for outcome in outcomes]
        print(json.dumps({"problems": listed, "summary": found}, indent=1))
    else:
        for name, value in found.items():
            print(f"{name:24} {value:.3g}" if isinstance(value, float) else f"{name:24} {value}")
    return 1 if any(outcome.state == "wrong" for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
