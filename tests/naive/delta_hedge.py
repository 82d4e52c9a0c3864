"""The delta hedge told plainly: the specification that the compiled step must equal. Costs are left out."""

from fractions import Fraction

from algomaster.core.types import MISSING
from algomaster.strategy.day import day_of
from naive.paper import FUTURE, Market
from naive.vols import Quotes, call_delta


class DeltaHedge:
    def __init__(self, p, fills):
        self.p, self.market = p, Market(fills)

    def session(self, day):
        self.day, self.expiry = day, int(day.expiries[0])
        self.quotes = Quotes(day, self.expiry, day_of(day).years)
        self.lot = int(day.lot[0])
        self.market.start(day)
        self.mode, self.straddle, self.hedges, self.synthetic = "wait", [], [], None
        for i in range(len(day.ts)):
            self.market.meet(i)
            self.decide(i, day.first_minute + i + 1)
            self.market.at_close(i)
        self.market.end()

    def decide(self, i, now):
        p = self.p
        if self.mode == "wait" and now >= p["entry"]:
            self.enter(i, now)
        elif self.mode == "in":
            self.hold(i, now)
        elif self.mode == "leaving":
            self.out(i, self.reason)

    def enter(self, i, now):
        if now >= self.p["exit"] or now > self.p["entry"] + self.p["patience"]:
            self.mode = "over"
        elif self.day.spot[i] != MISSING:
            self.strike = self.quotes.nearest(i)
            self.mode, self.since, self.whole = "over", now, False
            if self.strike in list(self.day.strikes):
                self.mode = "in"
                units = self.p["lots"] * self.lot * (1 if self.p["side"] == "buy" else -1)
                self.straddle = [self.market.enter(i, (self.expiry, self.strike, right), units) for right in (0, 1)]

    def hold(self, i, now):
        p, states = self.p, [leg.status for leg in self.straddle]
        if now >= p["exit"]:
            return self.out(i, "time", first=True)
        if "off" in states or ("waiting" in states and now > self.since + p["patience"]):
            return self.out(i, "incomplete", first=True)
        if "waiting" in states:
            return None
        premium = sum(leg.entry * abs(leg.units) for leg in self.straddle) * self.day.tick
        made = self.market.made(self.market.legs)
        if p["stop_pct"] and -made * 100 >= premium * Fraction(p["stop_pct"]):
            return self.out(i, "overall_stop", first=True)
        if p["target_pct"] and made * 100 >= premium * Fraction(p["target_pct"]):
            return self.out(i, "overall_target", first=True)
        if not self.whole:
            self.whole, self.since = True, now
        return self.hedge(i, now)

    def out(self, i, reason, *, first=False):
        self.mode, self.reason = "leaving", reason
        for leg in self.market.legs:
            if first and leg.status == "open":
                leg.orders = []
            self.market.leave(i, leg, reason)

    def hedge(self, i, now):
        p = self.p
        due = p["every"] and now >= self.since + p["every"]
        if any(leg.orders for leg in self.market.legs) or not (due or p["band"]):
            return
        vol, forward = self.quotes.vol(self.strike, i), self.quotes.forward(i)
        if vol is None:
            return
        delta = 2 * call_delta(forward, self.strike, self.quotes.years[0, i], vol) - 1
        units = sum(leg.units for leg in self.hedges if leg.contract is FUTURE or leg.contract[2] == 0)
        net = delta * p["lots"] * (1 if p["side"] == "buy" else -1) + units / self.lot
        if due:
            self.since = now
        elif abs(net) <= p["band"]:
            return
        lots = int(abs(net) + 0.5)
        if lots:
            self.trade(i, units - lots * self.lot * (1 if net > 0 else -1))

    def trade(self, i, units):
        if self.p["hedge_with"] == "future":
            if self.market.quote(FUTURE, i, "close") is not None:
                self.bring(i, FUTURE, units)
            return
        self.synthetic = self.synthetic or self.quotes.nearest(i)
        if self.quotes.both(self.synthetic, i) is not None:
            self.bring(i, (self.expiry, self.synthetic, 0), units)
            self.bring(i, (self.expiry, self.synthetic, 1), -units)

    def bring(self, i, contract, units):
        held = [leg for leg in self.hedges if leg.contract == contract and leg.status == "open"]
        if held and held[0].units * units > 0:
            self.market.more(i, held[0], units - held[0].units, "hedge")
            return
        for leg in held:
            self.market.leave(i, leg, "hedge")
        if units:
            self.hedges.append(self.market.enter(i, contract, units))


def delta_hedge(days, p, fills):
    trader = DeltaHedge(p, fills)
    for day in days:
        trader.session(day)
    return sorted(trader.market.done)
