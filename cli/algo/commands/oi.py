"""``algo oi``: open interest by strike through a session."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from algo import options
from algo.chains import write_figure
from algo.console import emit, emit_json, number, records, rows_table, signed, toned, working
from algomaster.core.errors import DataError

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table
    from rich.text import Text

    from algomaster.market import OpenInterest

__all__ = ["oi"]

_FRAMES: Final = ("series", "walls", "buildup", "buckets")
_CHAINS: Final = ("chain_snapshot", "option_minute")
_KINDS: Final = {
    "long_buildup": ("long build-up", "bold green"), "short_buildup": ("short build-up", "bold red"),
    "short_covering": ("short covering", "green"), "long_unwinding": ("long unwinding", "red"),
}  # fmt: skip
_WALLS: Final = {
    "resistance": "most calls", "support": "most puts", "call_ask": "calls offered", "call_bid": "calls bid for",
    "put_ask": "puts offered", "put_bid": "puts bid for",
}  # fmt: skip


def oi(
    underlying: Annotated[
        str, typer.Argument(metavar="UNDERLYING", help="An underlying of the store, such as NIFTY.", show_default=False)
    ],
    session: Annotated[
        date | None,
        typer.Option(
            "--session",
            metavar="DATE",
            parser=options.day,
            show_default=False,
            help="Session, such as 2025-08-29; by default the last one held.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="HH:MM", help="Use nothing later (Indian time).", show_default=False),
    ] = None,
    expiry: Annotated[
        date | None,
        typer.Option(
            "--expiry", metavar="DATE", parser=options.day, help="Expiry; by default the nearest.", show_default=False
        ),
    ] = None,
    interval: Annotated[int, typer.Option("--interval", min=1, help="Minutes over which changes are told.")] = 15,
    strikes: Annotated[int, typer.Option("--strikes", min=1, help="So many strikes to each side of the money.")] = 8,
    leaders: Annotated[int, typer.Option("--leaders", min=1, help="So many contracts that changed most.")] = 8,
    home: options.Home = None,
    plot: options.Plot = None,
    kind: Annotated[
        str, typer.Option("--kind", help="What --plot shows: strikes, change, pcr or buildup.")
    ] = "strikes",
    as_json: options.Json = False,
) -> None:
    """Show open interest through a session: put-call ratios, max pain, walls, who builds up and who leaves.

    Examples: algo oi NIFTY --session 2025-08-29 --until 11:30   or   algo oi NIFTY --plot oi.html --kind buildup
    """
    options.can_write(plot, "--plot")
    with working(as_json=as_json):
        source, data = _session_of(underlying, session, home)
        try:
            found = _analysis(data, interval, until)
            chosen = expiry or found.expiries[0]
            by_strike = found.strikes(expiry=chosen)
            moved = found.leaders(leaders, over="interval", expiry=chosen)
            figure = None if plot is None else found.plot(kind, expiry=chosen)  # type: ignore[arg-type]
        except ValueError as problem:
            raise typer.BadParameter(str(problem)) from None
    if plot is not None:
        write_figure(figure, plot)
    if as_json:
        named = {name: str(getattr(found, name)) for name in ("underlying", "session", "unit", "reference")}
        frames = {name: records(_of(getattr(found, name), chosen)) for name in _FRAMES}
        told = {**named, "source": source, "interval": interval, "expiry": str(chosen)}
        emit_json({**told, "strikes": records(by_strike), "leaders": records(moved), **frames})
        return
    emit(repr(found), "", _through_the_session(found, chosen), "", _by_strike(found, by_strike, chosen, strikes))
    emit("", _leaders(found, moved, chosen), "", _walls(found, chosen))


# --- what it is about --------------------------------------------------------------------------------------------


def _session_of(underlying: str, session: date | None, home: str | None) -> tuple[str, Any]:
    """Read a session's snapshots, or its minutes where there are none; say which."""
    from algomaster.market import Store, load

    store = Store(home)
    held = {name: store.sessions(name, underlying=underlying) for name in _CHAINS}
    if not any(held.values()):
        raise DataError(
            f"The store {store.home.where} has no option chains of {underlying}; it holds: {store.told(*_CHAINS)}.",
            hint=f"{store.meant(underlying, *_CHAINS)}Import some with: algo data import PATH.",
        )
    session = session or max(sessions[-1] for sessions in held.values() if sessions)
    if session not in held["chain_snapshot"]:
        return "minutes", load(underlying, session, session, home=home)[0]
    return "snapshots", store.read("chain_snapshot", underlying=underlying, start=session, end=session)


def _analysis(data: Any, interval: int, until: str | None) -> OpenInterest:
    """Analyse the session and leave out rows after ``until``: none before depends on anything later."""
    import polars as pl

    from algomaster.market import calendar, open_interest
    from algomaster.market.schemas import TIMESTAMP

    found = open_interest(data, interval=interval)
    if until is None:
        return found
    end = pl.lit(calendar.to_ns(found.session, calendar.parse_time(until))).cast(TIMESTAMP)
    known = {name: getattr(found, name).filter(pl.col("ts") <= end) for name in _FRAMES}
    if known["series"].is_empty():
        raise ValueError(f"--until: expected a time from {_clock(found.series)[0]} on, got {until}")
    return dataclasses.replace(found, **known)


def _of(frame: pl.DataFrame, expiry: date) -> pl.DataFrame:
    return frame.filter(frame["expiry"] == expiry)


def _last(frame: pl.DataFrame) -> pl.DataFrame:
    return frame if frame.is_empty() else frame.filter(frame["ts"] == frame["ts"].max())


def _clock(frame: pl.DataFrame, column: str = "ts") -> list[str]:
    return frame[column].dt.convert_time_zone("Asia/Kolkata").dt.strftime("%H:%M").to_list()


# --- tables ------------------------------------------------------------------------------------------------------


def _through_the_session(found: OpenInterest, expiry: date) -> Table:
    """Give the last moment of every interval, and the last one of all."""
    ends = found.buildup.select("ts", end="ts").unique().sort("ts")
    series = _of(found.series, expiry).join_asof(ends, on="ts", strategy="forward")
    moments = series.group_by("end", maintain_order=True).last()
    rows: list[list[str | Text]] = [
        [
            clock, number(row["spot"]), number(row["pcr_oi"]), number(row["pcr_volume"]), number(row["max_pain"], 0),
            signed(row["max_pain_drift"]), number(row["support"], 0), number(row["resistance"], 0),
            number(row["call_oi"], 0), number(row["put_oi"], 0),
        ]
        for clock, row in zip(_clock(moments), moments.iter_rows(named=True))
    ]  # fmt: skip
    columns = ["time", "spot", "pcr", "pcr volume", "max pain", "drift", "most puts", "most calls", "calls", "puts"]
    return rows_table(f"{expiry} through the session", columns, rows, numbers=set(columns[1:]))


def _by_strike(found: OpenInterest, by_strike: pl.DataFrame, expiry: date, strikes: int) -> Table:
    """Give calls to the left and puts to the right of the strikes around the money; the largest of each is bold."""
    last = _last(_of(found.buildup, expiry))
    kinds = {(row["strike"], row["right"]): row["kind"] for row in last.iter_rows(named=True)}
    spot = _of(found.series, expiry)["spot"].drop_nulls()
    level = spot[-1] if spot.len() else by_strike["strike"].median()
    middle = int((by_strike["strike"] - level).abs().arg_min() or 0)
    most = {side: by_strike[f"{side}_oi"].max() for side in ("call", "put")}
    rows: list[list[str | Text]] = []
    for row in by_strike.slice(max(0, middle - strikes), strikes + 1 + min(middle, strikes)).iter_rows(named=True):
        strike = row["strike"]
        cells = {
            side: [
                toned(number(row[f"{side}_oi"], 0), "bold" if row[f"{side}_oi"] == most[side] else ""),
                signed(row[f"{side}_change"]), _kind(kinds.get((strike, right))),
            ]
            for side, right in (("call", "CE"), ("put", "PE"))
        }  # fmt: skip
        money = toned(f"{strike:,.10g}", "bold reverse" if strike == by_strike["strike"][middle] else "bold")
        rows.append([*cells["call"], money, *reversed(cells["put"])])
    at = f" at {_clock(last, 'seen')[0]}" if last.height else ""
    columns = [
        "call oi", "in session", f"in {found.interval} min", "strike", f"in {found.interval} min ", "in session ",
        "put oi",
    ]  # fmt: skip
    return rows_table(f"{expiry} by strike{at}", columns, rows, numbers=set(columns))


def _leaders(found: OpenInterest, moved: pl.DataFrame, expiry: date) -> Table:
    rows: list[list[str | Text]] = [
        [
            f"{row['strike']:,.10g}", row["right"], signed(row["oi_change"]), number(row["oi"], 0),
            signed(row["price_change"], 2), number(row["price"]), _kind(row["kind"]),
        ]
        for row in moved.iter_rows(named=True)
    ]  # fmt: skip
    columns = ["strike", "right", "oi change", "oi", "price change", "price", ""]
    title = f"{expiry}: most changed in the last {found.interval} minutes"
    return rows_table(title, columns, rows, numbers=set(columns) - {"right", ""})


def _walls(found: OpenInterest, expiry: date) -> Table:
    rows: list[list[str | Text]] = [
        [
            _WALLS[row["wall"]], number(row["strike"], 0), number(row["size"], 0), row["unit"],
            signed(row["from_spot"], 1), signed(row["moved"]),
        ]
        for row in _last(_of(found.walls, expiry)).iter_rows(named=True)
    ]  # fmt: skip
    columns = ["wall", "strike", "size", "unit", "from spot", "moved"]
    return rows_table(f"{expiry}: walls", columns, rows, numbers=set(columns) - {"wall", "unit"})


def _kind(kind: str | None) -> Text:
    return toned(*_KINDS.get(kind or "", ("", "")))
