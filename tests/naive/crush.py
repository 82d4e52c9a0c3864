"""Crush recovery told plainly, minute by minute: the specification that the compiled step must equal.

Premiums and percents are exact, volatilities those of ``naive.vols``; costs are left out.
"""

from fractions import Fraction
from math import ceil

from algomaster.core.types import MISSING
from algomaster.strategy.day import day_of
from naive.paper import Market
from naive.vols import Quotes


class Crush:
    """``p`` has plain settings: minutes, percents as text or None; ``events`` maps days of sale to their events."""

    def __init__(self, p, fills):
        self.p, self.market = p, Market(fills)
        self.mode, self.until, self.first, self.second = "over", None, [], []

    def session(self, day):
        market = self.market
        market.start(day)
        self.day, self.years, self.today = day, day_of(day).years, day_of(day).session
        self.morning()
        for i in range(len(day.ts)):
            market.meet(i)
            self.decide(i, day.first_minute + i + 1)
            market.at_close(i)
        market.end()

    def morning(self):
        self.sold_at = -1
        for leg in self.first:
            leg.overnight = False
        held = [leg for leg in self.first if leg.status == "open"]
        if held:
            self.mode = "held" if len(held) == 2 else "leaving"
        elif not (self.today == self.until and self.mode in {"leaving", "watching"}):
            self.first, self.second, self.until, self.mode = [], [], self.today, "wait"
            if self.p["events"] is not None:
                self.until = self.p["events"].get(self.today)
                self.mode = "over" if self.until is None else "wait"
        if self.first:
            self.quotes = Quotes(self.day, self.expiry, self.years)

    def time_for(self, now, name):
        return now >= self.p[name] and self.today >= self.until

    def decide(self, i, now):
        if self.mode == "wait" and now >= self.p["entry"]:
            self.sell(i, now)
        elif self.mode in {"entering", "held"}:
            self.hold(i, now)
        elif self.mode in {"leaving", "watching"}:
            self.watch(i, now)
        elif self.mode == "recovering":
            self.recover(i, now)

    # --- the first straddle

    def sell(self, i, now):
        if self.time_for(now, "exit") or now > self.p["entry"] + self.p["patience"]:
            self.mode = "over"
            return
        if self.day.spot[i] == MISSING:
            return
        self.mode = "over"
        alive = [int(expiry) for expiry in self.day.expiries if expiry >= self.until]
        if not alive:
            return
        self.expiry = alive[0]
        self.quotes = Quotes(self.day, self.expiry, self.years)
        self.strike = self.quotes.nearest(i)
        if self.strike not in list(self.day.strikes):
            return
        self.mode, self.since, self.sold_at = "entering", now, i
        self.vol = self.quotes.vol(self.strike, i)
        self.lot = int(self.day.lot[self.quotes.e])
        lots = min(self.p["lots"], self.p["max_lots"])
        if self.p["max_margin"]:
            lots = min(lots, self.p["max_margin"] * 100 // self.margin(int(self.day.spot[i])))
        if lots == 0:
            self.mode = "over"
            return
        self.first = self.pair(i, self.strike, lots)

    def margin(self, spot):
        return spot * self.lot * Fraction(self.p["margin_pct"]) // 100

    def pair(self, i, strike, lots):
        return [self.market.enter(i, (self.expiry, strike, right), -lots * self.lot) for right in (0, 1)]

    def failed(self, legs, now):
        states = [leg.status for leg in legs]
        late = now > self.since + self.p["patience"]
        return "off" in states or "closed" in states or ("waiting" in states and late)

    def out(self, i, legs, reason):
        for leg in legs:
            self.market.leave(i, leg, reason)
        self.mode = "over"

    def hold(self, i, now):
        whole = all(leg.status == "open" for leg in self.first)
        if self.time_for(now, "exit"):
            return self.out(i, self.first, "time")
        if self.failed(self.first, now):
            return self.out(i, self.first, "incomplete")
        if not whole:
            return self.stay_the_night()
        self.mode = "held"
        if self.lost_too_much():
            return self.out(i, self.first, "loss_limit")
        if self.p["stop_pct"] and self.rise(self.first) >= Fraction(self.p["stop_pct"]):
            self.out(i, self.first, "stop")
            self.mode = "leaving"
            self.look_back(i)
            return None
        if self.p["target_pct"] and -self.rise(self.first) >= Fraction(self.p["target_pct"]):
            return self.out(i, self.first, "target")
        return self.stay_the_night()

    def stay_the_night(self):
        if self.today < self.until and all(leg.status == "open" for leg in self.first):
            for leg in self.first:
                leg.overnight = True

    def rise(self, legs):
        sold, now = sum(leg.entry for leg in legs), sum(leg.last for leg in legs)
        return Fraction(100 * (now - sold), sold)

    def made(self):
        return self.market.made(self.first + self.second)

    def lost_too_much(self):
        return self.p["daily_loss_limit"] is not None and -self.made() >= self.p["daily_loss_limit"] * 100

    # --- the spike

    def look_back(self, i):
        if self.p["before"]:
            for j in range(i - self.p["before"], self.sold_at, -1):
                vol = self.quotes.vol(self.quotes.nearest(j), j)
                if vol:
                    self.vol = vol
                    break
        self.peak, self.dipped = {"iv": 0.0, "premium": 0.0}, set()
        self.follow(i)

    def level(self, measure, i):
        if not self.vol:
            return None
        if measure == "iv":
            vol = self.quotes.vol(self.quotes.nearest(i), i)
            return vol and vol / self.vol - 1
        premium, usual = self.quotes.both(self.strike, i), self.quotes.usual(self.strike, self.vol, i)
        return None if premium is None or not usual else premium / usual - 1

    def follow(self, i):
        measures = {"iv": ["iv"], "premium": ["premium"]}.get(self.p["watch"], ["iv", "premium"])
        fallen, second = [], False
        for measure in measures:
            level, peak = self.level(measure, i), self.peak[measure]
            if level is None:
                fallen.append(False)
            elif level > peak:
                second |= measure in self.dipped
                self.peak[measure] = level
                fallen.append(False)
            else:
                spike = peak >= float(self.p["spike_pct"]) / 100
                again = self.p["again_pct"]
                if spike and again and level <= peak * (1 - float(again) / 100):
                    self.dipped.add(measure)
                fallen.append(spike and level <= peak * (1 - float(self.p["fall_pct"]) / 100))
        if second:
            return "second"
        return "fallen" if (all if self.p["watch"] == "both" else any)(fallen) else ""

    def watch(self, i, now):
        seen = self.follow(i)
        if self.mode == "leaving":
            for leg in self.first:
                self.market.leave(i, leg, "stop")
            if not self.market.idle:
                return
            self.mode = "watching"
        self.loss = -self.market.made(self.first)
        if self.time_for(now, "give_up") or seen == "second" or self.loss <= 0 or self.lost_too_much():
            self.mode = "over"
        elif seen == "fallen" and self.today >= self.until:
            self.sell_again(i, now)

    # --- the second straddle

    def sell_again(self, i, now):
        nearest = self.quotes.nearest(i)
        strike = nearest if self.p["resell"] == "atm" else self.strike
        premium = None if nearest is None else self.quotes.both(strike, i)
        usual = None if premium is None else self.quotes.usual(strike, self.vol, i)
        if usual is None:
            return
        lots = self.size(premium, premium - usual, int(self.day.spot[i]))
        self.mode = "over"
        if lots > 0:
            self.mode, self.since = "recovering", now
            self.second = self.pair(i, strike, lots)

    def size(self, premium, edge, spot):
        if edge <= 0:
            return 0
        wanted = self.loss * (float(self.p["recover_pct"]) / 100 if self.p["recover_pct"] else 1)
        lots = min(self.p["max_lots"], ceil(wanted / (edge * self.lot)))
        if self.p["max_margin"]:
            lots = min(lots, self.p["max_margin"] * 100 // self.margin(spot))
        if self.p["daily_loss_limit"] and self.p["recover_stop_pct"]:
            risk = premium * self.lot * Fraction(self.p["recover_stop_pct"]) // 100
            lots = min(lots, (self.p["daily_loss_limit"] * 100 - self.loss) // risk)
        return int(lots)

    def recover(self, i, now):
        seen = self.follow(i)
        whole = all(leg.status == "open" for leg in self.second)
        if self.time_for(now, "exit"):
            self.out(i, self.second, "time")
        elif self.failed(self.second, now):
            self.out(i, self.second, "incomplete")
        elif seen == "second":
            self.out(i, self.second, "crush")
        elif whole and self.lost_too_much():
            self.out(i, self.second, "loss_limit")
        elif whole and self.p["recover_stop_pct"] and self.rise(self.second) >= Fraction(self.p["recover_stop_pct"]):
            self.out(i, self.second, "stop")
        elif whole and self.p["recover_pct"] and self.back():
            self.out(i, self.second, "target")

    def back(self):
        return (self.made() + self.loss) * 100 >= self.loss * Fraction(self.p["recover_pct"])


def crush(days, p, fills):
    """Fills of the sessions, as ``naive.paper.fills_of`` gives those of a replay."""
    trader = Crush(p, fills)
    for day in days:
        trader.session(day)
    return sorted(trader.market.done)
