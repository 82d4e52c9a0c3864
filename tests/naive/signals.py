"""Signals and orders on bars told plainly: the specification that the compiled loops must equal.

One account of several symbols, one bar after the other, objects and lists; knows nothing of flags, records or kernels.
"""

from dataclasses import dataclass, field
from math import floor, inf, isnan, nan

DEFAULTS = {
    "size": inf, "size_type": "amount", "grain": 0.0, "fees": 0.0, "fixed": 0.0, "slippage": 0.0, "sl": nan, "tp": nan,
    "trail": nan, "cash": 100_000.0, "fill": "next_open", "sells_first": True, "accumulate": "none", "partial": True,
    "conflict": "ignore", "dir_conflict": "ignore", "opposite": "reverse", "direction": "both",
}  # fmt: skip


@dataclass
class Holding:
    units: float = 0.0  # signed
    average: float = 0.0
    entry_fees: float = 0.0
    entry_bar: int = -1
    best: float = 0.0
    sold_for: float = 0.0  # entry value of a short
    wanted: object = None  # what waits: a set of words, or an order's size
    decided: int = -1


@dataclass
class Account:
    bars: list  # of dicts by symbol: open, high, low, close
    p: dict
    symbols: int
    held: list = field(default_factory=list)
    trades: list = field(default_factory=list)
    equity: list = field(default_factory=list)
    money: float = 0.0
    worth_before: float = 0.0

    def free(self):
        return max(self.money - 2 * sum(h.sold_for for h in self.held), 0.0)

    def slip(self, price, side):
        return price * (1 + side * self.p["slippage"])

    # --- what an order does

    def take_off(self, s, units, price, i, why):
        h = self.held[s]
        side = 1 if h.units > 0 else -1
        units = min(units, abs(h.units))
        charged = units * price * self.p["fees"] + self.p["fixed"]
        share = h.entry_fees * units / abs(h.units)
        self.money += side * units * price - charged
        pnl = side * units * (price - h.average) - share - charged
        self.trades.append((s, side, units, h.entry_bar, h.average, i, price, share + charged, pnl, why))
        h.entry_fees -= share
        h.sold_for *= 1 - units / abs(h.units)
        h.units = 0.0 if units == abs(h.units) else h.units - side * units

    def put_on(self, s, side, units, price, i, reversing):
        h, p = self.held[s], self.p
        fixed = 0.0 if reversing else p["fixed"]
        most = max(self.free() - fixed, 0.0) / (price * (1 + p["fees"]))
        if units > most * (1 + 1e-12):
            if not p["partial"] and units < inf:
                return
            units = most
        if p["grain"]:
            units = floor(units / p["grain"] * (1 + 1e-9)) * p["grain"]
        if units <= 0:
            return
        charged = units * price * p["fees"] + fixed
        if h.units == 0:
            h.average, h.entry_bar, h.best, h.entry_fees, h.sold_for = price, i, price, 0.0, 0.0
        else:
            h.average = (h.average * abs(h.units) + price * units) / (abs(h.units) + units)
        h.units += side * units
        h.entry_fees += charged
        h.sold_for += units * price if side < 0 else 0.0
        self.money -= side * units * price + charged

    # --- signals

    def units(self, price):
        p = self.p
        if p["size_type"] == "value":
            return p["size"] / price
        if p["size_type"] == "percent":
            return p["size"] * max(self.free() - p["fixed"], 0.0) / (price * (1 + p["fees"]))
        return p["size"]

    def stands(self, words, s):
        words, held = set(words), self.held[s].units
        for side, name in ((1, "long"), (-1, "short")):
            entry, leave = f"{name} in", f"{name} out"
            if {entry, leave} <= words:
                there = held * side > 0
                rule = self.p["conflict"]
                keep = {"entry": entry, "exit": leave}.get(rule)
                if there and rule in ("adjacent", "opposite"):
                    keep = entry if rule == "adjacent" else leave
                words -= {entry, leave} - {keep}
        if {"long in", "short in"} <= words:
            rule = self.p["dir_conflict"]
            with_it = "long in" if held > 0 else "short in" if held < 0 else None
            against = {"long in": "short in", "short in": "long in", None: None}[with_it]
            keep = {"long": "long in", "short": "short in", "adjacent": with_it, "opposite": against}.get(rule)
            words -= {"long in", "short in"} - {keep}
        return words

    def closing(self, s, price, i):
        """Do what closes; give whether that was done, the entry stays."""
        h, p = self.held[s], self.p
        words = self.stands(h.wanted, s)
        h.wanted = words & {"long in", "short in"}
        if h.units == 0:
            return False
        mine, other = ("long", "short") if h.units > 0 else ("short", "long")
        paid = self.slip(price, -1 if h.units > 0 else 1)
        if f"{mine} out" in words:
            some = self.units(paid) if p["accumulate"] in ("both", "remove_only") else inf
            if min(some, abs(h.units)) > 0:
                self.take_off(s, some, paid, i, "signal")
            return True
        if f"{other} in" in words and p["opposite"] != "ignore":
            self.take_off(s, inf, paid, i, "opposite")
            if p["opposite"] == "close":
                h.wanted = set()
            return True
        if f"{other} in" in words:
            h.wanted = h.wanted - {f"{other} in"}
        return False

    def opening(self, s, price, i, reversing):
        h = self.held[s]
        words, h.wanted = h.wanted, None
        if not words:
            return
        side = 1 if "long in" in words else -1
        if h.units * side < 0 or (h.units and self.p["accumulate"] not in ("both", "add_only")):
            return
        paid = self.slip(price, side)
        self.put_on(s, side, self.units(paid), paid, i, reversing)

    # --- orders

    def asked(self, s, prices, i):
        h, p = self.held[s], self.p
        size, price = h.wanted, prices[s]
        paid = self.slip(price, 1 if size > 0 else -1)
        if p["size_type"] == "amount":
            return size
        if p["size_type"] == "value":
            return size / paid
        if p["size_type"] == "percent":
            if h.units and (size > 0) != (h.units > 0):
                return size * abs(h.units)
            return size * max(self.free() - p["fixed"], 0.0) / (paid * (1 + p["fees"]))
        if p["size_type"] == "target_amount":
            return size - h.units
        if p["size_type"] == "target_value":
            return size / price - h.units
        return size * self.worth_before / price - h.units

    def order(self, s, prices, i):
        h = self.held[s]
        units = self.asked(s, prices, i)
        h.wanted = None
        side, units = (1 if units > 0 else -1), abs(units)
        if units <= 1e-12 * abs(h.units):
            return
        if abs(units - abs(h.units)) <= 1e-12 * abs(h.units):
            units = abs(h.units)
        paid, closed = self.slip(prices[s], side), False
        if h.units * side < 0:
            before = abs(h.units)
            self.take_off(s, units, paid, i, "order")
            units, closed = units - before, True
        banned = {"both": 0, "longonly": -1, "shortonly": 1}[self.p["direction"]]
        if units > 0 and side != banned:
            self.put_on(s, side, units, paid, i, closed)

    # --- the bar

    def value(self, prices, i):
        total = self.money
        for s, h in enumerate(self.held):
            known = [prices[s]] + [self.bars[j][s]["close"] for j in range(i - 1, -1, -1)]
            total += h.units * next((price for price in known if price > 0), 0.0) if h.units else 0.0
        return total

    def moment(self, prices, i):
        there = [s for s, h in enumerate(self.held) if h.wanted is not None and prices[s] > 0]
        if self.p.get("orders"):
            self.worth_before = self.value(prices, i)
            if self.p["sells_first"]:
                for s in there:
                    units = self.asked(s, prices, i)
                    if self.held[s].units and (units > 0) != (self.held[s].units > 0):
                        self.order(s, prices, i)
            for s in there:
                if self.held[s].wanted is not None:
                    self.order(s, prices, i)
            return
        closed = {}
        for s in there:
            closed[s] = self.closing(s, prices[s], i)
            if not self.p["sells_first"]:
                self.opening(s, prices[s], i, closed[s])
        for s in there:
            if self.held[s].wanted is not None:
                self.opening(s, prices[s], i, closed[s])

    def stops(self, s, i):
        h, p, bar = self.held[s], self.p, self.bars[i][s]
        side = 1 if h.units > 0 else -1
        levels = [("stop", h.average * (1 - side * p["sl"])), ("trail", h.best * (1 - side * p["trail"]))]
        levels = [(name, level) for name, level in levels if not isnan(level)]
        goal = h.average * (1 + side * p["tp"])
        worst, top = (bar["low"], bar["high"]) if side > 0 else (bar["high"], bar["low"])
        got = None
        if levels:
            name, level = max(levels, key=lambda pair: side * pair[1])
            if side * bar["open"] <= side * level:
                got = name, self.slip(bar["open"], -side)
            elif not side * bar["open"] >= side * goal and side * worst <= side * level:
                got = name, self.slip(level, -side)
        if got is None and side * bar["open"] >= side * goal:
            got = "target", bar["open"]
        elif got is None and side * top >= side * goal:
            got = "target", goal
        if got:
            self.take_off(s, inf, got[1], i, got[0])
        elif side * top > side * h.best:
            h.best = top

    def run(self, wanted):
        """``wanted[i][s]``: a set of words or an order's size at the close of bar i; None for nothing."""
        self.money = self.p["cash"]
        self.held = [Holding() for _ in range(self.symbols)]
        for i, bar in enumerate(self.bars):
            opens, closes = ([one[name] for one in bar] for name in ("open", "close"))
            if self.p["fill"] == "next_open":
                self.moment(opens, i)
            for s, h in enumerate(self.held):
                if h.units:
                    self.stops(s, i)
            if self.p["fill"] == "next_close":
                self.moment(closes, i)
            for s, h in enumerate(self.held):
                if wanted[i][s] is not None:
                    h.wanted, h.decided = wanted[i][s], i
            if self.p["fill"] == "close":
                self.moment(closes, i)
            self.equity.append(self.value(closes, i))
        last = len(self.bars) - 1
        for s, h in enumerate(self.held):
            if h.units:
                price = next(self.bars[j][s]["close"] for j in range(last, -1, -1) if self.bars[j][s]["close"] > 0)
                pnl = h.units * (price - h.average) - h.entry_fees
                side = 1 if h.units > 0 else -1
                known = (s, side, abs(h.units), h.entry_bar, h.average, last, price, h.entry_fees, pnl, "open")
                self.trades.append(known)
        return self


def run(bars, wanted, **settings):
    return Account(bars, DEFAULTS | settings, len(bars[0])).run(wanted)
