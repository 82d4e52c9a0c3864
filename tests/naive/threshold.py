"""The threshold strategy told plainly: the specification that the compiled step must equal. Costs are left out."""

from math import inf, nan

from algomaster.core.types import MISSING
from algomaster.strategy.day import day_of
from naive.paper import Market

SIDES = {
    "none": (0, 0), "long_call": (1, 0), "long_put": (0, 1), "short_call": (-1, 0), "short_put": (0, -1),
    "long_straddle": (1, 1), "short_straddle": (-1, -1), "long_synthetic": (1, -1), "short_synthetic": (-1, 1),
}  # fmt: skip


class Threshold:
    def __init__(self, p, fills):
        self.p, self.market = p, Market(fills)
        self.above = inf if p["above"] is None else p["above"]
        self.below = -inf if p["below"] is None else p["below"]
        self.out_above = self.above if None in (p["exit_above"], p["above"]) else p["exit_above"]
        self.out_below = self.below if None in (p["exit_below"], p["below"]) else p["exit_below"]

    def session(self, day):
        self.day, self.today = day, day_of(day).session
        self.market.start(day)
        self.mode, self.rest, self.count, self.legs = "flat", 0, 0, []
        for i in range(len(day.ts)):
            self.market.meet(i)
            self.decide(i, day.first_minute + i + 1)
            self.market.at_close(i)
        self.market.end()

    def score(self, i):
        column = self.p["column"]
        if column == "score":
            return float(self.day.score[i])
        return float(self.day.features[i, column]) if column < self.day.features.shape[1] else nan

    def decide(self, i, now):
        if self.mode in {"in", "leaving"} and self.market.idle:
            self.mode, self.rest = "flat", now + self.p["cool_down"]
        if self.mode == "in":
            self.hold(i, now)
        if self.mode == "flat":
            self.look(i, now)

    def look(self, i, now):
        p, score = self.p, self.score(i)
        if now > p["last_entry"] or self.count >= p["max_trades"]:
            self.mode = "over"
        if self.mode == "over" or now < max(p["first_entry"], self.rest) or self.day.spot[i] == MISSING:
            return
        if score >= self.above and p["above"] is not None:
            self.view = "above"
        elif score <= self.below and p["below"] is not None:
            self.view = "below"
        elif self.out_below <= score <= self.out_above:
            self.view = "neutral"
        else:
            return
        sides = SIDES[p[f"on_{self.view}"]]
        if sides == (0, 0):
            return
        step, width = int(self.day.strike_step[0]), p["width"]
        middle = (2 * int(self.day.spot[i]) + step) // (2 * step) * step
        strikes = [middle + width * step, middle - width * step]
        wanted = [(right, strikes[right], side) for right, side in enumerate(sides) if side]
        if not all(strike in list(self.day.strikes) for _, strike, _ in wanted):
            self.mode = "over"
            return
        self.legs = [
            self.market.enter(
                i, (int(self.day.expiries[0]), strike, right), side * p["lots"] * int(self.day.lot[0]), p["stop_pct"],
                p["target_pct"],
            )
            for right, strike, side in wanted
        ]  # fmt: skip
        self.mode, self.since, self.count, self.whole = "in", now, self.count + 1, False

    def hold(self, i, now):
        p = self.p
        waiting = any(leg.status == "waiting" for leg in self.legs)
        self.whole |= not waiting
        if now >= p["exit"]:
            return self.out(i, now, "time")
        if not self.whole and waiting and now > self.since + p["patience"]:
            return self.out(i, now, "incomplete")
        if self.turned(self.score(i)):
            return self.out(i, now, "signal")
        return None

    def turned(self, score):
        if self.view == "above":
            return score < self.out_above
        if self.view == "below":
            return score > self.out_below
        return score >= self.above or score <= self.below

    def out(self, i, now, reason):
        for leg in self.legs:
            self.market.leave(i, leg, reason)
        self.mode = "leaving"
        if self.market.idle:
            self.mode, self.rest = "flat", now + self.p["cool_down"]


def threshold(days, p, fills):
    trader = Threshold(p, fills)
    for day in days:
        trader.session(day)
    return sorted(trader.market.done)
