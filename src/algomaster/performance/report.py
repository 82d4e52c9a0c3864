"""The HTML report: one file that needs no network, with everything a run says and everything it assumed.

1. :func:`write_report` puts the sections together and writes the file in one move.
2. :func:`_headline`, :func:`_metrics` and :func:`_assumptions` are tables of names and values.
3. :func:`_drawdowns` and :func:`_breakdowns` show when it went badly and where the money came from.
4. :func:`_legs` adds trades up by right, exit reason and leg; :func:`_trades`, :func:`_skipped` and :func:`_notes` list
   rows.
"""

from __future__ import annotations

import html
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from algomaster.core.render import rupees
from algomaster.performance.breakdowns import REPORTED
from algomaster.performance.metrics import METRICS, Metric
from algomaster.performance.page import Money, figure_html, page, scroll_list, section, sign, table, write_page
from algomaster.performance.plots import breakdowns_figure, calendar_figure, equity_figure, trades_figure
from algomaster.performance.result import span_of, write_interval, write_metric
from algomaster.performance.run_statistics import STATISTICS

if TYPE_CHECKING:
    from algomaster.performance.result import Result

__all__ = ["write_report"]

_MOST_ROWS: Final = 5000
"""Rows of a table beyond which the page would be slow; it says then how many there are."""

_MOST_NOTES: Final = 300
"""Notes that a person may read through."""

_FEW: Final = 12
"""Legs, reasons or drawdowns that are worth a line each."""

_BY: Final = {
    "weekday": "Weekday", "dte": "Days to expiry", "month": "Month", "entry": "Entry", "vix": "Volatility index",
}  # fmt: skip


def write_report(result: Result, path: str | Path) -> Path:
    """Write the report of a result.

    Parameters
    ----------
    result : Result
    path : str or Path
        The HTML file; its folder is made if need be, a file of that name is replaced.

    Returns
    -------
    Path
        The file.
    """
    return write_page(path, _page(result))


def _page(result: Result) -> str:
    title = " on ".join(filter(None, (result.strategy, result.underlying)))
    sessions = result.daily["date"].to_list()
    counts = [(len(sessions), "session"), (result.trades.height, "trade"), (result.skipped.height, "skipped session")]
    counts += [(result.notes.height, "note")] if result.notes.height else []
    lead = ", ".join(
        [*([span_of(sessions)] if sessions else []), *(f"{n:,} {what}{'s' * (n != 1)}" for n, what in counts)]
    )
    body = [
        f"<h1>{html.escape(title)}</h1><p class='lead'>{html.escape(lead)}</p>",
        _headline(result.metrics),
        section("Equity and drawdown", figure_html(equity_figure(result.equity)) if result.equity.height else ""),
        section("Net P&L of every session", figure_html(calendar_figure(result.daily)) if sessions else ""),
        section(
            "Trades on price", figure_html(trades_figure(result.trades, result.prices)) if result.trades.height else ""
        ),
        section("Drawdowns", _drawdowns(result) if sessions else ""),
        section("Where it came from", _breakdowns(result) if result.trades.height else ""),
        section("By leg", _legs(result.trades)),
        section("All metrics", _metrics(result)),
        section("What this rests on", _assumptions(result)),
        section("Trades", _trades(result.trades)),
        section("Skipped sessions", _skipped(result.skipped)),
        section("Notes", _notes(result.notes)),
    ]
    return page(title, body)


def _headline(metrics: dict[str, float | int]) -> str:
    units = {metric.name: metric.unit for metric in METRICS}

    def value(name: str) -> str:
        return write_metric(metrics.get(name, math.nan), units[name])

    def between(name: str) -> str:
        interval = write_interval(metrics, name, units[name])
        return f"95 %: {interval}" if interval else "too few to say"

    error = f"± {value('mean_day_se')} standard error" if math.isfinite(metrics.get("mean_day_se", math.nan)) else ""
    several = metrics.get("trials", 1) > 1
    luck = f"that it beats luck, {value('trials')} trials" if several else "that it is above 0, one trial"
    cards = [
        ("Net P&L", value("pnl"), f"after {value('costs')} of costs", sign(metrics.get("pnl", math.nan))),
        ("Average day", value("mean_day"), error, ""),
        ("Sharpe", value("sharpe"), between("sharpe"), ""),
        ("Deflated Sharpe", value("deflated_sharpe"), luck, ""),
        ("Win rate", value("win_rate"), between("win_rate"), ""),
        ("Trades", value("trades"), f"{value('wins')} won, {value('losses')} lost", ""),
        ("Profit factor", value("profit_factor"), f"{value('expectancy')} a trade", ""),
        ("Max drawdown", value("max_drawdown"), f"{value('max_drawdown_intraday')} within sessions", ""),
    ]
    return "<div class='headline'>" + "".join(
        f"<div>{html.escape(name)}<b class='{tone}'>{html.escape(text)}</b><span>{html.escape(note)}</span></div>"
        for name, text, note, tone in cards
    ) + "</div>\n"  # fmt: skip


def _metrics(result: Result) -> str:
    values = result.metrics | result.statistics()
    known: list[Metric] = [metric for metric in (*METRICS, *STATISTICS) if metric.name in values]
    half = (len(known) + 1) // 2
    columns = [
        table([], [[(m.label, m.meaning), write_metric(values[m.name], m.unit)] for m in part], numbers={1})
        for part in (known[:half], known[half:])
    ]
    return f"<div class='columns'><div>{columns[0]}</div><div>{columns[1]}</div></div>"


def _drawdowns(result: Result) -> str:
    found = result.drawdowns(_FEW)
    heads = ["Depth", "High", "Trough", "Recovered", "Sessions to trough", "Sessions below"]
    rows = [
        [rupees(depth), str(peak or "start"), str(trough), str(back or "not yet"), f"{down:,}", f"{whole:,}"]
        for depth, peak, trough, back, down, whole in found.iter_rows()
    ]
    shuffled = result.shuffled_drawdowns()
    deep = {level: rupees(value) for level, value in shuffled.quantiles.items()}
    said = (
        f"In another order the same sessions could have fallen deeper: of {shuffled.simulations:,} random orders half "
        f"stay within {deep[0.5]}, 95 % within {deep[0.95]}; {100 * shuffled.as_deep:.0f} % are as deep as what was."
    )
    return (table(heads, rows, numbers={0, 4, 5}) if rows else "") + f"<p>{said}</p>" + figure_html(shuffled.plot())


def _breakdowns(result: Result) -> str:
    parts = {name: result.by(name) for name in REPORTED}
    known = {_BY[name]: part for name, part in parts.items() if part["group"].to_list() not in ([], ["unknown"])}
    heads = ["", "Sessions", "Trades", "Won", "Average session", "Total, net"]
    said = "Net P&L of a session within a group, with its standard error; bars reach to the 95 % interval of the mean."
    tables = "".join(
        f"<div><h3>{name}</h3>{table(heads, _groups(part), numbers=range(6))}</div>" for name, part in known.items()
    )
    return f"<p>{said}</p>{figure_html(breakdowns_figure(known))}<div class='columns'>{tables}</div>"


def _groups(part: pl.DataFrame) -> list[list[Any]]:
    return [
        [
            group, f"{sessions:,}", f"{trades:,}", write_metric(share, "share"),
            f"{mean:,.0f} ± {error:,.0f}" if math.isfinite(error) else f"{mean:,.0f}", Money(pnl),
        ]
        for group, sessions, trades, pnl, share, mean, error in part.iter_rows()
    ]  # fmt: skip


def _assumptions(result: Result) -> str:
    stated = [*_flat(result.assumptions), ("digest", result.digest), ("fingerprint", f"{result.fingerprint:016x}")]
    rows = "".join(
        f"<tr><td>{html.escape(name)}</td><td class='break'>{html.escape(text)}</td></tr>" for name, text in stated
    )
    return f"<table><tbody>{rows}</tbody></table>"


def _flat(values: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        name = f"{above}{key}".replace("_", " ")
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{name}: ")
        else:
            yield (
                name,
                "–" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False),
            )


def _legs(trades: pl.DataFrame) -> str:
    if not trades.height:
        return ""
    groups = [("Right", "right"), ("Exit", "exit_reason")]
    if 1 < trades["leg"].n_unique() <= _FEW:
        groups.append(("Leg", "leg"))
    heads = ["By", "", "Trades", "Win rate", "Average, net", "P&L", "Costs", "Total, net"]
    return table(heads, [row for name, column in groups for row in _group(trades, name, column)], numbers=range(2, 8))


def _group(trades: pl.DataFrame, name: str, column: str) -> list[list[Any]]:
    totals = (
        trades.group_by(column)
        .agg(
            pl.len().alias("trades"),
            (pl.col("net_pnl") > 0.0).mean().alias("share"),
            pl.col("net_pnl").mean().alias("average"),
            pl.col("pnl", "costs").sum(),
            pl.col("net_pnl").sum().alias("total"),
        )
        .sort(column)
    )
    return [
        [name, str(key), f"{count:,}", write_metric(share, "share"), *map(rupees, (average, pnl, costs)), Money(total)]
        for key, count, share, average, pnl, costs, total in totals.iter_rows()
    ]


def _trades(trades: pl.DataFrame) -> str:
    if not trades.height:
        return ""
    heads = ["Session", "Contract", "Quantity", "Entry", "At", "Exit", "At", "Reason", "P&L", "Costs", "Net"]
    columns = (
        "session", "expiry", "right", "strike", "quantity", "entry_time", "entry_price", "exit_time", "exit_price",
        "exit_reason", "pnl", "costs", "net_pnl",
    )  # fmt: skip
    clock = pl.col("entry_time", "exit_time").dt.to_string("%H:%M:%S")
    shown = trades.head(_MOST_ROWS).select(columns).with_columns(clock)
    rows = [
        [
            str(session), f"{strike:g} {right}" + (f", {expiry:%d %b %y}" if expiry else ""), f"{quantity:+,}",
            start, f"{enter:,.2f}", end, f"{leave:,.2f}", reason, rupees(pnl), rupees(costs), Money(net),
        ]
        for session, expiry, right, strike, quantity, start, enter, end, leave, reason, pnl, costs, net
        in shown.iter_rows()
    ]  # fmt: skip
    return scroll_list(heads, rows, trades.height, numbers={2, 4, 6, 8, 9, 10})


def _skipped(skipped: pl.DataFrame) -> str:
    if not skipped.height:
        return ""
    counts = skipped.group_by("reason").len().sort("len", "reason", descending=[True, False])
    said = "; ".join(f"{reason}: {count:,}" for reason, count in counts.head(_FEW).iter_rows())
    rows = skipped.head(_MOST_ROWS).select("session", "reason").iter_rows()
    return f"<p>{html.escape(said)}</p>" + scroll_list(["Session", "Reason"], rows, skipped.height)


def _notes(notes: pl.DataFrame) -> str:
    rows = notes.head(_MOST_NOTES).select("session", "note").iter_rows()
    return scroll_list(["Session", "Note"], rows, notes.height) if notes.height else ""
