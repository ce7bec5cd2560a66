"""Whether a problem's results are right: by KernelBench's rule, and by a stricter one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from granary.kernelbench.problems import Problem, flat

tolerances = {torch.float16: 1e-2, torch.bfloat16: 1e-2}
"""KernelBench's, absolute and relative, by the dtype of the result; 1e-4 for others."""

_slack = 4.0
_floor = 1e-5


@dataclass
class Judgement:
    """What was found over all trials."""

    wrong: str | None = None
    """Why KernelBench's rule refuses the kernel; None when it does not."""
    imprecise: str | None = None
    """Why ours does: it is farther from the model in f64 than four times PyTorch's own distance
    and 1e-5 of the largest value."""
    is_unstable: bool = False
    """Whether KernelBench's rule refuses PyTorch's own result beside that in f64."""
    weak: list[str] = field(default_factory=list)
    """What would pass KernelBench's rule though it computes nothing: `zeros`, `constant`, and
    `stale`, the answer to other inputs."""

    @property
    def is_close(self) -> bool:
        """Whether the kernel is as near to the model in f64 as PyTorch is, which is not near enough
        for KernelBench's rule: every other order of the same sums would be refused too."""
        return self.is_unstable and not self.imprecise


def judged(
    problem: Problem,
    model: torch.nn.Module,
    run: Callable[[list[Any]], list[torch.Tensor]],
    trials: int,
    tolerance: float | None,
    is_random: bool = False,
) -> Judgement:
    """Compares a kernel with the model on fresh inputs.

    The trials' seeds are drawn as KernelBench draws them, from seed 42. Random numbers that stay
    with PyTorch are the model's, for both begin with equal seeds.

    Args:
        problem: whose inputs are used.
        model: of PyTorch.
        run: calls the kernels.
        trials: how many fresh inputs.
        tolerance: absolute and relative; KernelBench's when it is None.
        is_random: whether the model is, so that its result in f64 is another one.
    """
    torch.manual_seed(42)
    seeds = [int(torch.randint(0, 2**32 - 1, (1,)).item()) for _ in range(trials)]
    judgement = Judgement()
    wanted: list[list[torch.Tensor]] = []
    for trial, seed in enumerate(seeds):
        inputs = problem.inputs(seed)
        torch.manual_seed(seed)
        given = [tensor.clone() for tensor in run(inputs)]
        torch.manual_seed(seed)
        want = [tensor.clone() for tensor in flat(model(*inputs))]
        wanted.append(want)
        reason = _difference(given, want, tolerance)
        if reason and not judgement.wrong:
            judgement.wrong = f"trial {trial}: {reason}"
        if trial == 0 and not is_random:
            exact = _exact(model, inputs)
            judgement.imprecise = _imprecision(given, want, exact)
            same_shapes = [one.shape for one in given] == [one.shape for one in want]
            passes = all(map(_passes, exact, want, [tolerance] * len(exact)))
            judgement.is_unstable = same_shapes and not passes
    if judgement.wrong and judgement.is_unstable:
        judgement.wrong += "; so does PyTorch's own result from that in f64"
    judgement.weak = _weaknesses(wanted, tolerance)
    return judgement


def is_random(problem: Problem, model: torch.nn.Module) -> bool:
    """Whether PyTorch gives two results for the same inputs."""
    inputs = problem.inputs(42)
    torch.manual_seed(1)
    one = flat(model(*inputs))
    torch.manual_seed(2)
    other = flat(model(*inputs))
    return not all(
        torch.allclose(a, b, rtol=1e-3, atol=1e-5, equal_nan=True)
        for a, b in zip(one, other, strict=True)
    )


def _difference(
    given: list[torch.Tensor], want: list[torch.Tensor], tolerance: float | None
) -> str | None:
    if len(given) != len(want):
        return f"{len(given)} results, not {len(want)}"
    for own, other in zip(given, want, strict=True):
        if own.shape != other.shape:
            return f"the shape is {tuple(own.shape)}, not {tuple(other.shape)}"
        if not _passes(own, other, tolerance):
            if other.isnan().any():
                return "PyTorch's own result has NaN, which KernelBench never accepts"
            return f"differs by {(own.double() - other.double()).abs().max():.3g}"
    return None


def _passes(own: torch.Tensor, other: torch.Tensor, tolerance: float | None) -> bool:
    bound = tolerance if tolerance is not None else tolerances.get(other.dtype, 1e-4)
    return torch.allclose(own.to(other.dtype), other, atol=bound, rtol=bound)


def _exact(model: torch.nn.Module, inputs: list[Any]) -> list[torch.Tensor]:
    """The results in f64; none of a model that names its own dtype and so has no form in f64."""
    wide = [
        value.double() if torch.is_tensor(value) and value.is_floating_point() else value
        for value in inputs
    ]
    try:
        return flat(copy.deepcopy(model).double()(*wide))
    except Exception:
        return []


def _imprecision(
    given: list[torch.Tensor], want: list[torch.Tensor], exact: list[torch.Tensor]
) -> str | None:
    for own, other, truth in zip(given, want, exact, strict=False):
        if not truth.is_floating_point() or not truth.numel() or not truth.isfinite().all():
            continue
        error = (own.double() - truth).abs().max().item()
        theirs = (other.double() - truth).abs().max().item()
        largest = truth.abs().max().item()
        if not error <= max(_slack * theirs, _floor * largest):
            return f"is {error:.3g} from the result in f64, PyTorch {theirs:.3g}"
    return None


def _weaknesses(wanted: list[list[torch.Tensor]], tolerance: float | None) -> list[str]:
    def all_pass(answer: Callable[[int, int, torch.Tensor], torch.Tensor]) -> bool:
        return all(
            _passes(answer(trial, place, tensor), tensor, tolerance)
            for trial, want in enumerate(wanted)
            for place, tensor in enumerate(want)
        )

    answers: dict[str, Callable[[int, int, torch.Tensor], torch.Tensor]] = {
        "zeros": lambda trial, place, tensor: torch.zeros_like(tensor),
        "constant": lambda trial, place, tensor: torch.full_like(
            tensor, tensor.double().mean().item()
        ),
    }
    if len(wanted) > 1:
        answers["stale"] = lambda trial, place, tensor: wanted[trial - 1][place]
    usable = [want for want in wanted if all(tensor.numel() for tensor in want)]
    return [name for name, answer in answers.items() if usable and all_pass(answer)]
