"""Black-76 with the error function and bisection: what the strategies' volatilities are told by."""

from math import erfc, log, sqrt

from algomaster.core.types import MISSING


def normal(x):
    return erfc(-x / sqrt(2)) / 2


def call_delta(forward, strike, years, vol):
    spread = vol * sqrt(years)
    return normal(log(forward / strike) / spread + spread / 2)


def option(right, forward, strike, years, vol):
    spread = vol * sqrt(years)
    d1 = log(forward / strike) / spread + spread / 2
    return right * (forward * normal(right * d1) - strike * normal(right * (d1 - spread)))


def straddle(forward, strike, years, vol):
    return option(1, forward, strike, years, vol) + option(-1, forward, strike, years, vol)


def implied(right, price, forward, strike, years):
    """Volatility of an option out of the money, None where there is none."""
    if not (0 < price < min(forward, strike) and years > 0):
        return None
    low, high = 0.0, 10.0 / sqrt(years)
    for _ in range(70):
        middle = (low + high) / 2
        if option(right, forward, strike, years, middle) < price:
            low = middle
        else:
            high = middle
    return (low + high) / 2


class Quotes:
    """Closes of one expiry of one session, by strike in paise."""

    def __init__(self, day, expiry, years):
        self.day, self.expiry, self.years = day, expiry, years
        self.e = list(day.expiries).index(expiry)

    def close(self, strike, right, i):
        """Paise, None without a trade or a contract."""
        if strike not in list(self.day.strikes):
            return None
        ticks = int(self.day.close[self.e, list(self.day.strikes).index(strike), right, i])
        return None if ticks == MISSING else ticks * self.day.tick

    def both(self, strike, i):
        pair = [self.close(strike, right, i) for right in (0, 1)]
        return None if None in pair else sum(pair)

    def nearest(self, i):
        """Strike nearest to the index, None without the index."""
        if self.day.spot[i] == MISSING:
            return None
        step = int(self.day.strike_step[self.e])
        return (2 * int(self.day.spot[i]) + step) // (2 * step) * step

    def forward(self, i):
        strike = self.nearest(i)
        if strike is None or self.both(strike, i) is None:
            return None
        return strike + self.close(strike, 0, i) - self.close(strike, 1, i)

    def vol(self, strike, i):
        """Volatility of the strike's option out of the money."""
        forward = self.forward(i)
        if forward is None or strike is None:
            return None
        call = strike >= forward
        price = self.close(strike, 0 if call else 1, i)
        return None if price is None else implied(1 if call else -1, price, forward, strike, self.years[self.e, i])

    def usual(self, strike, vol, i):
        """What the straddle would cost at a volatility."""
        forward = self.forward(i)
        if forward is None or not vol or not self.years[self.e, i] > 0:
            return None
        return straddle(forward, strike, self.years[self.e, i], vol)
