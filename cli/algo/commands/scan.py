"""``algo scan``: the contracts that move, ranked against one another at a moment or minute after minute."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from algo import options
from algo.chains import write_figure
from algo.console import emit, emit_json, number, records, rows_table, signed, toned, working
from algo.job import assignments
from algomaster.core.errors import ConfigError, DataError

if TYPE_CHECKING:
    from rich.table import Table

    from algo.console import Work
    from algomaster.market import ChainDay, Days
    from algomaster.strategy import Scan, Scanner

__all__ = ["scan_"]

_STYLES: Final = {"long_buildup": "green", "short_buildup": "red", "short_covering": "cyan", "long_unwinding": "yellow"}


def scan_(
    underlying: Annotated[
        list[str] | None,
        typer.Option(
            "--underlying", "-u", metavar="NAME", show_default=False,
            help="Such as NIFTY; repeatable: contracts of all are ranked against one another.",
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="MOMENT", show_default=False,
            help='"2024-01-05 10:15", or "10:15" of the last session; by default its end.',
        ),
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="Contracts that are shown.")] = 20,
    expiries: Annotated[
        int | None, typer.Option("--expiries", min=1, show_default=False, help="Only the nearest so many expiries.")
    ] = None,
    weights: Annotated[
        list[str] | None,
        typer.Option(
            "--weight", metavar="CRITERION=NUMBER", show_default=False,
            help="Of momentum, volume, interest, iv, strength, liquidity; what is not named then counts nothing.",
        ),
    ] = None,
    assigned: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", show_default=False,
            help="Another setting of the ranking, such as minutes=5, terms=percent, min_value=none; repeatable.",
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Step through the session, from --at or its beginning on.")
    ] = False,
    every: Annotated[int, typer.Option("--every", min=1, help="Minutes from one look of --watch to the next.")] = 1,
    pause: Annotated[
        float, typer.Option("--pause", min=0.0, help="Seconds between two looks of --watch on a terminal.")
    ] = 0.5,
    home: options.Home = None,
    simulate: options.Simulate = None,
    seed: options.Seed = None,
    start: options.Start = None,
    plot: options.Plot = None,
    as_json: options.Json = False,
) -> None:  # fmt: skip
    """Rank all strikes of one or several underlyings: momentum, volume, open interest, relative strength, liquidity.

    Examples: algo scan -u NIFTY -u BANKNIFTY --at "2024-01-05 10:15"   or   algo scan -u NIFTY --watch --every 5
    """
    options.can_write(plot, "--plot")
    with working(as_json=as_json) as work:
        session, clock = _asked(at)
        days = _sessions(work, underlying or [], session, home=home, simulate=simulate, seed=seed, start=start)
        scanner = _scanner(days, session, weights or (), assigned or (), expiries)
        moments = _moments(scanner, clock, watch=watch, every=every)
        scanner.at(moments[0])  # compiles, and tells of it, before anything is drawn
    found: list[Scan] = []
    with _screen(pause if watch and not as_json else None) as show:
        for moment in moments:
            one = scanner.at(moment, top)
            found = [*found, one] if as_json else [one]
            if not as_json:
                show(_table(one))
    if plot is not None:
        write_figure(found[-1].plot(), plot)
    if as_json:
        emit_json({"moments": [_told(one) for one in found]} if watch else _told(found[-1]))


# --- what it is about --------------------------------------------------------------------------------------------


def _asked(at: str | None) -> tuple[date | None, str | None]:
    """Read ``--at``: a date and a time, or a time of the last session."""
    if at is None:
        return None, None
    from algomaster.market.calendar import parse_time

    session, _, clock = at.strip().replace("T", " ").rpartition(" ")
    try:
        parse_time(clock)
        return date.fromisoformat(session) if session else None, clock
    except ValueError:
        raise typer.BadParameter(
            f'expected a moment such as "2024-01-05 10:15" or "10:15", got {at!r}', param_hint="--at"
        ) from None


def _sessions(
    work: Work, names: list[str], session: date | None, *, home: str | None, simulate: int | None, seed: int | None,
    start: date | None,
) -> dict[str, ChainDay | Days]:  # fmt: skip
    """Load the session of ``at``, or the last one, of every underlying; or make sessions up."""
    from algo.job import Source
    from algomaster.market import Store, load

    if not names:
        raise ConfigError("Expected an underlying, got none.", hint="Give one, such as --underlying NIFTY.")
    if simulate is not None:
        sources = {name: Source(underlying=name, simulate=simulate, seed=seed, start=start) for name in names}
        return {name: source.checked().days(work) for name, source in sources.items()}
    store = Store(home)
    found: dict[str, ChainDay | Days] = {}
    for name in names:
        held = store.sessions("option_minute", underlying=name)
        if not held:
            raise DataError(
                f"The store {store.home.where} has no option minutes of {name}; it holds: "
                f"{store.told('option_minute')}.",
                hint=f"{store.meant(name, 'option_minute')}Import some with: algo data import PATH.",
            )
        session = session or held[-1]
        with work.busy(f"loading {name}"):
            found[name] = load(name, session, session, home=home)
    return found


def _scanner(
    days: dict[str, ChainDay | Days], session: date | None, weights: Any, assigned: Any, expiries: int | None
) -> Scanner:
    from algomaster.strategy import Scanner

    given = {name: _number(name, value) for name, value in assignments(weights, "--weight").items()}
    return Scanner(
        days, session=session, weights=given or None, expiries=expiries, settings=assignments(assigned, "--set")
    )


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise typer.BadParameter(f"expected a number for {name}, got {value!r}", param_hint="--weight") from None


def _moments(scanner: Scanner, clock: str | None, *, watch: bool, every: int) -> Sequence[datetime | str]:
    """Give the moments to look at: the one that was asked for, or one after the other from it on."""
    if not watch:
        return [clock or scanner.minutes[-1]]
    later = [moment for moment in scanner.minutes if clock is None or f"{moment:%H:%M}" >= clock.rjust(5, "0")]
    return later[::every] or [clock or scanner.minutes[-1]]


# --- what is shown -----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _screen(pause: float | None) -> Iterator[Callable[[Table], None]]:
    """Give what shows a table: one after the other, or each in the place of the last on a terminal."""
    if pause is None or not sys.stdout.isatty():
        yield lambda table: emit(table, "")
        return
    from rich.live import Live

    with Live(auto_refresh=False) as live:

        def show(table: Table) -> None:
            live.update(table, refresh=True)
            time.sleep(pause)

        yield show


def _table(scan: Scan) -> Table:
    rows = [
        [
            str(row["rank"]), row["underlying"], f"{row['expiry']:%d %b}", f"{row['strike']:,.10g}", row["right"],
            toned(number(row["score"], 1), "bold"), number(row["price"]), signed(row["change"], 1),
            number(row["momentum"]), number(row["volume"]), signed(row["oi_change"], 2), number(row["strength"]),
            number(row["iv"]), number(row["liquidity"], 0),
            toned(row["buildup"].replace("_", " "), _STYLES.get(row["buildup"], "")),
        ]
        for row in scan.frame.iter_rows(named=True)
    ]  # fmt: skip
    columns = [
        "#", "underlying", "expiry", "strike", "right", "score", "price", "change %", "momentum", "volume x", "oi %",
        "strength", "iv", "traded", "",
    ]  # fmt: skip
    title = f"{', '.join(scan.underlyings)} at {scan.at:%Y-%m-%d %H:%M}: {scan.ranked} contracts ranked"
    return rows_table(title, columns, rows, numbers=set(columns) - {"underlying", "expiry", "right", ""})


def _told(scan: Scan) -> dict[str, Any]:
    return {
        "at": f"{scan.at:%Y-%m-%dT%H:%M:%S}+05:30", "underlyings": list(scan.underlyings), "ranked": scan.ranked,
        "weights": scan.weights, "contracts": records(scan.frame),
    }  # fmt: skip
