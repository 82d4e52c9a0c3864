"""The short straddle told plainly, one leg at a time: the specification that the compiled loop must equal.

Works on integer ticks read from a ChainDay; knows nothing of books, orders or kernels. Ends are half-open: a leg lives
from its entry fill to its first exit.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from algomaster.core.types import MISSING


@dataclass
class Trade:
    right: str
    strike: int
    entry_bar: int
    entry_price: int
    exit_bar: int
    exit_price: int
    exit_at: str  # "open", "range" or "close" of exit_bar
    reason: str


def straddle(day, p):
    """Trades of one session; ``p`` is a dict of plain settings (minutes, percent as str or None, ...)."""
    minutes = len(day.ts)
    decision = None
    for i in range(minutes):
        now = day.first_minute + i + 1
        if now >= p["exit"]:
            break
        if now >= p["entry"] and day.spot[i] != MISSING:
            decision = i
            break
    if decision is None:
        return []
    at_close = p["fills"] == "decision_close"
    if p["strikes"]:
        wanted = [strike * 100 for strike in p["strikes"]]
        bound = decision
    else:
        bound, spot = decision, day.spot[decision]
        if p["strike_at"] == "fill" and not at_close:
            bound = next((i for i in range(decision + 1, minutes) if day.spot_open[i] != MISSING), None)
            if bound is None or past_exit(day, p, bound):
                return []
            spot = day.spot_open[bound]
        step = int(day.strike_step[0])
        money = floor(Fraction(int(spot), step) + Fraction(1, 2)) * step
        wanted = [money + (p["strike"] + p["width"]) * step, money + (p["strike"] - p["width"]) * step]
    strikes = [int(s) for s in day.strikes]
    if any(strike not in strikes for strike in wanted):
        return []
    trades = []
    for right, (name, strike) in enumerate(zip(("CE", "PE"), wanted)):
        trade = leg(day, p, decision, bound, at_close, strikes.index(strike), right)
        if trade:
            trades.append(Trade(name, strike, *trade))
    return trades


def past_exit(day, p, i):
    """Whether the exit was decided before bar ``i`` opened, so that an entry still waiting was called off."""
    return day.first_minute + i >= p["exit"]


def leg(day, p, decision, bound, at_close, k, right):
    o, h, low, c = (getattr(day, name)[0, k, right] for name in ("open", "high", "low", "close"))
    minutes = len(day.ts)
    if at_close and c[decision] != MISSING:
        entry_bar, entry, first = decision, int(c[decision]), decision + 1
    else:
        start = decision + 1 if bound == decision else bound
        entry_bar = next((i for i in range(start, minutes) if o[i] != MISSING and not past_exit(day, p, i)), None)
        if entry_bar is None:
            return None
        entry, first = int(o[entry_bar]), entry_bar
    sell = p["side"] == "sell"
    stop = level(entry, p["stop_pct"], up=sell)
    target = level(entry, p["target_pct"], up=not sell)
    on_range = p["stop_on"] == "range"
    leaving = None  # reason of a market exit that waits for its price, decided on an earlier bar
    last = entry
    for i in range(first, minutes):
        fresh = i == entry_bar and not at_close_entry(at_close, c, decision, entry_bar)
        # the open
        if leaving and o[i] != MISSING:
            return entry_bar, entry, i, int(o[i]), "open", leaving
        if on_range and o[i] != MISSING and not fresh:
            if stop and beyond(o[i], stop, up=sell):
                return entry_bar, entry, i, int(o[i]), "open", "stop"
            if target and beyond(o[i], target, up=not sell):
                return entry_bar, entry, i, int(o[i]), "open", "target"
        # the range
        if on_range and h[i] != MISSING:
            if stop and beyond(h[i] if sell else low[i], stop, up=sell):
                return entry_bar, entry, i, stop, "range", "stop"
            if target and beyond(low[i] if sell else h[i], target, up=not sell):
                return entry_bar, entry, i, target, "range", "target"
        # the close
        if c[i] != MISSING:
            last = int(c[i])
        if leaving:
            continue
        if day.first_minute + i + 1 >= p["exit"]:
            leaving = "time"
        elif not on_range and c[i] != MISSING:
            move = (int(c[i]) - entry) * (1 if sell else -1)
            if p["stop_pct"] and move >= entry * Fraction(p["stop_pct"]) / 100:
                leaving = "stop"
            elif p["target_pct"] and -move >= entry * Fraction(p["target_pct"]) / 100:
                leaving = "target"
        if leaving and at_close and c[i] != MISSING:
            return entry_bar, entry, i, int(c[i]), "close", leaving
    return entry_bar, entry, minutes - 1, last, "close", "session_end"


def at_close_entry(at_close, c, decision, entry_bar):
    return at_close and entry_bar == decision and c[decision] != MISSING


def level(entry, percent, *, up):
    if not percent:
        return None
    price = entry * (1 + (1 if up else -1) * Fraction(percent) / 100)
    return ceil(price) if up else floor(price)


def beyond(price, mark, *, up):
    return price >= mark if up else price <= mark
