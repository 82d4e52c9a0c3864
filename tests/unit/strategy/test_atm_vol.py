"""Forward, volatility, worth and delta of a straddle against the book, told by the error function and by 80 digits."""

import math

import pytest

from algomaster.core.types import MISSING
from algomaster.strategy.day import day_of
from algomaster.strategy.steps import atm_vol
from algomaster.strategy.steps.contract import instrument_of
from naive import black
from naive.spiky import spiky
from naive.vols import Quotes, call_delta

DAYS = spiky(3, gaps=0.05) + spiky(4)


@pytest.mark.parametrize("chain", DAYS)
def test_every_bar_against_the_plain_telling(chain):
    day = day_of(chain)
    quotes = Quotes(chain, int(chain.expiries[0]), day.years)
    known = 0
    for i in range(chain.ts.size):
        forward = atm_vol.forward_of(day, 0, i)
        assert forward == quotes.forward(i) or (math.isnan(forward) and quotes.forward(i) is None)
        for strike in (1_995_000, 2_000_000, quotes.nearest(i)):
            pair = -1 if strike is None else instrument_of(day, 0, strike, 0)
            if pair < 0:
                continue
            assert atm_vol.expiry_of(day, pair) == 0
            assert atm_vol.strike_of(day, pair) == strike
            assert atm_vol.premium_of(day, pair, i) * day.tick == (quotes.both(strike, i) or MISSING * day.tick)
            vol, expected = atm_vol.vol_of(day, pair, forward, i), quotes.vol(strike, i)
            if expected is None:
                assert math.isnan(vol)
                assert math.isnan(atm_vol.straddle_delta(day, pair, forward, i))
                continue
            known += 1
            assert vol == pytest.approx(expected, rel=1e-9)
            assert atm_vol.straddle_worth(day, pair, forward, 0.2, i) == pytest.approx(
                quotes.usual(strike, 0.2, i), rel=1e-9
            )
            delta = 2 * call_delta(forward, strike, day.years[0, i], expected) - 1
            assert atm_vol.straddle_delta(day, pair, forward, i) == pytest.approx(delta, abs=1e-8)
        nearest = quotes.vol(quotes.nearest(i), i)
        assert atm_vol.vol_at(day, 0, i) == pytest.approx(
            math.nan if nearest is None else nearest, rel=1e-9, nan_ok=True
        )
    assert known > 100


def test_a_straddle_by_80_digits():
    day = day_of(DAYS[1])
    pair = instrument_of(day, 0, 2_000_000, 0)
    for forward, vol in ((2_001_234.0, 0.13), (1_985_000.0, 0.31), (2_000_000.0, 0.08)):
        years = float(day.years[0, 40])
        exact = black.black(1, forward, 2_000_000.0, years, vol) + black.black(-1, forward, 2_000_000.0, years, vol)
        assert atm_vol.straddle_worth(day, pair, forward, vol, 40) == pytest.approx(float(exact), rel=1e-12)


def test_nothing_known_gives_nan():
    day = day_of(DAYS[1])
    pair = instrument_of(day, 0, 2_000_000, 0)
    assert math.isnan(atm_vol.straddle_worth(day, pair, math.nan, 0.2, 5))
    assert math.isnan(atm_vol.straddle_worth(day, pair, 2_000_000.0, math.nan, 5))
    assert math.isnan(atm_vol.vol_of(day, pair, math.nan, 5))
