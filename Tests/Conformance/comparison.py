"""Whether a result is PyTorch's, by the tolerances that `NumericPolicy` gives each dtype."""

from __future__ import annotations

import torch

# (rtol, atol) of Sources/KernelSpec/Spec.swift; integers and bool must be equal.
tolerances = {
    torch.float64: (1e-7, 1e-7),
    torch.float32: (1e-4, 1e-5),
    torch.float16: (1e-2, 1e-3),
    torch.bfloat16: (1.6e-2, 1e-2),
}


def difference(actual: list[torch.Tensor], expected: list[torch.Tensor]) -> str | None:
    """The first difference in words; None when there is none."""
    if len(actual) != len(expected):
        return f"{len(actual)} outputs, not {len(expected)}"
    for position, (got, want) in enumerate(zip(actual, expected, strict=True)):
        if difference := _tensor_difference(got, want):
            return f"output {position}: {difference}"
    return None


def _tensor_difference(got: torch.Tensor, want: torch.Tensor) -> str | None:
    if got.dtype != want.dtype or got.shape != want.shape:
        return f"{got.dtype}{list(got.shape)}, not {want.dtype}{list(want.shape)}"
    if want.dtype not in tolerances:
        wrong = got != want
    else:
        rtol, atol = tolerances[want.dtype]
        x, y = got.double(), want.double()
        finite = y[y.isfinite()]
        scale = max(1.0, float(finite.square().mean().sqrt())) if finite.numel() else 1.0
        near = (x - y).abs() <= atol * scale + rtol * y.abs()
        wrong = ~(near | (x == y) | (x.isnan() & y.isnan()))
        wrong &= ~_overflows_alike(x, y, want.dtype)
    if not wrong.any():
        return None
    index = tuple(wrong.nonzero()[0].tolist())
    count = int(wrong.sum())
    return f"{count} of {want.numel()} differ; at {list(index)} {got[index]}, not {want[index]}"


def _overflows_alike(x: torch.Tensor, y: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Where both lie at the end of the dtype's range, on the same side: infinity or the limit."""
    limit = torch.finfo(dtype).max * (1 - 2 * tolerances[dtype][0])
    return (x.abs() >= limit) & (y.abs() >= limit) & (x.sign() == y.sign())


def names_equal_elements(
    source: torch.Tensor, dim: int, got: torch.Tensor, want: torch.Tensor
) -> bool:
    """Whether positions along a dimension name the same values, each position at most once.

    For `topk` and a sort that is not stable, which of several equal elements comes first is open.
    """
    if got.shape != want.shape or got.ndim == 0 or not got.numel():
        return bool(torch.equal(got, want))
    if bool(((got < 0) | (got >= source.shape[dim])).any()):
        return False
    ordered = got.sort(dim).values
    repeats = (ordered.diff(dim=dim) == 0).any()
    same = torch.equal(source.gather(dim, got), source.gather(dim, want))
    return same and not bool(repeats)
