"""The HTML report: one file that needs no network, with everything a run says and everything it assumed.

1. :func:`write_report` puts the sections together and writes the file in one move.
2. :func:`_headline`, :func:`_metrics` and :func:`_assumptions` are tables of names and values.
3. :func:`_figure` leaves a figure's JSON in the page; ``report.js`` draws it with plotly.js, which stands inline, once.
4. :func:`_legs` adds trades up by right, exit reason and leg; :func:`_trades`, :func:`_skipped` and :func:`_notes` list
   rows.
"""

from __future__ import annotations

import html
import json
import math
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from algomaster.core.render import rupees
from algomaster.performance.metrics import METRICS
from algomaster.performance.plots import calendar_figure, equity_figure, plotly_script, trades_figure
from algomaster.performance.result import span_of, write_interval, write_metric

if TYPE_CHECKING:
    from algomaster.performance.result import Result

__all__ = ["write_report"]

_MOST_ROWS: Final = 5000
"""Rows of a table beyond which the page would be slow; it says then how many there are."""

_MOST_NOTES: Final = 300
"""Notes that a person may read through."""

_FEW: Final = 12
"""Legs or reasons that are worth a line each."""


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
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, fresh = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(_page(result))
    os.chmod(fresh, 0o644)
    os.replace(fresh, path)
    return path


def _page(result: Result) -> str:
    title = f"{result.strategy} on {result.underlying}"
    sessions = result.daily["session"].to_list()
    counts = [(len(sessions), "session"), (result.trades.height, "trade"), (result.skipped.height, "skipped session")]
    counts += [(result.notes.height, "note")] if result.notes.height else []
    lead = ", ".join(
        [*([span_of(sessions)] if sessions else []), *(f"{n:,} {what}{'s' * (n != 1)}" for n, what in counts)]
    )
    body = [
        f"<h1>{html.escape(title)}</h1><p class='lead'>{html.escape(lead)}</p>",
        _headline(result.metrics),
        _section("Equity and drawdown", _figure(equity_figure(result.equity)) if result.equity.height else ""),
        _section("Net P&L of every session", _figure(calendar_figure(result.daily)) if sessions else ""),
        _section(
            "Trades on price", _figure(trades_figure(result.trades, result.prices)) if result.trades.height else ""
        ),
        _section("By leg", _legs(result.trades)),
        _section("All metrics", _metrics(result.metrics)),
        _section("What this rests on", _assumptions(result)),
        _section("Trades", _trades(result.trades)),
        _section("Skipped sessions", _skipped(result.skipped)),
        _section("Notes", _notes(result.notes)),
    ]
    css, js = ((files("algomaster.performance") / name).read_text("utf-8") for name in ("report.css", "report.js"))
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<meta name='color-scheme' content='light dark'><title>{html.escape(title)}</title>"
        f"<style>{css}</style></head>\n"
        f"<body><main>{''.join(body)}</main>\n<script>{plotly_script()}</script>\n<script>{js}</script></body></html>\n"
    )


def _section(title: str, content: str) -> str:
    return f"<section><h2>{html.escape(title)}</h2>{content or '<p class=none>None.</p>'}</section>\n"


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
        ("Net P&L", value("net_pnl"), f"after {value('costs')} of costs", _sign(metrics.get("net_pnl", math.nan))),
        ("Average day", value("mean_day"), error, ""),
        ("Sharpe", value("sharpe"), between("sharpe"), ""),
        ("Deflated Sharpe", value("deflated_sharpe"), luck, ""),
        ("Win rate", value("win_rate"), between("win_rate"), ""),
        ("Trades", value("trades"), f"{value('wins')} won, {value('losses')} lost", ""),
        ("Profit factor", value("profit_factor"), f"{value('expectancy')} a trade", ""),
        ("Max drawdown", value("max_drawdown"), f"{value('max_drawdown_daily')} at session ends", ""),
    ]
    return "<div class='headline'>" + "".join(
        f"<div>{html.escape(name)}<b class='{tone}'>{html.escape(text)}</b><span>{html.escape(note)}</span></div>"
        for name, text, note, tone in cards
    ) + "</div>\n"  # fmt: skip


def _metrics(metrics: dict[str, float | int]) -> str:
    known = [metric for metric in METRICS if metric.name in metrics]
    half = (len(known) + 1) // 2
    columns = [
        _table([], [[(m.label, m.meaning), write_metric(metrics[m.name], m.unit)] for m in part], numbers={1})
        for part in (known[:half], known[half:])
    ]
    return f"<div class='columns'><div>{columns[0]}</div><div>{columns[1]}</div></div>"


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


def _figure(figure: Any) -> str:
    height = int(figure.layout.height)
    # plotly writes "<" as \u003c, so that no text of the data can close the script element.
    return (
        f"<div class='figure' style='height:{height}px'></div>"
        f"<script type='application/json'>{figure.to_json()}</script>"
    )


def _legs(trades: pl.DataFrame) -> str:
    if not trades.height:
        return ""
    groups = [("Right", "right"), ("Exit", "exit_reason")]
    if 1 < trades["leg"].n_unique() <= _FEW:
        groups.append(("Leg", "leg"))
    heads = ["By", "", "Trades", "Win rate", "Average, net", "P&L", "Costs", "Total, net"]
    return _table(heads, [row for name, column in groups for row in _group(trades, name, column)], numbers=range(2, 8))


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
        [name, str(key), f"{count:,}", write_metric(share, "share"), *map(rupees, (average, pnl, costs)), _Money(total)]
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
            start, f"{enter:,.2f}", end, f"{leave:,.2f}", reason, rupees(pnl), rupees(costs), _Money(net),
        ]
        for session, expiry, right, strike, quantity, start, enter, end, leave, reason, pnl, costs, net
        in shown.iter_rows()
    ]  # fmt: skip
    return _list(heads, rows, trades.height, numbers={2, 4, 6, 8, 9, 10})


def _skipped(skipped: pl.DataFrame) -> str:
    if not skipped.height:
        return ""
    counts = skipped.group_by("reason").len().sort("len", "reason", descending=[True, False])
    said = "; ".join(f"{reason}: {count:,}" for reason, count in counts.head(_FEW).iter_rows())
    rows = skipped.head(_MOST_ROWS).select("session", "reason").iter_rows()
    return f"<p>{html.escape(said)}</p>" + _list(["Session", "Reason"], rows, skipped.height)


def _notes(notes: pl.DataFrame) -> str:
    rows = notes.head(_MOST_NOTES).select("session", "note").iter_rows()
    return _list(["Session", "Note"], rows, notes.height) if notes.height else ""


def _list(heads: Sequence[str], rows: Iterable[Sequence[Any]], height: int, *, numbers: Collection[int] = ()) -> str:
    """Give a table to scroll; where it has the first rows only, it says of how many (``height``)."""
    shown = list(rows)
    cut = f"<p>The first {len(shown):,} of {height:,} rows.</p>" if len(shown) < height else ""
    return f"{cut}<div class='scroll'>{_table(heads, shown, numbers=numbers)}</div>"


class _Money(float):
    """An amount shown in the colour of its sign."""


def _sign(amount: float) -> str:
    return "gain" if amount > 0.0 else "loss" if amount < 0.0 else ""


def _table(heads: Sequence[str], rows: Iterable[Sequence[Any]], *, numbers: Collection[int] = ()) -> str:
    def cell(value: Any, column: int) -> str:
        tone = "n" if column in numbers else ""
        if isinstance(value, tuple):
            return f"<td>{html.escape(value[0])}<small>{html.escape(value[1])}</small></td>"
        if isinstance(value, _Money):
            return f"<td class='{tone} {_sign(value)}'>{rupees(value)}</td>"
        return f"<td class='{tone}'>{html.escape(str(value))}</td>"

    head = "".join(
        f"<th class='{'n' if at in numbers else ''}'>{html.escape(name)}</th>" for at, name in enumerate(heads)
    )
    lines = "".join("<tr>" + "".join(cell(value, at) for at, value in enumerate(row)) + "</tr>" for row in rows)
    return f"<table>{f'<thead><tr>{head}</tr></thead>' if heads else ''}<tbody>{lines}</tbody></table>"
