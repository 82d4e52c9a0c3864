"""Curves drawn with block characters: charts of several lines, sparklines of one."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["chart", "sparkline"]

_EIGHTHS = " ▁▂▃▄▅▆▇█"


def chart(values: Sequence[float | None], *, width: int, height: int, length: int | None = None) -> list[str]:
    """Draw a curve as ``height`` lines of ``width`` columns between its lowest and its highest value.

    ``length`` is how many values a full width stands for (by default as many as there are): what has not happened yet
    stays empty. A column shows the last known value of its stretch.
    """
    columns = _columns(values, width, length or len(values))
    known = [value for value in columns if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    steps = 8 * height - 1
    levels = [
        None if value is None else 1 + round((value - low) / (high - low) * steps) if high > low else 4 * height
        for value in columns
    ]
    return [
        "".join(" " if level is None else _EIGHTHS[max(0, min(8, level - 8 * row))] for level in levels)
        for row in range(height - 1, -1, -1)
    ]


def sparkline(values: Sequence[float | None], *, width: int, length: int | None = None) -> str:
    """Draw a curve in one line."""
    return chart(values, width=width, height=1, length=length)[0]


def _columns(values: Sequence[float | None], width: int, length: int) -> list[float | None]:
    columns: list[float | None] = []
    for column in range(width):
        start, end = column * length // width, max((column + 1) * length // width, column * length // width + 1)
        stretch = [value for value in values[start:end] if value is not None]
        columns.append(stretch[-1] if stretch else None)
    return columns
