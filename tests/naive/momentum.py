"""Ranking contracts and trading the best of them told plainly: the specification that the compiled loop must equal.

Places are exact fractions found by sorting; the strategy is told over lists of positions. Knows nothing of books,
orders, records or kernels.
"""

import math
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor

from algomaster.core.types import MISSING

CRITERIA = ("momentum", "volume", "interest", "iv", "strength", "liquidity")


def window(values, i, minutes):
    return [int(value) for value in values[max(i - minutes, 0) : i + 1]]


def known(values):
    return [value for value in values if value != MISSING]


def drive(values):
    prices = known(values)
    if len(prices) < 2:
        return None
    squares = sum((b - a) ** 2 for a, b in pairwise(prices))
    return (prices[-1] - prices[0]) / math.sqrt(squares) if squares else 0.0


def measures(day, i, contract, p):
    """Measures of (expiry, strike number, right) by name, or None where it is out."""
    e, k, right = contract
    n = p["minutes"]
    closes = window(day.close[e, k, right], i, n)
    prices = known(closes)
    if i < n or len(prices) < 2:
        return None
    volumes = window(day.volume[e, k, right], i, n)[1:]
    value = sum(c * v for c, v in zip(closes[1:], volumes) if MISSING not in (c, v)) * day.tick
    if prices[-1] * day.tick < (p["min_premium"] or 0) * 100 or value < (p["min_value"] or 0) * 100:
        return None
    bid, ask = int(day.bid[e, k, right, i]), int(day.ask[e, k, right, i])
    quoted = bid > 0 and ask >= bid
    if (
        p["max_spread_pct"]
        and quoted
        and Fraction(2 * (ask - bid), ask + bid) > Fraction(str(p["max_spread_pct"])) / 100
    ):
        return None
    percent = 100 * (prices[-1] - prices[0]) / prices[0]
    push, index = drive(closes), drive(window(day.spot, i, n))
    oi = known(window(day.oi[e, k, right], i, n))
    growth = 100 * (oi[-1] - oi[0]) / max(oi[-1], oi[0], 1) if len(oi) > 1 else None
    sign = (percent > 0) - (percent < 0)
    return {
        "momentum": push if p["terms"] == "volatility" else percent,
        "volume": burst(volumes, n, int(day.lot[e])),
        "interest": None if growth is None else max(growth, 0.0) * sign,
        "iv": None,
        "strength": None if index is None else push - (index if right == 0 else -index),
        "liquidity": value / 100,
    }


def burst(volumes, minutes, lot):
    lately = max(minutes // 5, 1)
    recent, earlier = known(volumes[-lately:]), sorted(known(volumes[:-lately]))
    if not recent or len(earlier) < 2:
        return None
    return sum(recent) / len(recent) / (sum(earlier[:-1]) / (len(earlier) - 1) + lot)


def places(values):
    """Place from 0 to a million of each value: the mean of where it could stand when sorted; the middle if unknown."""
    there = sorted(value for value in values if value is not None)
    found = []
    for value in values:
        if value is None or len(there) < 2:
            found.append(500_000)
            continue
        first = there.index(value)
        last = len(there) - 1 - there[::-1].index(value)
        found.append(floor(Fraction(first + last, 2) / (len(there) - 1) * 1_000_000))
    return found


def scores(rows, weights):
    """Score of each row of measures, of 1."""
    total = [Fraction(0)] * len(rows)
    for name in CRITERIA:
        weight = Fraction(str(weights[name]))
        if weight:
            for a, place in enumerate(places([row[name] for row in rows])):
                total[a] += weight * place if weight > 0 else -weight * (1_000_000 - place)
    full = sum(abs(Fraction(str(weight))) for weight in weights.values())
    return [one / full / 1_000_000 for one in total]


@dataclass
class Position:
    contract: tuple
    lots: int
    status: str = "waiting"
    entry_bar: int = -1
    entry: int = 0
    stop: int | None = None
    stop_reason: str = "stop"
    target: int | None = None
    leaving: str = ""
    last: int = 0
    exit_bar: int = -1
    exit_price: int = 0
    reason: str = ""

    def leave(self, i, price, reason):
        self.status, self.exit_bar, self.exit_price, self.reason = "closed", i, price, reason


@dataclass
class Run:
    day: object
    p: dict
    positions: list = field(default_factory=list)

    def bar(self, position, i):
        e, k, right = position.contract
        return [int(getattr(self.day, name)[e, k, right, i]) for name in ("open", "high", "low", "close")]

    @property
    def long(self):
        return self.p["side"] == "buy"

    def level(self, price, pct, ticks, *, up):
        if not pct and not ticks:
            return None
        exact = price * (1 + (1 if up else -1) * Fraction(str(pct or 0)) / 100)
        return (ceil(exact) + (ticks or 0)) if up else (floor(exact) - (ticks or 0))

    def market(self, i):
        p, fresh = self.p, []
        for one in self.positions:
            if one.status not in {"waiting", "open"}:
                continue
            first = self.bar(one, i)[0]
            if first == MISSING:
                continue
            if one.status == "waiting":
                one.status, one.entry_bar, one.entry, one.last = "open", i, first, first
                one.stop = self.level(first, p["stop_pct"], p["stop_ticks"], up=not self.long)
                one.target = self.level(first, p["target_pct"], p["target_ticks"], up=self.long)
                fresh.append(one)
            elif one.leaving:
                one.leave(i, first, one.leaving)
        for one in self.positions:
            if one.status != "open":
                continue
            first, high, low, close = self.bar(one, i)
            against, favour = (low, high) if self.long else (high, low)
            if first != MISSING and one not in fresh:
                if reached(first, one.stop, up=not self.long):
                    one.leave(i, first, one.stop_reason)
                elif reached(first, one.target, up=self.long):
                    one.leave(i, first, "target")
            if one.status == "open" and high != MISSING:
                if reached(against, one.stop, up=not self.long):
                    one.leave(i, one.stop, one.stop_reason)
                elif reached(favour, one.target, up=self.long):
                    one.leave(i, one.target, "target")
            if close != MISSING:
                one.last = close

    def decide(self, i):
        p, now = self.p, self.day.first_minute + i + 1
        if now >= p["exit"]:
            for one in self.positions:
                self.tell_to_leave(one)
            return
        for one in self.positions:
            if one.status == "open":
                self.watch(one, i)
        if now >= p["start"] and now <= p["end"] and (now - p["start"]) % p["every"] == 0:
            self.pick(i)

    def tell_to_leave(self, one):
        if one.status == "waiting":
            one.status = "off"
        elif one.status == "open" and not one.leaving:
            one.leaving = "time"

    def watch(self, one, i):
        p, close = self.p, self.bar(one, i)[3]
        if p["hold"] and i + 1 - one.entry_bar >= p["hold"]:
            self.tell_to_leave(one)
        elif (p["trail_pct"] or p["trail_ticks"]) and close != MISSING:
            level = self.level(close, p["trail_pct"], p["trail_ticks"], up=not self.long)
            if level > 0 and (one.stop is None or (level > one.stop if self.long else level < one.stop)):
                one.stop, one.stop_reason = level, "trail"

    def pick(self, i):
        p, day = self.p, self.day
        for one in self.positions:
            if one.status == "waiting":
                one.status = "off"
        held = [one.contract for one in self.positions if one.status == "open"]
        room = min(p["picks"], p["max_positions"] - len(held))
        if room <= 0 or day.spot[i] == MISSING:
            return
        ranked = [(c, measures(day, i, c, p)) for c in self.around_the_money(i)]
        ranked = [(c, row) for c, row in ranked if row is not None]
        points = scores([row for _, row in ranked], p["weights"])
        order = sorted(range(len(ranked)), key=lambda a: -points[a])  # sorted() keeps the order of equals
        for a in order:
            if points[a] < Fraction(str(p["min_score"] or 0)) / 100 or not room:
                return
            if ranked[a][0] not in held:
                self.positions.append(Position(ranked[a][0], p["lots"]))
                room -= 1

    def around_the_money(self, i):
        day, p = self.day, self.p
        step = int(day.strike_step[0])
        money = floor(Fraction(int(day.spot[i]), step) + Fraction(1, 2)) * step
        above = [k for k, strike in enumerate(day.strikes) if strike >= money]
        middle = above[0] if above else len(day.strikes) - 1
        strikes = [k for k in range(len(day.strikes)) if abs(k - middle) <= p["reach"]]
        rights = {"both": (0, 1), "CE": (0,), "PE": (1,)}[p["rights"]]
        return [(0, k, right) for k in strikes for right in rights]


def reached(price, mark, *, up):
    return mark is not None and (price >= mark if up else price <= mark)


def momentum(day, p):
    """Closed positions of one session, in the order in which they were decided; fills at the next open."""
    run = Run(day, p)
    minutes = len(day.ts)
    for i in range(minutes):
        run.market(i)
        run.decide(i)
    for one in run.positions:
        if one.status == "open":
            one.leave(minutes - 1, one.last, "session_end")
    return [one for one in run.positions if one.status == "closed"]
