"""The table and the plot of a benchmark of kernels."""

from __future__ import annotations

import math
from typing import Any

NAMES = {
    "granary": "Granary",
    "granary-baseline": "its baseline",
    "eager": "PyTorch eager",
    "inductor": "Inductor",
    "onnxruntime": "ONNX Runtime",
    "openvino": "OpenVINO",
}
OURS = ("granary", "granary-baseline")


def microseconds(row: dict[str, Any], name: str) -> float | None:
    """The median of a peer; nothing where it could not, or its result is wrong."""
    peer = row["peers"].get(name, {})
    return peer.get("microseconds") if peer.get("error", 0) < 1e-3 else None


def best_peer(row: dict[str, Any]) -> tuple[str, float] | None:
    """The fastest of the others."""
    times = {name: microseconds(row, name) for name in NAMES if name not in OURS}
    found = {name: time for name, time in times.items() if time}
    return min(found.items(), key=lambda item: item[1]) if found else None


def share(row: dict[str, Any]) -> float | None:
    """How much of the ceiling Granary reaches."""
    ours, ceiling = microseconds(row, "granary"), microseconds(row, "ceiling")
    return ceiling / ours if ours and ceiling else None


def speedup(row: dict[str, Any], name: str) -> float | None:
    """How many times as fast as PyTorch eager."""
    own, eager = microseconds(row, name), microseconds(row, "eager")
    return eager / own if own and eager else None


def ahead(row: dict[str, Any]) -> float | None:
    """How many times as fast as the best of the others Granary is."""
    best, ours = best_peer(row), microseconds(row, "granary")
    return best[1] / ours if best and ours else None


def geometric_mean(values: list[float]) -> float:
    """Of positive numbers."""
    return math.exp(sum(map(math.log, values)) / len(values)) if values else float("nan")


def _time(row: dict[str, Any], name: str) -> str:
    time = microseconds(row, name)
    if not time:
        return "–"
    low, high = row["peers"][name]["quartiles"]
    disturbed = "" if row["peers"][name]["counted"] >= 5 else " *"
    return f"{time:.0f} ({low:.0f} to {high:.0f}){disturbed}"


def line(row: dict[str, Any]) -> str:
    """One operator, as it comes."""
    times = ", ".join(f"{NAMES[name]} {_time(row, name)}" for name in NAMES if name in row["peers"])
    errors = [
        f"\n  {name}: {peer['error_text']}"
        for name, peer in row["peers"].items()
        if "error_text" in peer
    ]
    return f"{row['operator']}: {times}{''.join(errors)}"


def markdown(result: dict[str, Any]) -> str:
    """The whole result, for people."""
    rows, machine = result["rows"], result["machine"]
    names = [name for name in NAMES if any(name in row["peers"] for row in rows)]
    lines = [
        f"# Kernels of {machine['date']}",
        "",
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}; "
        f"{result['search_seconds']:g} s of search an operator; load average "
        f"{machine['load_average']:.1f} at the start. f32, all cores, microseconds: medians of "
        "bursts in turns, with quartiles.",
        "",
        "| | "
        + " | ".join(NAMES[name] for name in names)
        + " | against eager | against the best | ceiling |",
        "|---|" + "---|" * (len(names) + 3),
    ]
    for row in rows:
        best, lead = best_peer(row), ahead(row)
        cells = [_time(row, name) for name in names]
        cells.append(f"{value:.2f}" if (value := speedup(row, "granary")) else "–")
        cells.append(f"{lead:.2f} ({NAMES[best[0]]})" if best and lead else "–")
        cells.append(f"{100 * value:.0f} %" if (value := share(row)) else "–")
        lines.append(f"| {row['operator']} | " + " | ".join(cells) + " |")
    lines += ["", *_summary(rows, names), ""]
    return "\n".join(lines)


def _summary(rows: list[dict[str, Any]], names: list[str]) -> list[str]:
    means = []
    for name in names:
        values = [value for row in rows if (value := speedup(row, name))]
        means.append(f"{NAMES[name]} {geometric_mean(values):.2f} ({len(values)})")
    leads = [(row["operator"], lead) for row in rows if (lead := ahead(row))]
    lost = [f"{name} ({lead:.2f})" for name, lead in leads if lead < 1]
    won = sum(lead >= 1.1 for _, lead in leads)
    return [
        f"Geometric mean of the speed against eager (operators): {', '.join(means)}.",
        "",
        f"Ahead of all others by 10 % or more in {won} of {len(leads)}; slower than the best of "
        f"them in: {', '.join(lost) or 'none'}.",
        "",
        "The ceiling is the time of the operator's multiplications at the rate of fused "
        "multiply-adds on registers, or of its bytes in the best streaming loop over as much "
        "memory, whichever is longer, measured in the same turns. A star: fewer than five bursts "
        "were undisturbed, and the five least disturbed are counted.",
    ]


COLOURS = ["#2f6f4f", "#8fbf9f", "#444444", "#d08a2f", "#3f6fb0", "#9a5fb0"]


def plot(result: dict[str, Any]) -> str:
    """Bars of the speed against eager, on a logarithmic scale, as SVG."""
    rows = result["rows"]
    names = [name for name in NAMES if any(name in row["peers"] for row in rows)]
    bar, left, width = 9, 250, 560
    height = bar * len(names) + 10
    values = [value for row in rows for name in names if (value := speedup(row, name))]
    low, high = min([0.25, *values]), max([4, *values])

    def x(value: float) -> float:
        return left + width * math.log(value / low) / math.log(high / low)

    top = 40
    total = top + height * len(rows) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 60}" height="{total}" '
        'font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for position, name in enumerate(names):
        parts.append(
            f'<rect x="{10 + position * 135}" y="8" width="10" height="10" '
            f'fill="{COLOURS[position]}"/>'
            f'<text x="{24 + position * 135}" y="17">{NAMES[name]}</text>'
        )
    for mark in (0.25, 0.5, 1, 2, 4, 8, 16, 32):
        if low <= mark <= high:
            parts.append(
                f'<line x1="{x(mark):.1f}" x2="{x(mark):.1f}" y1="{top - 8}" y2="{total}" '
                'stroke="#ccc"/>'
                f'<text x="{x(mark):.1f}" y="{top - 10}" text-anchor="middle">{mark:g}×</text>'
            )
    for index, row in enumerate(rows):
        y = top + index * height
        parts.append(
            f'<text x="{left - 8}" y="{y + height / 2:.0f}" text-anchor="end">'
            f"{row['operator']}</text>"
        )
        for position, name in enumerate(names):
            value = speedup(row, name)
            if not value:
                continue
            start, end = sorted((x(1), x(value)))
            parts.append(
                f'<rect x="{start:.1f}" y="{y + position * bar}" width="{max(end - start, 1):.1f}" '
                f'height="{bar - 1}" fill="{COLOURS[position]}"/>'
            )
    return "\n".join([*parts, "</svg>", ""])
