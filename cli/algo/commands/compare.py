"""``algo compare``: saved results side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from algo import options
from algo.console import emit, emit_json, number, rows_table, working

if TYPE_CHECKING:
    from rich.table import Table

    from algomaster.performance import Comparison

__all__ = ["compare_"]


def compare_(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN RUN [RUN...]", exists=True, file_okay=False, show_default=False,
            help="Folders that algo backtest --save or Result.save wrote; the others are compared with the first.",
        ),
    ],
    capital: options.Capital = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", metavar="FILE", dir_okay=False, rich_help_panel="Output", show_default=False,
            help="Write an HTML page with the picture here.",
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:  # fmt: skip
    """Put saved results side by side: every figure, and the difference of their sessions with its standard error.

    Example: algo compare tight/ wide/ --report compared.html
    """
    if len(folders) < 2:
        raise typer.BadParameter("give two results at least", param_hint="RUN RUN [RUN...]")
    options.can_write(report, "--report")
    with working(as_json=as_json) as work, work.busy("comparing"):
        from algomaster.performance import Result, compare

        runs = {name: Result.load(folder) for name, folder in zip(_names(folders), folders)}
        if capital is not None:
            runs = {name: run.with_capital(capital) for name, run in runs.items()}
        found = compare(runs)
        written = found.report(report) if report else None
    if as_json:
        emit_json(found.to_dict() | {"report": str(written) if written else None})
    else:
        emit(_metrics(found), "", _pairs(found), *(["", f"Report: {written}"] if written else []))


def _names(folders: list[Path]) -> list[str]:
    """Call runs by their folders: by as much of the paths as tells them apart, and a number where nothing does."""
    paths = [folder.resolve() for folder in folders]
    for depth in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join(path.parts[-depth:]) for path in paths]
        if len(set(names)) == len(names):
            return names
    return [f"{path.name} {at}" for at, path in enumerate(paths, 1)]


def _metrics(found: Comparison) -> Table:
    from algomaster.performance.result import write_metric

    heads = [*found.names, *(f"{name} - {found.names[0]}" for name in found.names[1:])]
    rows = [
        [row["label"], *(write_metric(row[name], row["unit"]) for name in heads)]
        for row in found.metrics.iter_rows(named=True)
        if any(row[name] == row[name] for name in found.names)
    ]
    return rows_table(f"{len(found.names)} runs, {found.daily.height} sessions", ["", *heads], rows, numbers=heads)


def _pairs(found: Comparison) -> Table:
    heads = ["sessions in both", "average difference, ₹", "s.e.", "t", "correlation"]
    rows = [
        [
            f"{pair.name} less {pair.base}", str(pair.sessions),
            *(number(value) for value in (pair.difference, pair.difference_se, pair.t, pair.correlation)),
        ]
        for pair in found.pairs
    ]  # fmt: skip
    return rows_table("Session by session", ["", *heads], rows, numbers=heads)
