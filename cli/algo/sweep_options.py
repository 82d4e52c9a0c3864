"""Options that sweeps, searches and walk-forwards share, and what becomes of them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

__all__ = ["Address", "Chunk", "Engine", "Grid", "Memory", "Workers", "work_of"]

_WORK = "Work"


def _engines(incomplete: str) -> list[str]:
    from algomaster.backtest.sweeps.engines import ENGINES

    return [name for name in ENGINES if name.startswith(incomplete)]


Grid = Annotated[
    list[str],
    typer.Option(
        "--grid", metavar="KEY=VALUES", show_default=False, rich_help_panel="Strategy and rules",
        help="Values to try: stop_pct=10,20,none or start:stop:step such as stop_pct=10:50:5 (stop included); "
        "repeatable, all combinations are run.",
    ),
]  # fmt: skip
Engine = Annotated[
    str | None,
    typer.Option(
        "--engine", metavar="NAME", autocompletion=_engines, rich_help_panel=_WORK, show_default=False,
        help="Where sets run: threads of this process (the default), joblib (worker processes) or ray (a cluster).",
    ),
]  # fmt: skip
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers", min=1, rich_help_panel=_WORK, show_default=False,
        help="Threads, processes or workers of the cluster; by default one for each core.",
    ),
]  # fmt: skip
Chunk = Annotated[
    int | None,
    typer.Option(
        "--chunk", metavar="SETS", min=1, rich_help_panel=_WORK, show_default=False,
        help="Sets that a worker has in flight at once; changes no number.",
    ),
]  # fmt: skip
Memory = Annotated[
    str | None,
    typer.Option(
        "--memory", metavar="SIZE", rich_help_panel=_WORK, show_default=False,
        help="Bytes that the work may take beside the sessions, such as 2GB.",
    ),
]  # fmt: skip
Address = Annotated[
    str | None,
    typer.Option(
        "--address", metavar="ADDRESS", rich_help_panel=_WORK, show_default=False,
        help="Of a running Ray cluster, such as auto or ray://head:10001; by default one is started here.",
    ),
]  # fmt: skip


def work_of(**given: Any) -> dict[str, Any]:
    """Give the options that were given; what was not takes the library's default."""
    return {name: value for name, value in given.items() if value is not None}
