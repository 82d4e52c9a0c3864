"""Parameters to try as text: ``stop_pct=10,20,none``, ``stop_pct=10:50:5``, or for a search ``stop_pct=10..50``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

import typer

from algo.job import assignments

__all__ = ["grid_of", "space_of"]

_NUMBER = r"-?(?:0|[1-9]\d*)(?:\.\d+)?"
_RANGE = re.compile(rf"({_NUMBER}):({_NUMBER}):({_NUMBER})")
_BETWEEN = re.compile(rf"({_NUMBER})\.\.({_NUMBER})")


def grid_of(texts: Sequence[str]) -> dict[str, list[str]]:
    """Read ``name=a,b,c`` and ``name=start:stop:step`` (stop included); values stay text for the strategy to read."""
    named = assignments(texts, "--grid")
    if len(named) < len(texts):
        raise typer.BadParameter("every name may be given once", param_hint="--grid")
    return {name: _values(name, text) for name, text in named.items()}


def space_of(texts: Sequence[str]) -> dict[str, list[str] | tuple[float, float]]:
    """Read what :func:`grid_of` does, and ``name=low..high``: any number between, whole ones if both ends are."""
    between = {}
    for name, text in assignments(texts, "--grid").items():
        if match := _BETWEEN.fullmatch(text):
            low, high = ((float if "." in end else int)(end) for end in match.groups())
            if low >= high:
                raise typer.BadParameter(f"{name}: expected low..high, got {text!r}", param_hint="--grid")
            between[name] = (low, high)
    listed = grid_of(texts)
    return {name: between.get(name, values) for name, values in listed.items()}


def _values(name: str, text: str) -> list[str]:
    match = _RANGE.fullmatch(text)
    if match:
        start, stop, step = map(Decimal, match.groups())
        if step <= 0 or stop < start:
            raise typer.BadParameter(f"{name}: expected start:stop:step upwards, got {text!r}", param_hint="--grid")
        return [str(start + step * number) for number in range(int((stop - start) / step) + 1)]
    values = [value.strip() for value in text.split(",") if value.strip()]
    if not values:
        raise typer.BadParameter(f"{name}: expected values, got none", param_hint="--grid")
    return values
