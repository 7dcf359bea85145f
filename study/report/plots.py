"""Plots as SVG that stands in the page: lines over numbers, coloured by the page's own tokens.

Knows series of points and nothing of what they mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 12, 46
TICKS = 5
COLOURS = ("var(--ar)", "var(--fm)", "var(--zs)", "var(--ink)", "var(--warm)")
DASHES = ("", "6 3", "2 3")


def colour(name: str, place: int) -> str:
    """AR, FM and ZS have theirs, what the paper says is grey."""
    lower = name.lower()
    if "paper" in lower:
        return "var(--muted)"
    for begin, own in (("ar", "var(--ar)"), ("fm", "var(--fm)"), ("zs", "var(--zs)")):
        if lower.startswith(begin) and not lower[len(begin) : len(begin) + 1].isalpha():
            return own
    return COLOURS[place % len(COLOURS)]


def ticks(low: float, high: float) -> list[float]:
    """Round numbers between two."""
    if high <= low:
        return [low]
    raw = (high - low) / TICKS
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * k for k in (1, 2, 2.5, 5, 10) if power * k >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(step * k, 12) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def svg(curve: dict[str, Any]) -> str:
    """One plot; empty where it has no points."""
    series = [s for s in curve["series"] if any(y is not None for _, y in s["points"])]
    points = [(x, y) for s in series for x, y in s["points"] if y is not None]
    if not points:
        return ""
    wide = bool(curve.get("logarithmic"))
    xs, ys = [math.log(x) if wide else x for x, _ in points], [y for _, y in points]
    x0, x1 = min(xs), max(xs)
    spread = (max(ys) - min(ys)) or abs(max(ys)) or 1.0
    y0, y1 = min(ys) - 0.06 * spread, max(ys) + 0.06 * spread
    y0 = 0.0 if 0 <= min(ys) < 0.5 * max(ys) else y0

    def at(x: float, y: float) -> tuple[float, float]:
        across = ((math.log(x) if wide else x) - x0) / ((x1 - x0) or 1.0)
        return (
            LEFT + across * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - (y - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM),
        )

    marks = sorted({x for x, _ in points}) if wide else ticks(x0, x1)
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(curve["title"])}">']
    for y in ticks(y0, y1):
        _, v = at(math.exp(x0) if wide else x0, y)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{v:.1f}" y2="{v:.1f}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 8}" y="{v + 4:.1f}" text-anchor="end">{y:g}</text>')
    last = -99.0
    for x in marks:
        u, _ = at(x, y0)
        if u - last >= 40:
            parts.append(f'<text class="tick" x="{u:.1f}" y="{HEIGHT - BOTTOM + 18}" '
                         f'text-anchor="middle">{x:g}</text>')  # fmt: skip
            last = u
    parts.append(f'<text class="axis" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}" '
                 f'text-anchor="middle">{escape(curve["x"])}</text>')  # fmt: skip
    for place, one in enumerate(series):
        parts.append(_line(one, place, at, wide or len(one["points"]) <= 12))
    return "".join((*parts, "</svg>"))


def _line(one: dict[str, Any], place: int, at: Any, dots: bool) -> str:
    own = colour(one["name"], place)
    told = [at(x, y) for x, y in one["points"] if y is not None]
    way = " ".join(f"{u:.1f},{v:.1f}" for u, v in told)
    dash = DASHES[_turn(one["name"])]
    line = f'<polyline points="{way}" style="stroke:{own};stroke-dasharray:{dash or "none"}"/>'
    if dots:
        line += "".join(f'<circle cx="{u:.1f}" cy="{v:.1f}" r="3.5" style="fill:{own}"/>' for u, v in told)
    return line


def _turn(name: str) -> int:
    """Lines of one engine are told apart by their dashes: FM by its steps."""
    return 1 if "25" in name else 2 if "50" in name or "paper" in name else 0


def legend(series: Sequence[dict[str, Any]]) -> str:
    """The names of a plot's lines, in their colours."""
    keys = []
    for place, one in enumerate(series):
        line = (
            f'<svg viewBox="0 0 26 8" aria-hidden="true"><line x1="1" x2="25" y1="4" y2="4" '
            f'style="stroke:{colour(one["name"], place)};stroke-dasharray:'
            f'{DASHES[_turn(one["name"])] or "none"}"/></svg>'
        )
        keys.append(f"<span>{line}{escape(one['name'])}</span>")
    return f'<p class="legend">{"".join(keys)}</p>'
