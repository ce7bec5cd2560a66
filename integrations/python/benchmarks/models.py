"""Ten models through `torch.compile(backend="granary")`: results, shares, and times beside others.

    python benchmarks/models.py [NAME...] [--json] [--policy tuned] [--seconds 5]   # needs a daemon

Each model is compiled once, which has its kernels made and measured ("prewarming"), and then looked
at in fresh processes. Errors are relative to the largest value; times are medians, in turns.
"first output" is the time from the model in memory to its first result, with what the backend must
import and compile; Inductor's caches are warm, on disk.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import torch
import zoo

# Dynamo leaves recurrent layers alone unless it is told not to; this is for all backends.
torch._dynamo.config.allow_rnn = True
backends = ("eager", "granary", "inductor")


def compiled(model: Any, backend: str, policy: str | None) -> Callable[..., Any]:
    """The model under a backend."""
    if backend == "eager":
        return model
    if backend == "inductor":
        return torch.compile(model)
    from granary.torch import granary_backend

    options = {"policy": policy, "deadline": 900}
    return torch.compile(model, backend=granary_backend, options=options)


def medians(functions: dict[str, Callable[[], Any]], seconds: float) -> dict[str, float]:
    """The median milliseconds of each, run in turns.

    A call that does not count precedes each: threads of whoever ran before may still look for work.
    """
    times: dict[str, list[float]] = {name: [] for name in functions}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times["eager"]) < 5:
        for name, function in functions.items():
            function()
            began = time.perf_counter()
            function()
            times[name].append((time.perf_counter() - began) * 1e3)
    return {name: statistics.median(taken) for name, taken in times.items()}


def first(name: str, backend: str, policy: str | None) -> dict[str, Any]:
    """The time to the first output, in this process."""
    model, inputs = zoo.made(name)
    with torch.no_grad():
        began = time.perf_counter()
        compiled(model, backend, policy)(*inputs)
        return {"first": (time.perf_counter() - began) * 1e3}


def steady(name: str, seconds: float, policy: str | None) -> dict[str, Any]:
    """Results, shares and times, in this process."""
    import granary.torch

    model, inputs = zoo.made(name)
    functions = {backend: compiled(model, backend, policy) for backend in backends}
    with torch.no_grad():
        wanted = model(*inputs)
        scale = wanted.abs().max()
        errors = {
            backend: float((function(*inputs) - wanted).abs().max() / scale)
            for backend, function in functions.items()
        }
        report = granary.torch.report()
        began = time.perf_counter()
        with granary.torch.timing() as timing:
            for _ in range(5):
                functions["granary"](*inputs)
        share = timing.seconds / (time.perf_counter() - began)
        calls = {
            backend: lambda function=function: function(*inputs)
            for backend, function in functions.items()
        }
        return {
            "errors": errors,
            "operators": report.operators,
            "in_kernels": report.operators_in_kernels,
            "groups": report.groups,
            "groups_in_kernels": report.groups_in_kernels,
            "left_whole": report.graphs_left,
            "share_of_time": share,
            "milliseconds": medians(calls, seconds),
            "reasons": report.reasons,
        }


def apart(options: argparse.Namespace, *arguments: str) -> dict[str, Any]:
    """What this program prints in a process of its own."""
    command = [sys.executable, __file__, "--seconds", str(options.seconds), *arguments]
    if options.policy:
        command += ["--policy", options.policy]
    answer = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    result: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return result


def looked_at(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Everything about a model whose caches are warm."""
    result = {"model": name, **apart(options, name, "--steady")}
    firsts: dict[str, list[float]] = {backend: [] for backend in backends}
    for _ in range(options.firsts):
        for backend, taken in firsts.items():
            taken.append(apart(options, name, "--first", backend)["first"])
    result["first"] = {backend: statistics.median(taken) for backend, taken in firsts.items()}
    return result


columns = (
    "model",
    "error",
    "operators in kernels",
    "groups",
    "time in kernels",
    "eager ms",
    "Inductor ms",
    "Granary ms",
    "eager / Granary",
    "Inductor / Granary",
    "first output ms: eager, Inductor, Granary",
)


def row(result: dict[str, Any]) -> str:
    """A line of the table."""
    times, firsts = result["milliseconds"], result["first"]
    inside = f"{result['in_kernels']} of {result['operators']}"
    if result["left_whole"]:
        inside = "none: faster uncompiled"
    cells = [
        result["model"],
        f"{result['errors']['granary']:.0e}",
        inside,
        f"{result['groups_in_kernels']} of {result['groups']}",
        f"{100 * result['share_of_time']:.0f} %",
        *(f"{times[backend]:.2f}" for backend in ("eager", "inductor", "granary")),
        f"{times['eager'] / times['granary']:.2f}",
        f"{times['inductor'] / times['granary']:.2f}",
        ", ".join(f"{firsts[backend]:.0f}" for backend in ("eager", "inductor", "granary")),
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Prints the table, or with `--json` a line for each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*zoo.makers, []])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--policy")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--firsts", type=int, default=3, help="fresh processes of each backend")
    parser.add_argument("--prewarmed", action="store_true", help="as an earlier call left it")
    parser.add_argument("--first", choices=backends, help=argparse.SUPPRESS)
    parser.add_argument("--steady", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.first:
        print(json.dumps(first(options.names[0], options.first, options.policy)))
    elif options.steady:
        print(json.dumps(steady(options.names[0], options.seconds, options.policy)))
    else:
        with tempfile.TemporaryDirectory() as cache:
            os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", cache)
            if not options.json:
                print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|", flush=True)
            for name in options.names or zoo.makers:
                if not options.prewarmed:
                    for backend in ("granary", "inductor"):
                        apart(options, name, "--first", backend)
                result = looked_at(name, options)
                print(json.dumps(result) if options.json else row(result), flush=True)


if __name__ == "__main__":
    main()
