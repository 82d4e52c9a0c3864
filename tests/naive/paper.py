"""A market on paper, told plainly: market orders, legs with stops and targets, one session after another.

A contract is (expiry in days, strike in paise, right 0 or 1), the future is None. Prices are as the session has them:
whole ticks of options, whole paise of the future. Knows nothing of books, slots, records or kernels.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor

from algomaster.core.types import MINUTE_NS, MISSING

FUTURE = None


@dataclass
class Leg:
    contract: tuple | None
    wanted: int
    stop_pct: str | None = None
    target_pct: str | None = None
    status: str = "waiting"  # waiting, open, closed or off (called off)
    units: int = 0
    cash: int = 0
    entry: int = 0
    last: int = 0
    orders: list = field(default_factory=list)  # (units or "all", reason, bar of the decision)
    stop: int | None = None
    target: int | None = None
    since: int = 0
    overnight: bool = False

    @property
    def leaving(self):
        return any(reason != "entry" for _, reason, _ in self.orders)


class Market:
    """``fills`` "next_open" or "decision_close"; ``done`` collects (moment, right, strike, units, paise, reason)."""

    def __init__(self, fills):
        self.fills, self.legs, self.done = fills, [], []

    def start(self, day):
        self.day = day
        self.legs = [leg for leg in self.legs if leg.status == "open"]

    def quote(self, contract, i, name):
        """Price of bar ``i`` by name, None where there was none."""
        if contract is FUTURE:
            series = self.day.future if name == "close" else getattr(self.day, f"future_{name}")
            value = int(series[i])
        else:
            value = int(getattr(self.day, name)[*self.place(contract), i])
        return None if value == MISSING else value

    def place(self, contract):
        expiry, strike, right = contract
        return list(self.day.expiries).index(expiry), list(self.day.strikes).index(strike), right

    def paise(self, leg):
        return 1 if leg.contract is FUTURE else self.day.tick

    # --- what a trader says

    def enter(self, i, contract, units, stop_pct=None, target_pct=None):
        leg = Leg(contract, units, stop_pct, target_pct, orders=[(units, "entry", i)])
        self.legs.append(leg)
        return leg

    def more(self, i, leg, units, reason):
        leg.orders.append((units, reason, i))

    def leave(self, i, leg, reason):
        if leg.status == "waiting":
            leg.status, leg.orders = "off", []
        elif leg.status == "open" and not leg.orders:
            leg.orders.append(("all", reason, i))

    # --- what the market does

    def meet(self, i):
        """Bar ``i`` meets what was decided before it: its open, then its range, then it is marked."""
        fresh = []
        for leg in self.legs:
            first = self.quote(leg.contract, i, "open") if leg.status in {"waiting", "open"} else None
            if first is None:
                continue
            if leg.status == "waiting":
                fresh.append(leg)
            for order in list(leg.orders):
                self.fill(leg, order, first, int(self.day.ts[i]), i)
        for leg in self.legs:
            if leg.status == "open":
                self.stops(leg, i, leg in fresh)
        for leg in self.legs:
            if leg.status == "open" and self.quote(leg.contract, i, "close") is not None:
                leg.last = self.quote(leg.contract, i, "close")

    def stops(self, leg, i, fresh):
        first, high, low = (self.quote(leg.contract, i, name) for name in ("open", "high", "low"))
        if first is None or leg.since > i:
            return
        short = leg.units < 0
        hurt, help_ = (high, low) if short else (low, high)
        moment = int(self.day.ts[i])
        ways = ((leg.stop, "stop", short, hurt), (leg.target, "target", not short, help_))
        for price, reason, up, _ in ways:
            if price is not None and not fresh and beyond(first, price, up=up):
                self.fill(leg, ("all", reason, i), first, moment, i)
                return
        for price, reason, up, extreme in ways:
            if price is not None and beyond(extreme, price, up=up):
                self.fill(leg, ("all", reason, i), price, moment, i)
                return

    def at_close(self, i):
        """What was decided just now trades at this close, where the rules say so."""
        if self.fills == "next_open":
            return
        for leg in self.legs:
            close = self.quote(leg.contract, i, "close") if leg.status in {"waiting", "open"} else None
            for order in list(leg.orders):
                if order[2] == i and close is not None and leg.status in {"waiting", "open"}:
                    self.fill(leg, order, close, int(self.day.ts[i]) + MINUTE_NS, i + 1)

    def end(self):
        """The session is over: what waits expires, what may not stay is squared off at its last price."""
        last = len(self.day.ts) - 1
        for leg in self.legs:
            leg.orders = []
            if leg.status == "waiting":
                leg.status = "off"
            if leg.status == "open" and not leg.overnight:
                self.fill(leg, ("all", "session_end", last), leg.last, int(self.day.ts[last]) + MINUTE_NS, last)

    def fill(self, leg, order, price, moment, since):
        units = -leg.units if order[0] == "all" else order[0]
        leg.cash -= units * price * self.paise(leg)
        leg.units += units
        leg.last = price
        if order in leg.orders:
            leg.orders.remove(order)
        right, strike = (2, 0) if leg.contract is FUTURE else (leg.contract[2], leg.contract[1])
        self.done.append((moment, right, strike, units, price * self.paise(leg), order[1]))
        if leg.status == "waiting":
            leg.status, leg.entry, leg.since = "open", price, since
            leg.stop = level(price, leg.stop_pct, up=units < 0)
            leg.target = level(price, leg.target_pct, up=units > 0)
        elif leg.units == 0:
            leg.status, leg.orders = "closed", []

    # --- what a trader asks

    def made(self, legs):
        """Paise that the legs have made so far, open ones at their last price."""
        return sum(leg.cash + leg.units * leg.last * self.paise(leg) for leg in legs)

    @property
    def idle(self):
        return not any(leg.status == "waiting" or leg.status == "open" for leg in self.legs)


def level(entry, percent, *, up):
    if not percent:
        return None
    price = entry * (1 + (1 if up else -1) * Fraction(percent) / 100)
    return ceil(price) if up else floor(price)


def beyond(price, mark, *, up):
    return price >= mark if up else price <= mark


def fills_of(run):
    """The same rows from a replay's fills frame, sorted alike."""
    rights = {"CE": 0, "PE": 1, "FUT": 2}
    rows = run.fills.with_columns(ts=run.fills["ts"].dt.epoch("ns")).to_dicts()
    return sorted(
        (row["ts"], rights[row["right"]], round(row["strike"] * 100), row["quantity"], round(row["price"] * 100),
         row["reason"])
        for row in rows
    )  # fmt: skip
