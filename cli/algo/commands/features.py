"""``algo features``: the catalogue, and the feature store."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from algo import console, options
from algo.chains import finite, write_figure
from algomaster.core.errors import ConfigError

if TYPE_CHECKING:
    import polars as pl

    from algomaster.features.store import View

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="The catalogue of features, and the store that keeps their values.")

_DIFFERENT = 8
"""Exit code of a check that found values recorded otherwise."""

_SHOWN = 40
_STORE = "Store"


def _feature_names(incomplete: str) -> list[str]:
    from algomaster import features

    return [name for name in features.names() if name.startswith(incomplete)]


Name = Annotated[
    str,
    typer.Option("--view", metavar="NAME", rich_help_panel=_STORE, show_default=False, help="Name of the view."),
]
Version = Annotated[
    str | None,
    typer.Option(
        "--version", metavar="HASH", rich_help_panel=_STORE, show_default=False,
        help="One of its versions, or the beginning of it; the one made last by default.",
    ),
]  # fmt: skip
Start = Annotated[
    date,
    typer.Option(
        "--start", metavar="DATE", parser=options.day, rich_help_panel=_STORE, show_default=False,
        help="First session, such as 2015-06-01.",
    ),
]  # fmt: skip
End = Annotated[
    date,
    typer.Option(
        "--end", metavar="DATE", parser=options.day, rich_help_panel=_STORE, show_default=False,
        help="Last session, included.",
    ),
]  # fmt: skip


@app.command("list")
def list_(
    family: Annotated[
        str | None, typer.Option("--family", metavar="NAME", show_default=False, help="Only features of this family.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """List the features of the catalogue.

    Example: algo features list --family volatility
    """
    from algomaster import features

    rows = [features.get(name).row() for name in features.names()]
    families = list(dict.fromkeys(row["family"] for row in rows))
    if family is not None:
        rows = [row for row in rows if row["family"] == family]
        if not rows:
            raise ConfigError(f"There is no family {family!r}.", hint=f"There are: {', '.join(families)}.")
    if as_json:
        console.emit_json({"features": rows})
        return
    shown = [[row["name"], row["family"], row["formula"], str(row["warm_up"]), row["unit"]] for row in rows]
    columns = ["name", "family", "formula", "warm-up", "unit"]
    console.emit(console.rows_table(f"{len(rows)} features", columns, shown, numbers={"warm-up"}))


@app.command()
def show(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", autocompletion=_feature_names, show_default=False, help="Such as rsi_14."),
    ],
    as_json: options.Json = False,
) -> None:
    """Say everything the catalogue knows of a feature.

    Example: algo features show rsi_14
    """
    from algomaster import features

    feature = features.get(name)
    if as_json:
        console.emit_json(feature.row())
    else:
        console.emit(repr(feature))


@app.command()
def build(
    view: Name,
    start: Start,
    end: End,
    underlying: Annotated[
        list[str] | None,
        typer.Option(
            "--underlying",
            "-u",
            metavar="NAME",
            show_default=False,
            help="Such as NIFTY; repeatable. Those of the saved view by default.",
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option("--preset", metavar="NAME", show_default=False, help="Features of a preset: algo170 or alpha158."),
    ] = None,
    features: Annotated[
        str | None,
        typer.Option("--features", metavar="NAMES", show_default=False, help="Features by name, with commas."),
    ] = None,
    latency_ms: Annotated[
        int, typer.Option("--latency-ms", min=0, help="Milliseconds from a bar's end until its values can be used.")
    ] = 0,
    home: options.Home = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, show_default=False, help="Threads; by default one a core.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Compute a view over a range of sessions and keep the values; what is there already is left.

    Example: algo features build --view probe -u NIFTY --preset alpha158 --start 2015-06-01 --end 2015-06-30
    """
    from algomaster.features.store import materialize

    chosen = _chosen(view, underlying or [], preset, features, latency_ms, home)
    with console.working(as_json=as_json) as work:
        moved = work.track("building")
        built = materialize(chosen, start, end, home=home, workers=workers, progress=moved)
    if as_json:
        counts = built.to_frame().row(0, named=True)
        console.emit_json({**counts, "underlying": list(chosen.underlying), "table": built.where})
    else:
        console.emit(repr(built))


@app.command()
def check(
    view: Name,
    day: Annotated[
        date, typer.Option("--day", metavar="DATE", parser=options.day, show_default=False, help="The session.")
    ],
    version: Version = None,
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Compute a day again and report every value that was recorded otherwise.

    Live rows are compared where there are any, else those of building. Exit code 8 says that values differ.
    """
    from algomaster.features.store import check as compare
    from algomaster.features.store import open_view

    with console.working(as_json=as_json) as work, work.busy("checking"):
        found = compare(open_view(view, home=home, version=version), day, home=home)
    if as_json:
        told = {name: getattr(found, name) for name in ("recorded", "rows", "values", "ok")}
        about = {"view": found.view.name, "version": found.view.version, "session": str(found.session)}
        console.emit_json({**about, **told, "differences": _plain(found.differences)})
    else:
        parts: list[Any] = [repr(found).split("\nshape")[0]]
        if not found.ok:
            parts += ["", _table("Recorded otherwise", found.differences)]
        console.emit(*parts)
    if not found.ok:
        raise typer.Exit(_DIFFERENT)


@app.command()
def drift(
    view: Name,
    start: Start,
    end: End,
    training: Annotated[
        str,
        typer.Option(
            "--training",
            metavar="FIRST:LAST",
            show_default=False,
            help="Sessions to compare with, such as 2015-01-01:2015-05-31.",
        ),
    ],
    window: Annotated[int, typer.Option("--window", min=1, help="Sessions that are taken together.")] = 1,
    bins: Annotated[int, typer.Option("--bins", min=2, help="Quantile bins of the training window.")] = 10,
    version: Version = None,
    home: options.Home = None,
    plot: options.Plot = None,
    as_json: options.Json = False,
) -> None:
    """Show how far each feature has moved from a training window (population stability index).

    Below 0.1 is no shift, up to 0.25 a moderate one, above a major one.
    """
    options.can_write(plot, "--plot")
    from algomaster.features.store import drift as shift
    from algomaster.features.store import open_view

    first, colon, last = training.partition(":")
    if not colon:
        raise typer.BadParameter(f"expected FIRST:LAST, got {training!r}", param_hint="--training")
    between = options.day(first), options.day(last)
    with console.working(as_json=as_json) as work, work.busy("comparing"):
        found = shift(
            open_view(view, home=home, version=version), start, end, training=between, window=window, bins=bins,
            home=home,
        )  # fmt: skip
    if plot is not None:
        write_figure(found.plot(), plot)
    if as_json:
        about = {"view": found.view.name, "version": found.view.version, "training": [str(day) for day in between]}
        console.emit_json({**about, "rows": _plain(found.frame)})
    else:
        console.emit(repr(found), "", _table("Most moved", found.frame.sort("psi", descending=True)))


@app.command()
def sql(
    query: Annotated[
        str, typer.Argument(metavar="QUERY", show_default=False, help='Such as "SELECT avg(rsi_14) FROM probe".')
    ],
    home: options.Home = None,
    as_json: options.Json = False,
) -> None:
    """Ask the tables of the views in SQL; nothing can be changed.

    A view is a table of its name, with the rows that stand; NAME_HISTORY has corrected rows too. Of an older version
    the table is NAME_VERSION.

    Example: algo features sql "SELECT session, avg(rsi_14) FROM probe GROUP BY session"
    """
    from algomaster.features.store.asking import ask

    with console.working(as_json=as_json) as work, work.busy("asking"):
        answer = ask(query, home=home)
    if as_json:
        console.emit_json({"rows": _plain(answer)})
    else:
        console.emit(_table(f"{answer.height:,} rows", answer))


def _chosen(
    name: str, underlying: list[str], preset: str | None, features: str | None, latency_ms: int, home: str | None
) -> View:
    """Give the view that is meant: a new one, or the saved one where nothing is said of its features."""
    from algomaster import features as library
    from algomaster.features.store import View, open_view

    if preset is not None and features is not None:
        raise typer.BadParameter("say either --preset or --features", param_hint="--features")
    if preset is None and features is None:
        saved = open_view(name, home=home)
        saved.require_current()
        names, latency = list(saved.features), saved.latency_ms
        underlying = underlying or list(saved.underlying)
    else:
        names = library.preset(preset) if preset is not None else [one.strip() for one in (features or "").split(",")]
        latency = latency_ms
    if not underlying:
        raise typer.BadParameter("say of which underlying", param_hint="--underlying")
    return View(name, underlying=underlying, features=names, latency_ms=latency)


def _table(title: str, frame: pl.DataFrame) -> Any:
    numbers = {name for name, dtype in frame.schema.items() if dtype.is_numeric()}
    rows = [[_text(value) for value in row] for row in frame.head(_SHOWN).iter_rows()]
    more = f" (the first {_SHOWN} of {frame.height:,})" if frame.height > _SHOWN else ""
    return console.rows_table(title + more, frame.columns, rows, numbers=numbers)


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _plain(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Give rows as JSON knows them: times as ISO text, what is missing as null."""
    rows: list[dict[str, Any]] = json.loads(json.dumps(frame.to_dicts(), default=str))
    return [dict(zip(row, finite(list(row.values())))) for row in rows]
