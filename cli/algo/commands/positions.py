"""``algo positions``: what clients, institutions and brokers hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from algo import options
from algo.chains import write_figure
from algo.console import emit, emit_json, number, records, rows_table, signed, toned, working

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table
    from rich.text import Text

    from algomaster.market import Positioning

__all__ = ["positions"]

_UNUSUAL: Final = 2.0
"""A z-score from here on stands out."""


def positions(
    first: options.First = None,
    last: options.Last = None,
    home: options.Home = None,
    measure: Annotated[str, typer.Option("--measure", help="oi (open interest) or volume.")] = "oi",
    window: Annotated[int, typer.Option("--window", min=2, help="Sessions a z-score looks back over.")] = 20,
    instrument: Annotated[
        str,
        typer.Option(
            "--instrument",
            help="Whose net is shown by session: index_future, stock_future, index_call, index_put, stock_call, "
            "stock_put.",
        ),
    ] = "index_future",
    sessions: Annotated[int, typer.Option("--sessions", min=1, help="So many of the last sessions.")] = 10,
    plot: options.Plot = None,
    kind: Annotated[str, typer.Option("--kind", help="What --plot shows: net, long_short or options.")] = "net",
    as_json: options.Json = False,
) -> None:
    """Show participants' open interest (client, DII, FII, proprietary): net positions, changes, ratios, z-scores.

    Examples: algo positions --from 2025-08-01   or   algo positions --instrument index_call --plot positions.html
    """
    options.can_write(plot, "--plot")
    with working(as_json=as_json):
        from algomaster.market import positioning
        from algomaster.market.schemas import INSTRUMENTS

        if instrument not in INSTRUMENTS:
            raise typer.BadParameter(
                f"expected one of {', '.join(INSTRUMENTS)}, got {instrument!r}", param_hint="--instrument"
            )
        try:
            found = positioning(measure=measure, start=first, end=last, home=home, window=window)  # type: ignore[arg-type]
            figure = None if plot is None else found.plot(kind, instrument=instrument)  # type: ignore[arg-type]
        except ValueError as problem:
            raise typer.BadParameter(str(problem)) from None
    if plot is not None:
        write_figure(figure, plot)
    if as_json:
        told = {"measure": found.measure, "window": found.window, "simulated": found.simulated}
        emit_json({**told, "positions": records(found.frame), "ratios": records(found.ratios)})
        return
    emit(repr(found), "", _held(found), "", _ratios(found), "", _net_by_session(found, instrument, sessions))


def _last(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(frame["session"] == frame["session"].max())


def _held(found: Positioning) -> Table:
    """Give every participant's long, short and net contracts of the last session."""
    last = _last(found.frame)
    rows = [
        [
            row["participant"], row["instrument"].replace("_", " "), number(row["long"], 0), number(row["short"], 0),
            signed(row["net"]), signed(row["net_change"]), _score(row["net_z"]),
        ]
        for row in last.iter_rows(named=True)
    ]  # fmt: skip
    since = last["since"][0]
    columns = ["participant", "instrument", "long", "short", "net", f"since {since}" if since else "change", "z"]
    return rows_table(f"Contracts on {last['session'][0]}", columns, rows, numbers=set(columns[2:]))


def _ratios(found: Positioning) -> Table:
    last = _last(found.ratios)
    rows = [
        [
            row["participant"], _percent(row["index_future_long_share"]),
            signed(_hundredfold(row["index_future_long_share_change"]), 1), _score(row["index_future_long_share_z"]),
            number(row["index_future_long_short"]), signed(row["index_option_net"]), _score(row["index_option_net_z"]),
            number(row["index_put_call"]), _percent(row["stock_future_long_share"]),
        ]
        for row in last.iter_rows(named=True)
    ]  # fmt: skip
    columns = [
        "participant", "index futures long %", "change", "z", "long / short", "index calls - puts", "z ",
        "puts / calls", "stock futures long %",
    ]  # fmt: skip
    return rows_table(f"Ratios on {last['session'][0]}", columns, rows, numbers=set(columns[1:]))


def _net_by_session(found: Positioning, instrument: str, sessions: int) -> Table:
    rows_of = found.frame.filter(found.frame["instrument"] == instrument)
    names = rows_of["participant"].unique().sort().to_list()
    net = {(row["session"], row["participant"]): row["net"] for row in rows_of.iter_rows(named=True)}
    days = rows_of["session"].unique().sort().tail(sessions)
    rows: list[list[str | Text]] = [[str(day), *(signed(net.get((day, name))) for name in names)] for day in days]
    title = f"Net {instrument.replace('_', ' ')}s, contracts"
    return rows_table(title, ["session", *names], rows, numbers=set(names))


def _score(value: float | None) -> Text:
    return toned("" if value is None else f"{value:+.1f}", "bold" if abs(value or 0.0) >= _UNUSUAL else "")


def _hundredfold(value: float | None) -> float | None:
    return None if value is None else 100.0 * value


def _percent(value: float | None) -> str:
    return number(_hundredfold(value), 1)
