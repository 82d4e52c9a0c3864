"""What a replay looks like: a snapshot as tables and curves, the whole screen of the live view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from algo.blocks import chart, sparkline
from algo.console import number, rows_table, signed, toned

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.layout import Layout
    from rich.table import Table
    from rich.text import Text

    from algomaster.backtest import WhatIf
    from algomaster.backtest.playback.snapshots import Event, Quote, Snapshot

__all__ = ["Playing", "events_table", "heading", "positions_table", "screen", "snapshot_parts", "what_if_parts"]

_KEYS = "space pause   → n step   ← b back   j jump   + - speed   w what if   q quit"
_CHAINS = ((130, 74, ("oi", "change", "iv", "price")), (100, 58, ("oi", "iv", "price")), (0, 42, ("iv", "price")))
"""From so wide a screen on: how wide the chain is, and what it shows of a contract."""

_LEGS = {
    "leg": 5, "contract": 10, "state": 8, "units": 7, "in at": 9, "price": 9, "stop": 9, "target": 8, "P&L": 11,
}  # fmt: skip
"""Columns of a position and about how wide they are; where there is no room some are left out."""
_SPARED = ("target", "leg", "state", "in at", "price")

_COUNTS = 1_000


class Playing(NamedTuple):
    """How a replay is being played."""

    speed: float = 0.0
    paused: bool = False
    done: bool = False
    asking: str = ""
    typed: str = ""
    message: str = ""
    what_if: WhatIf | None = None


def screen(snapshot: Snapshot, playing: Playing, *, width: int, height: int) -> Layout:
    """Give the whole screen."""
    from rich.layout import Layout
    from rich.panel import Panel

    whole = Layout()
    events = max(3, min(8, height // 6))
    whole.split_column(
        Layout(Panel(heading(snapshot, playing)), name="head", size=4),
        Layout(name="body"),
        Layout(Panel(_events(snapshot, events), title="orders and fills", title_align="left"), name="events",
               size=events + 2),
        Layout(_footer(playing), name="foot", size=1),
    )  # fmt: skip
    if playing.what_if is not None:
        whole["body"].update(Panel(_group(what_if_parts(playing.what_if)), title="what if", title_align="left"))
        return whole
    room = max(height - events - 7, 8)
    rows = max(1, (room - 4) // 2)
    wide, shown = next((wide, shown) for least, wide, shown in _CHAINS if width >= least)
    chain = chain_table(snapshot, around=rows, shown=shown)
    left = Panel(chain, title=f"chain {snapshot.expiry}", title_align="left")
    right = Layout()
    tall = max(4, room // 2 - 4)
    right.split_column(
        Layout(Panel(_curves(snapshot, width=max(width - wide - 4, 20), height=tall - 2)), size=tall + 3),
        Layout(Panel(positions_table(snapshot, width=width - wide - 4), title="positions", title_align="left")),
    )
    whole["body"].split_row(Layout(left, size=wide), right)
    return whole


def heading(snapshot: Snapshot, playing: Playing | None = None) -> Text:
    """Give session, time and market in one line, the account in the next."""
    from rich.text import Text

    line = Text(f"{snapshot.strategy} on {snapshot.underlying}  {snapshot.session}  ", style="bold", no_wrap=True)
    line.append(f"{snapshot.time[11:16]}", style="bold reverse")
    line.append(f"  bar {snapshot.at}/{snapshot.bars}")
    if playing is not None:
        mode = "over" if playing.done else "paused" if playing.paused else "playing"
        speed = f"x{playing.speed:g}" if playing.speed else "as fast as can be drawn"
        line.append(f"  {mode}, {speed}", style="bold yellow" if mode == "paused" else "green")
    line.append(
        f"\nspot {number(snapshot.spot)}  future {number(snapshot.future)}  VIX {number(snapshot.vix)}  straddle "
        f"{number(snapshot.straddle)}  P&L ",
        style="not bold",
    )
    line.append_text(signed(snapshot.account.pnl, 2))
    line.append(
        f"  costs {number(snapshot.account.costs)}  deepest fall {number(snapshot.account.drawdown)}", style="not bold"
    )
    return line


def chain_table(snapshot: Snapshot, *, around: int, shown: tuple[str, ...] = _CHAINS[0][2]) -> Table:
    """Give calls to the left, puts to the right; what is held is marked."""
    held = {(one.strike, one.right): one.quantity for one in snapshot.positions if one.quantity}
    strikes = [row.strike for row in snapshot.chain]
    middle = strikes.index(snapshot.money) if snapshot.money in strikes else 0
    rows = []
    for row in snapshot.chain[max(middle - around, 0) : middle + around + 1]:
        at_money = "bold reverse" if row.strike == snapshot.money else "bold"
        call = _cells(row.call, held.get((row.strike, "CE"), 0), shown)
        put = _cells(row.put, held.get((row.strike, "PE"), 0), shown)
        rows.append([*call, toned(f"{row.strike:,.10g}", at_money), *reversed(put)])
    columns = [*shown, "strike", *(f"{name} " for name in reversed(shown))]
    return rows_table("", columns, rows, numbers=set(columns))


def _cells(quote: Quote, quantity: int, shown: tuple[str, ...]) -> list[Text]:
    style = "bold red" if quantity < 0 else "bold green" if quantity > 0 else ""
    cells = {
        "oi": toned(_thousands(quote.oi), ""),
        "change": toned(_thousands(quote.oi_change), "dim"),
        "iv": toned(number(None if quote.iv is None else 100 * quote.iv, 1), ""),
        "price": toned(number(quote.price), style),
    }
    return [cells[name] for name in shown]


def _thousands(count: int | None) -> str:
    return "" if count is None else f"{count / _COUNTS:,.0f}k"


def _curves(snapshot: Snapshot, *, width: int, height: int) -> Text:
    """Give the straddle at the money as a chart, what is held and the P&L in a line each."""
    from rich.text import Text

    straddle = [value for value in snapshot.series.straddle if value is not None]
    top, bottom = (max(straddle), min(straddle)) if straddle else (None, None)
    drawn = Text(f"straddle at the money {number(snapshot.straddle)}, highest {number(top)}\n", no_wrap=True)
    for line in chart(snapshot.series.straddle, width=width, height=max(height - 1, 1), length=snapshot.bars):
        drawn.append(line + "\n", style="cyan")
    drawn.append(f"lowest {number(bottom)}\n", style="dim")
    span = max(width - 17, 5)
    for name, values, now, style in (
        ("held", snapshot.series.held, toned(number(snapshot.held), ""), "magenta"),
        ("P&L", snapshot.series.pnl, signed(snapshot.account.pnl, 0), "green" if snapshot.account.pnl >= 0 else "red"),
    ):
        drawn.append(f"{name:<5}")
        drawn.append(sparkline(values, width=span, length=snapshot.bars) + " ", style=style)
        drawn.append_text(now)
        drawn.append("\n")
    drawn.rstrip()
    return drawn


def positions_table(snapshot: Snapshot, *, width: int = 200) -> Table:
    """Give the legs of the session, open ones first."""
    columns = dict(_LEGS)
    for name in _SPARED:
        if sum(columns.values()) > width:
            del columns[name]
    rows = []
    for one in sorted(snapshot.positions, key=lambda one: (one.state != "open", one.leg)):
        tone = "bold" if one.quantity else "dim"
        cells = {
            "leg": toned(str(one.leg), ""), "contract": toned(one.contract, tone), "state": toned(one.state, tone),
            "units": toned(f"{one.quantity:+d}" if one.quantity else "", ""),
            "in at": toned(number(one.entry_price), ""), "price": toned(number(one.price), ""),
            "stop": toned(number(one.stop), ""), "target": toned(number(one.target), ""), "P&L": signed(one.pnl, 2),
        }  # fmt: skip
        rows.append([cells[name] for name in columns])
    return rows_table("", list(columns), rows, numbers=set(columns) - {"leg", "contract", "state"})


def events_table(events: tuple[Event, ...], *, title: str = "") -> Table:
    """Give orders and fills, the oldest first."""
    rows: list[list[str | Text]] = [
        [
            one.time[11:19], toned(one.what, "bold" if one.what == "fill" else ""), str(one.leg), one.contract,
            one.kind, f"{one.quantity:+d}", number(one.price), one.reason,
        ]
        for one in events
    ]  # fmt: skip
    columns = ["time", "what", "leg", "contract", "kind", "units", "price", "reason"]
    return rows_table(title, columns, rows, numbers={"units", "price"})


def _events(snapshot: Snapshot, count: int) -> RenderableType:
    from rich.text import Text

    lines = [
        f"{one.time[11:19]}  {one.what:<5} leg {one.leg}  {one.contract:<12} {one.kind:<6} {one.quantity:+6d}  "
        f"{number(one.price):>9}  {one.reason}"
        for one in snapshot.events[-count:]
    ]
    return Text("\n".join(lines) or "none yet", no_wrap=True)


def _footer(playing: Playing) -> Text:
    if playing.asking:
        hint = "time, such as 10:45" if playing.asking == "jump" else "stop_pct=30 close=CE"
        return toned(f" {playing.asking} ({hint}): {playing.typed}_", "bold reverse")
    if playing.what_if is not None:
        return toned(" t take the change and go on   any other key back", "bold")
    return toned(f" {playing.message}" if playing.message else f" {_KEYS}", "bold red" if playing.message else "dim")


def what_if_parts(what_if: WhatIf) -> list[Any]:
    """Give what a person reads of a comparison: figures side by side, the trades that differ."""
    if not what_if.trades.height:
        return [repr(what_if)]
    rows = []
    for trade in what_if.trades.iter_rows(named=True):
        ways = [_way(trade, ""), _way(trade, "_other")]
        rows.append([str(trade["leg"]), f"{trade['strike']:g} {trade['right']}", *ways[0], *ways[1]])
    columns = ["leg", "contract", "out", "at", "reason", "net P&L", "out ", "at ", "reason ", "net P&L "]
    numbers = {"at", "net P&L", "at ", "net P&L "}
    return [repr(what_if), "", rows_table("Trades that differ: as it was, what if", columns, rows, numbers=numbers)]


def _way(trade: dict[str, Any], suffix: str) -> list[str]:
    if trade[f"exit_time{suffix}"] is None:
        return ["no such trade", "", "", ""]
    return [
        f"{trade[f'exit_time{suffix}']:%H:%M:%S}", number(trade[f"exit_price{suffix}"]),
        trade[f"exit_reason{suffix}"], number(trade[f"net_pnl{suffix}"]),
    ]  # fmt: skip


def _group(parts: list[Any]) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    return Group(*(Text(part) if isinstance(part, str) else part for part in parts))


def snapshot_parts(snapshot: Snapshot, *, around: int = 5) -> list[Any]:
    """Give what a person reads of one moment where there is no live view."""
    parts: list[Any] = [heading(snapshot), "", chain_table(snapshot, around=around)]
    if snapshot.positions:
        parts += ["", positions_table(snapshot)]
    if snapshot.events:
        parts += ["", events_table(snapshot.events)]
    return [*parts, ""]
