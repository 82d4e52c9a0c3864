"""``algo chain``: an option chain with volatilities and Greeks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from algo import options
from algo.chains import Expiries, From, chain_of, finite, kept_expiries, write_figure
from algo.console import emit, emit_json, number, rows_table, toned, working

if TYPE_CHECKING:
    from algomaster.pricing import Chain

__all__ = ["chain"]

_COLUMNS = ("oi", "price", "vol", "delta")


def chain(
    source: From,
    underlying: options.Underlying = None,
    at: options.At = None,
    home: options.Home = None,
    expiries: Expiries = 1,
    strikes: Annotated[int, typer.Option("--strikes", min=1, help="So many strikes to each side of the money.")] = 10,
    rate: options.Rate = None,
    clock: options.Clock = "calendar",
    prices: options.Prices = "best",
    order: Annotated[int, typer.Option("--order", min=1, max=3, help="Highest order of the Greeks (--json).")] = 1,
    plot: options.Plot = None,
    greek: Annotated[str, typer.Option("--greek", help="What --plot shows by strike and expiry.")] = "vol",
    as_json: options.Json = False,
) -> None:
    """Show a chain: forwards by put-call parity, implied volatilities, Greeks (trader's units).

    Examples: algo chain option-chain.json   or   algo chain NIFTY --at "2024-01-02 10:15"
    """
    options.can_write(plot, "--plot")
    with working(as_json=as_json):
        found = chain_of(
            source, at=at, underlying=underlying, home=home, clock=clock, prices=prices, rate=rate
        ).greeks(order=order, units="trader")  # fmt: skip
    if plot is not None:
        from algomaster.pricing.heatmaps.plots import chain_heatmap

        write_figure(chain_heatmap(found, greek), plot)
    shown = kept_expiries(found, expiries)
    if as_json:
        emit_json(_as_json(found, shown))
        return
    emit(repr(found), "", _forwards(found))
    for e in shown:
        emit("", _table(found, e, strikes))


def _as_json(chain: Chain, shown: list[int]) -> dict[str, Any]:
    table = chain.to_frame()
    keep = [int(code) in set(shown) for code in chain.expiry]
    rows = table.filter(keep)
    columns = {
        name: finite(rows[name]) if rows[name].dtype.is_numeric() else [str(value) for value in rows[name]]
        for name in rows.columns
    }
    forwards = chain.forward_table()
    return {
        "spot": None if chain.spot != chain.spot else chain.spot,
        "forwards": [dict(zip(forwards.columns, finite(row))) for row in forwards.rows()],
        "quotes": [dict(zip(columns, values)) for values in zip(*columns.values())],
    }


def _forwards(chain: Chain) -> Any:
    table = chain.forward_table()
    rows = [
        (
            row["expiry"], f"{row['t'] * 365:.2f}", number(row["forward"]), number(row["forward_error"]),
            row["forward_from"], number(100 * row["rate"]), row["rate_from"], str(row["pairs"]), str(row["quotes"]),
        )
        for row in table.iter_rows(named=True)
    ]  # fmt: skip
    columns = ["expiry", "days", "forward", "+-", "from", "rate %", "from ", "pairs", "quotes"]
    return rows_table("Expiries", columns, rows, numbers={"days", "forward", "+-", "rate %", "pairs", "quotes"})


def _table(chain: Chain, e: int, strikes: int) -> Any:
    """Give calls to the left, puts to the right of the strikes around the money."""
    import numpy as np

    rows_of = np.flatnonzero(chain.expiry == e)
    every = np.unique(chain.strike[rows_of])
    middle = int(np.argmin(np.abs(every - chain.forward[e])))
    around = every[max(0, middle - strikes) : middle + strikes + 1]
    place = {(chain.strike[i], int(chain.right[i])): int(i) for i in rows_of}
    rows = []
    for strike in around:
        call, put = (_cells(chain, place.get((strike, right))) for right in (1, -1))
        money = toned(f"{strike:,.10g}", "bold reverse" if strike == every[middle] else "bold")
        in_money = "yellow"
        left = [toned(text, in_money if strike < chain.forward[e] else "") for text in call]
        right_side = [toned(text, in_money if strike > chain.forward[e] else "") for text in reversed(put)]
        rows.append([*left, money, *right_side])
    columns = [*(f"call {name}" for name in _COLUMNS), "strike", *(f"put {name}" for name in reversed(_COLUMNS))]
    title = f"{chain.labels[e]}: forward {chain.forward[e]:,.2f}"
    return rows_table(title, columns, rows, numbers=set(columns))


def _cells(chain: Chain, i: int | None) -> list[str]:
    if i is None or chain.vol is None or chain.sensitivities is None:
        return [""] * len(_COLUMNS)
    return [
        number(chain.oi[i], 0), number(chain.price[i]), number(100 * chain.vol[i]),
        number(chain.sensitivities.delta[i], 3),
    ]  # fmt: skip
