"""The chain that ``algo chain``, ``algo surface`` and ``algo exposure`` work on: from a file or from the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from algo.console import note

if TYPE_CHECKING:
    from algomaster.pricing import Chain

__all__ = ["Expiries", "From", "chain_of", "finite", "kept_expiries", "write_figure"]

From = Annotated[
    str,
    typer.Argument(
        metavar="FILE|UNDERLYING", show_default=False,
        help="A vendor's file of chain snapshots, or an underlying of the store, which needs --at.",
    ),
]  # fmt: skip
Expiries = Annotated[
    int | None,
    typer.Option("--expiries", min=1, help="Only the nearest so many expiries.", show_default=False),
]


def chain_of(
    source: str, *, at: datetime | None, underlying: str | None, home: str | None, clock: str, prices: str,
    rate: float | None,
) -> Chain:  # fmt: skip
    """Read the chain; a path that exists, or looks like one, is a file, anything else an underlying."""
    from algomaster.market import chain_from_file, chain_from_store

    try:
        if Path(source).is_file() or "/" in source or Path(source).suffix:
            return chain_from_file(source, at, underlying=underlying, clock=clock, prices=prices, rate=rate)
        if at is None:
            raise typer.BadParameter("say which moment of the store, such as '2025-08-29 10:15'", param_hint="--at")
        return chain_from_store(source, at, home=home, clock=clock, prices=prices, rate=rate)
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from None


def kept_expiries(chain: Chain, expiries: int | None) -> list[int]:
    """Give the expiries to show: the nearest so many that have a forward."""
    known = [e for e in range(len(chain.labels)) if chain.forward[e] == chain.forward[e]]
    return known[:expiries]


def finite(values: Any) -> list[Any]:
    """Give numbers as JSON knows them: what is missing is null."""
    plain: Sequence[Any] = values.tolist() if hasattr(values, "tolist") else list(values)
    return [
        None if isinstance(value, float) and (value != value or abs(value) == float("inf")) else value
        for value in plain
    ]


def write_figure(figure: Any, path: Path) -> None:
    """Write a picture as one HTML page that needs nothing else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.write_html(path, include_plotlyjs=True)
    note(f"written: {path}")
