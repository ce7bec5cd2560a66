"""Exports, checks and times one problem."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch

from granary.client import Client
from granary.errors import GranaryError
from granary.exporting import Exported, export
from granary.kernelbench.judging import Judgement, is_random, judged
from granary.kernelbench.outcomes import Outcome
from granary.kernelbench.problems import Problem, flat


@dataclass(frozen=True)
class Settings:
    """How problems are run."""

    scale: str = "full"
    training: bool = True
    policy: str = "baseline"
    deadline: float = 300
    """Seconds for all kernels of a problem."""
    trials: int = 5
    tolerance: float | None = None
    """KernelBench's for the dtype when it is None."""
    rounds: int = 20
    compile: bool = True
    examine: bool = True
    """Whether to ask the daemon which wrong answers its verification would not see."""
    limit: float = 900
    """Seconds for one problem."""
    import_only: bool = False
    """Whether to export only: nothing runs, and tensors have no memory."""

    @property
    def mode(self) -> str:
        """As reports name it."""
        return "training" if self.training else "evaluation"


def run(path: Path, settings: Settings) -> Outcome:
    """Exports, checks and times one problem, in this process."""
    outcome = Outcome(f"{path.parent.name}/{path.stem}", "broken", mode=settings.mode)
    try:
        problem = Problem(path, settings.scale, settings.training)
        outcome.reduced = problem.reduced
        if settings.import_only:
            return _imported(outcome, problem)
        model, inputs = problem.model(), problem.inputs(42)
        with torch.no_grad():
            random = is_random(problem, model)
        exported = export(problem.model(), inputs)
    except Exception as error:
        return replace(outcome, reason=f"{type(error).__name__}: {_first_line(error)}")
    outcome.specs, outcome.remaining = len(exported.specs), len(exported.remaining)
    groups = exported.graph.fused
    if not groups:
        state = "random" if random else "unsupported"
        return replace(outcome, state=state, reason=_unsupported(exported))
    start = time.monotonic()
    exported.graph.ask(policy=settings.policy, deadline=settings.deadline)
    kernels = [group.kernel for group in groups if group.kernel is not None]
    if len(kernels) < len(groups):
        reason = next(group.reason for group in groups if group.kernel is None)
        return replace(outcome, state="no-kernel", reason=(reason or "").partition("\n")[0])
    outcome.ready_seconds = time.monotonic() - start
    outcome.workspace_bytes = max(kernel.workspace_bytes for kernel in kernels)
    with torch.no_grad():
        return _judged(outcome, problem, model, exported, settings, random)


def _imported(outcome: Outcome, problem: Problem) -> Outcome:
    model, inputs, mode = problem.without_memory()
    with mode:
        exported = export(model, inputs)
    outcome.specs, outcome.remaining = len(exported.specs), len(exported.remaining)
    if not exported.graph.fused:
        return replace(outcome, state="unsupported", reason=_unsupported(exported))
    if exported.remaining:
        return replace(outcome, state="partial", reason=_unsupported(exported))
    unchecked = "" if exported.checked else "not checked by a daemon"
    return replace(outcome, state="imported", reason=unchecked)


def run_apart(path: Path, settings: Settings) -> Outcome:
    """As `run`, in a process of its own, so that neither a crash nor its memory outlives it."""
    # Whoever started this process may have blocked the signal by which the server of forks learns
    # that a child has ended.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    # Not a fork of this process, whose threads of PyTorch would be missing in the child.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(sending, path, settings, dict(os.environ)))
    process.start()
    sending.close()
    try:
        if receiving.poll(settings.limit):
            outcome: Outcome = receiving.recv()
            return outcome
        reason = f"took more than {settings.limit:g} seconds"
        process.kill()
    except EOFError:
        process.join()
        reason = _ended(process.exitcode)
    finally:
        process.join()
        receiving.close()
    return Outcome(f"{path.parent.name}/{path.stem}", "broken", reason, settings.mode)


def _ended(status: int | None) -> str:
    if status == -signal.SIGKILL:
        return "its process was killed, as happens when the memory does not suffice"
    return f"its process ended with status {status}"


def _send(sending: Connection, path: Path, settings: Settings, environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    sending.send(run(path, settings))
    sending.close()


def _judged(
    outcome: Outcome,
    problem: Problem,
    model: torch.nn.Module,
    exported: Exported,
    settings: Settings,
    random: bool,
) -> Outcome:
    run = exported.all_outputs(policy=settings.policy, deadline=settings.deadline)

    def call(inputs: list[Any]) -> list[torch.Tensor]:
        return list(run(*flat(inputs))[: exported.user_outputs])

    judgement: Judgement = judged(problem, model, call, settings.trials, settings.tolerance, random)
    outcome.weak = judgement.weak
    if settings.examine:
        outcome.unseen, outcome.unexamined = examined(exported, settings.deadline)
    outcome.eager_workspace_bytes = _workspace(model, problem.inputs(42))
    if wrong := judgement.wrong or judgement.imprecise:
        state = "random" if random else "unstable" if judgement.is_close else "wrong"
        return replace(outcome, state=state, reason=wrong)
    if exported.graph.original_calls:
        return replace(outcome, state="no-kernel", reason="a kernel failed, PyTorch ran instead")
    outcome = _timed(outcome, problem.inputs(42), model, call, settings)
    if exported.remaining:
        return replace(outcome, state="partial", reason=_unsupported(exported))
    return replace(outcome, state="correct")


def examined(exported: Exported, seconds: float) -> tuple[list[str], str]:
    """The wrong answers that the daemon's verification would take for right, or why nobody knows.

    Of several specs, those of the same wrong answer are named once.
    """
    unseen: dict[str, None] = {}
    client = Client(timeout=seconds)
    end = time.monotonic() + seconds
    for spec in exported.specs:
        if time.monotonic() > end:
            return list(unseen), "took too long"
        try:
            report = client.examine(spec)
        except GranaryError as error:
            return list(unseen), _first_line(error)
        unseen |= {found["answer"]: None for found in report["findings"] if not found["seen_on"]}
    return list(unseen), ""


def _timed(
    outcome: Outcome,
    inputs: list[Any],
    model: torch.nn.Module,
    call: Callable[[list[Any]], Any],
    settings: Settings,
) -> Outcome:
    functions: dict[str, Callable[[], Any]] = {
        "kernel": lambda: call(inputs),
        "eager": lambda: model(*inputs),
    }
    failure = ""
    if settings.compile:
        try:
            compiled = torch.compile(model)
            compiled(*inputs)
            functions["compiled"] = lambda: compiled(*inputs)
        except Exception as error:
            failure = f"{type(error).__name__}: {_first_line(error)}"
    medians = interleaved(functions, settings.rounds)
    return replace(
        outcome,
        kernel_ms=medians["kernel"],
        eager_ms=medians["eager"],
        compiled_ms=medians.get("compiled"),
        compile_failure=failure,
    )


def interleaved(
    functions: dict[str, Callable[[], Any]], rounds: int, seconds: float = 60
) -> dict[str, float]:
    """The median milliseconds of a call of each, called in turns so that noise meets all alike.

    Threads of whoever ran before look for work a while longer and then sleep: each turn begins
    with a pause and a call that does not count. After `seconds` there are no more rounds, once
    there are three.
    """
    times: dict[str, list[float]] = {name: [] for name in functions}
    end = time.monotonic() + seconds
    for turn in range(rounds):
        if turn >= 3 and time.monotonic() > end:
            break
        for name, function in functions.items():
            time.sleep(0.005)
            function()
            start = time.perf_counter()
            function()
            times[name].append((time.perf_counter() - start) * 1000)
    return {name: statistics.median(measured) for name, measured in times.items()}


def _workspace(model: torch.nn.Module, inputs: list[Any]) -> int:
    """The most memory that PyTorch has allocated at a time during a call, without its results."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    measured = torch.profiler.profile(activities=activities, profile_memory=True)
    with _without_complaints(), measured as profile:
        results = model(*inputs)
    recorded: Any = profile.profiler
    events = [event for event in recorded.kineto_results.events() if event.name() == "[memory]"]
    held = peak = 0
    for event in sorted(events, key=lambda event: int(event.start_ns())):
        held += int(event.nbytes())
        peak = max(peak, held)
    given = sum(tensor.untyped_storage().nbytes() for tensor in flat(results))
    return max(0, peak - given)


@contextlib.contextmanager
def _without_complaints() -> Iterator[None]:
    """Drops standard error for a while: the profiler's library writes there, not Python."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _unsupported(exported: Exported) -> str:
    return "; ".join(map(str, exported.unsupported[:3]))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]
