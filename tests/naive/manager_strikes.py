"""The strike rules of the straddle manager told plainly: a mixin of :class:`naive.manager.Manager`."""

from fractions import Fraction
from math import erf, floor, log, sqrt


class Strikes:
    def expiry_of(self, row):
        wanted = row.rule["expiry"]
        dates = [int(day) for day in self.day.expiries]
        if wanted in {"monthly", "next_monthly"}:
            dates = [day for day, monthly in zip(dates, self.seen.monthly) if monthly]
        place = {"weekly": 0, "next_weekly": 1, "monthly": 0, "next_monthly": 1}.get(wanted, wanted)
        return dates[place] if place < len(dates) else 1 << 40

    def choose(self, row, side):
        """A contract, "none" where there is none such, None where something is not known this minute."""
        expiry, (name, value) = self.expiry_of(row), row.rule["strike"]
        if expiry == 1 << 40:
            return "none"
        right = 0 if row.rule["right"] == "CE" else 1
        e = list(self.day.expiries).index(expiry)
        step = int(self.day.strike_step[e])

        def nearest(paise):
            return floor(Fraction(paise, step) + Fraction(1, 2)) * step

        def listed(strike):
            return (expiry, strike, right) if strike in self.day.strikes else "none"

        def close(strike, which):
            return self.last((expiry, strike, which), self.i)

        if name == "strike":
            return listed(round(value * 100))
        if name.startswith("premium"):
            return self.by_premium(expiry, right, name, value, side)
        spot = self.spot(self.i)
        synthetic = None
        if spot is not None and None not in (close(nearest(spot), 0), close(nearest(spot), 1)):
            synthetic = nearest(spot) + (close(nearest(spot), 0) - close(nearest(spot), 1)) * self.tick
        money = {"cash": spot, "future": self.spot(self.i, "future"), "synthetic": synthetic}[row.rule["strike_from"]]
        if money is None:
            return None
        atm = nearest(money)
        if name == "steps":
            return listed(atm + value * step)
        if name == "otm":
            return listed(atm + (value if right == 0 else -value) * step)
        if name.startswith("delta"):
            return self.by_delta(expiry, right, e, name, value, side, synthetic)
        if None in (close(atm, 0), close(atm, 1)):
            return None
        straddle = (close(atm, 0) + close(atm, 1)) * self.tick
        if name == "straddle_width":
            return listed(nearest(atm + floor(Fraction(str(value)) * straddle)))
        wanted = floor(straddle * Fraction(str(value)) / 100)
        return self.by_premium(expiry, right, "premium", Fraction(wanted, 100), side)

    def by_premium(self, expiry, right, name, value, side):
        premiums = []
        for strike in sorted(int(k) for k in self.day.strikes):
            last = self.last((expiry, strike, right), self.i)
            if last is not None:
                premiums.append((Fraction(last * self.tick, 100), strike))
        if name == "premium":
            return pick(premiums, lambda x: abs(x - Fraction(value)), expiry, right)
        if name == "premium_range":
            premiums = [one for one in premiums if Fraction(str(value[0])) <= one[0] <= Fraction(str(value[1]))]
            return pick(premiums, lambda x: -x if side < 0 else x, expiry, right)
        if name == "premium_above":
            return pick([one for one in premiums if one[0] >= value], lambda x: x, expiry, right)
        return pick([one for one in premiums if one[0] <= value], lambda x: -x, expiry, right)

    def by_delta(self, expiry, right, e, name, value, side, forward):
        if forward is None:
            return None
        years, deltas = float(self.seen.years[e, self.i]), []
        for strike in sorted(int(k) for k in self.day.strikes):
            last = self.last((expiry, strike, right), self.i)
            delta = None if last is None else delta_of(right, last * self.tick, forward, strike, years)
            if delta is not None:
                deltas.append((delta, strike))
        if name == "delta":
            return pick(deltas, lambda x: abs(x - value), expiry, right)
        deltas = [one for one in deltas if value[0] <= one[0] <= value[1]]
        return pick(deltas, lambda x: -x if side < 0 else x, expiry, right)


def pick(candidates, cost, expiry, right):
    if not candidates:
        return None
    return (expiry, min(candidates, key=lambda one: (cost(one[0]), one[1]))[1], right)


def normal(x):
    return (1 + erf(x / sqrt(2))) / 2


def delta_of(right, premium, forward, strike, years):
    """Delta without its sign by bisection; None where the premium has no volatility."""
    sign = 1 if right == 0 else -1
    if not years > 0 or premium <= max(sign * (forward - strike), 0) or premium >= (forward if right == 0 else strike):
        return None

    def parts(vol):
        deviation = vol * sqrt(years)
        d1 = log(forward / strike) / deviation + deviation / 2
        return d1, sign * (forward * normal(sign * d1) - strike * normal(sign * (d1 - deviation)))

    low, high = 1e-6, 50.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if parts(middle)[1] < premium else (low, middle)
    return normal(sign * parts(high)[0])
