"""The short straddle told plainly, minute by minute: the specification that the compiled loop must equal.

Works on integer ticks read from a ChainDay; knows nothing of books, orders, records or kernels.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor

from algomaster.core.types import MISSING


@dataclass
class Leg:
    right: int
    steps: int
    strike: int | None  # None while it is to be chosen at the fill
    late: bool
    status: str = "waiting"  # waiting, open, closed, off (called off) or none (no such contract)
    entry_bar: int = -1
    entry: int = 0
    entered_at: str = ""
    stop: int | None = None
    target: int | None = None
    last: int = 0
    leaving: str = ""
    exit_bar: int = -1
    exit_price: int = 0
    exit_at: str = ""
    reason: str = ""

    def enter(self, i, price, at, p):
        self.status, self.entry_bar, self.entry, self.entered_at, self.last = "open", i, int(price), at, int(price)
        if p["stop_on"] == "range":
            sell = p["side"] == "sell"
            self.stop = level(self.entry, p["stop_pct"], up=sell)
            self.target = level(self.entry, p["target_pct"], up=not sell)

    def leave(self, i, price, at, reason):
        self.status, self.exit_bar, self.exit_price, self.exit_at, self.reason = "closed", i, int(price), at, reason


@dataclass
class Run:
    day: object
    p: dict
    legs: list = field(default_factory=list)
    phase: str = "wait"
    since: int = 0

    def prices(self, leg, i):
        k = list(self.day.strikes).index(leg.strike)
        return [int(getattr(self.day, name)[0, k, leg.right, i]) for name in ("open", "high", "low", "close")]

    def rule(self, leg, spot):
        step = int(self.day.strike_step[0])
        return floor(Fraction(int(spot), step) + Fraction(1, 2)) * step + leg.steps * step

    def listed(self, strike):
        return strike in list(self.day.strikes)

    def choose(self, spot):
        """Late legs take the strike the index names at this moment, all of them or none."""
        late = [leg for leg in self.legs if leg.late and leg.status == "waiting"]
        if spot == MISSING or not late:
            return
        wanted = [self.rule(leg, spot) for leg in late]
        for leg, strike in zip(late, wanted):
            if all(self.listed(one) for one in wanted):
                leg.strike = strike
            else:
                leg.status = "none"

    def forget(self):
        for leg in self.legs:
            if leg.late and leg.status == "waiting":
                leg.strike = None

    def market(self, i):
        """Bar ``i`` meets what was decided before it: its open, then its range."""
        self.choose(self.day.spot_open[i])
        fresh = []
        for leg in self.legs:
            if leg.strike is None or leg.status not in {"waiting", "open"}:
                continue
            first = self.prices(leg, i)[0]
            if first == MISSING:
                continue
            if leg.status == "waiting":
                leg.enter(i, first, "open", self.p)
                fresh.append(leg)
            elif leg.leaving:
                leg.leave(i, first, "open", leg.leaving)
        self.forget()
        sell = self.p["side"] == "sell"
        for leg in self.legs:
            if leg.status != "open":
                continue
            first, high, low, _ = self.prices(leg, i)
            against, favour = (high, low) if sell else (low, high)
            if first != MISSING and leg not in fresh:
                if leg.stop and beyond(first, leg.stop, up=sell):
                    leg.leave(i, first, "open", "stop")
                elif leg.target and beyond(first, leg.target, up=not sell):
                    leg.leave(i, first, "open", "target")
            if leg.status == "open" and high != MISSING:
                won = leg.target and beyond(favour, leg.target, up=not sell)
                if won and self.p["fills"] == "algotest" and abs(favour - first) < abs(against - first):
                    leg.leave(i, leg.target, "range", "target")
                elif leg.stop and beyond(against, leg.stop, up=sell):
                    leg.leave(i, leg.stop, "range", "stop")
                elif leg.target and beyond(favour, leg.target, up=not sell):
                    leg.leave(i, leg.target, "range", "target")
        for leg in self.legs:
            if leg.status == "open" and self.prices(leg, i)[3] != MISSING:
                leg.last = self.prices(leg, i)[3]

    def decide(self, i):
        """What the trader does when bar ``i`` has closed. Gives the legs that were told something."""
        now, p = self.day.first_minute + i + 1, self.p
        alive = [leg for leg in self.legs if leg.status in {"waiting", "open"}]
        if self.phase == "wait":
            if now >= p["exit"]:
                self.phase = "done"
            elif now >= p["entry"]:
                return self.enter(i, now)
        elif self.phase in {"entering", "held"}:
            if now >= p["exit"]:
                return self.leave_all("time")
            if not alive:
                self.phase = "done"
            elif self.phase == "entering":
                waiting = any(leg.status == "waiting" for leg in self.legs)
                if any(leg.status == "none" for leg in self.legs) or (waiting and now > self.since + p["patience"]):
                    return self.leave_all("incomplete")
                if not waiting:
                    self.phase = "held"
            if self.phase != "done" and p["stop_on"] == "close":
                return self.watch(i)
        return []

    def enter(self, i, now):
        p, spot = self.p, self.day.spot[i]
        if now > p["entry"] + p["patience"]:
            self.phase = "done"
            return []
        late = p["strike_at"] == "fill" and not p["strikes"]
        if spot == MISSING and not late and not p["strikes"]:
            return []
        for right in (0, 1):
            leg = Leg(right, p["strike"] + (p["width"], -p["width"])[right], None, late)
            if p["strikes"]:
                leg.strike = p["strikes"][right] * 100
            elif not late:
                leg.strike = self.rule(leg, spot)
            self.legs.append(leg)
        self.phase, self.since = "entering", now
        if not late and not all(self.listed(leg.strike) for leg in self.legs):
            self.legs, self.phase = [], "done"
        return list(self.legs)

    def leave_all(self, reason):
        self.phase = "done"
        for leg in self.legs:
            if leg.status == "waiting":
                leg.status = "off"
            elif leg.status == "open" and not leg.leaving:
                leg.leaving = reason
        return list(self.legs)

    def watch(self, i):
        told = []
        for leg in self.legs:
            close = self.prices(leg, i)[3] if leg.status == "open" else MISSING
            if close == MISSING or leg.leaving:
                continue
            move = (close - leg.entry) * (1 if self.p["side"] == "sell" else -1)
            if self.p["stop_pct"] and move >= leg.entry * Fraction(self.p["stop_pct"]) / 100:
                leg.leaving = "stop"
            elif self.p["target_pct"] and -move >= leg.entry * Fraction(self.p["target_pct"]) / 100:
                leg.leaving = "target"
            if leg.leaving:
                told.append(leg)
        return told

    def at_close(self, i, told):
        """What was told just now trades at this close, where the rules say so."""
        self.choose(self.day.spot[i])
        for leg in told:
            if leg.strike is None or leg.status not in {"waiting", "open"}:
                continue
            close = self.prices(leg, i)[3]
            if close == MISSING:
                continue
            if leg.status == "waiting":
                leg.enter(i, close, "close", self.p)
            elif leg.leaving:
                leg.leave(i, close, "close", leg.leaving)
        self.forget()


def straddle(day, p):
    """Closed legs of one session; ``p`` is a dict of plain settings (minutes, percent as text or None, ...)."""
    run = Run(day, p)
    minutes = len(day.ts)
    for i in range(minutes):
        run.market(i)
        before = {id(leg): leg.leaving for leg in run.legs}
        told = [leg for leg in run.decide(i) if not before.get(id(leg))]
        if p["fills"] != "next_open" and told:
            run.at_close(i, told)
    for leg in run.legs:
        if leg.status == "open":
            leg.leave(minutes - 1, leg.last, "close", "session_end")
    return [leg for leg in run.legs if leg.status == "closed"]


def level(entry, percent, *, up):
    if not percent:
        return None
    price = entry * (1 + (1 if up else -1) * Fraction(percent) / 100)
    return ceil(price) if up else floor(price)


def beyond(price, mark, *, up):
    return price >= mark if up else price <= mark
