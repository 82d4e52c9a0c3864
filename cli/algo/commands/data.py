"""``algo data``: bring market data into the store, look at it, make some."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from algo import console
from algo.options import First, Home, Json, Last, Start
from algomaster.core.errors import ConfigError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Bring market data into the store, look at it, make some.")


_UNCLEAN = 10
"""Exit code of an import that kept rows or files out, or found none."""


def _formats(incomplete: str) -> list[str]:
    from algomaster.market.loaders import LOADERS

    return [name for name in ("auto", *LOADERS) if name.startswith(incomplete)]


@app.command("import")
def import_(
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="A file, or a folder whose files are imported one by one.")
    ],
    format: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="NAME",
            autocompletion=_formats,
            help="A format; auto looks at the content of each file.",
        ),
    ] = "auto",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Import vendor files into the store; importing the same again changes nothing.

    Exit code 10 says that rows were rejected (they are kept in the rejects file), that a file could not be used, or
    that there was no row to read.
    """
    if not path.strip():  # an unset variable in a script: never the current folder
        raise typer.BadParameter("expected a file or folder, got an empty text", param_hint="PATH")
    from algomaster.market.importer import import_path

    with console.working(as_json=as_json) as work:
        moved = work.track("importing")
        report = import_path(path, home=home, format=format, progress=lambda done, total, _: moved(done, total))
    if as_json:
        console.emit_json(report.to_dict())
    else:
        console.emit(repr(report))
    if not report.rows_read:
        console.note(f"warning: no row was read from {path}: it holds no file with rows of data.")
    if not report.clean or not report.rows_read:
        raise typer.Exit(_UNCLEAN)


@app.command()
def check(
    underlying: Annotated[
        str | None, typer.Argument(metavar="UNDERLYING", help="Such as NIFTY; all by default.", show_default=False)
    ] = None,
    first: First = None,
    last: Last = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Report gaps, halts, absent sessions and outliers of what the store holds."""
    from algomaster.market import quality
    from algomaster.market.store import Store

    if first is not None and last is not None and last < first:
        raise ConfigError(f"Expected --to not before --from {first}, got {last}.", hint="Swap them.")
    report = quality.check(Store(home), underlying=underlying, start=first, end=last)
    if as_json:
        console.emit_json({"findings": report.to_dict()})
    else:
        console.emit(_table("Quality of the store", report.summary()))


@app.command("list")
def list_(home: Home = None, as_json: Json = False) -> None:
    """Say what the store holds."""
    from algomaster.market.store import Store

    store = Store(home)
    held = store.inventory()
    if as_json:
        rows = [{**row, "first": str(row["first"]), "last": str(row["last"])} for row in held.to_dicts()]
        console.emit_json({"home": store.home.where, "datasets": rows})
    else:
        console.emit(_table(f"Store {store.home.where}", held))


@app.command()
def simulate(
    underlying: Annotated[str, typer.Argument(metavar="UNDERLYING", help="An index such as NIFTY.")],
    sessions: Annotated[int, typer.Option("--sessions", min=1, help="How many sessions.")] = 25,
    start: Start = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same market.")] = 11,
    strikes: Annotated[int, typer.Option("--strikes", min=3, help="Strikes around the money.")] = 41,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Fill the store with a simulated market: minutes of options, index, future and volatility index."""
    from algomaster.market import simulate
    from algomaster.market.loading import store_days
    from algomaster.market.store import Store

    with console.working(as_json=as_json) as work:
        made = work.track("simulating")
        days = simulate(
            underlying, sessions=sessions, start=start or date(2024, 1, 1), strikes=strikes, seed=seed,
            progress=lambda done: made(done, sessions),
        )  # fmt: skip
        moved = work.track("storing")
        written = store_days(Store(home), days, progress=lambda done, total, _: moved(done, total))
    told = {
        "underlying": underlying, "sessions": len(days), "first": str(days[0].session), "last": str(days[-1].session),
        "seed": seed, **{f"rows_{name}": count for name, count in written.items()},
    }  # fmt: skip
    if as_json:
        console.emit_json(told)
    else:
        console.emit(console.rows_table("Simulated", list(told), [[_text(value) for value in told.values()]]))


def _table(title: str, frame: pl.DataFrame) -> Any:
    numbers = [name for name, dtype in frame.schema.items() if dtype.is_numeric()]
    rows = [[_text(value) for value in row] for row in frame.iter_rows()]
    return console.rows_table(title, frame.columns, rows, numbers=numbers)


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
