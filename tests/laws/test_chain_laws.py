"""What holds for every chain: parity gives back the market that made it, order and currency do not matter."""

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from algomaster.pricing import Chain, price

LAW = settings(deadline=None, max_examples=60)
markets = st.tuples(
    st.floats(10.0, 1e5), st.floats(-0.03, 0.15), st.floats(-0.03, 0.05), st.floats(0.08, 0.6), st.floats(0.02, 2.0)
)


def quotes(spot, rate, dividend, vol, t, *, spread=1e-4):
    forward = spot * np.exp((rate - dividend) * t)
    strikes = forward * np.exp(np.linspace(-2.0, 2.0, 21) * vol * np.sqrt(t))
    right = np.repeat(["CE", "PE"], strikes.size)
    strikes = np.tile(strikes, 2)
    mid = price(right, spot, strikes, t, vol, rate=rate, dividend=dividend)
    half = 0.5 * spread * spot
    frame = {"right": right, "strike": strikes, "t": np.full(strikes.size, t), "bid": mid - half, "ask": mid + half}
    return pl.DataFrame(frame), forward


@LAW
@given(markets)
def test_parity_finds_forward_rate_and_volatility_of_a_market_without_noise(market):
    frame, forward = quotes(*market)
    chain = Chain.from_frame(frame, rate=market[1]).implied_vols()
    np.testing.assert_allclose(chain.forward, forward, rtol=1e-11)
    felt = (chain.status == 0) & (np.abs(np.log(chain.strike / forward)) < market[3] * np.sqrt(market[4]))
    assert felt.any()
    np.testing.assert_allclose(chain.vol[felt], market[3], rtol=1e-7)
    free = Chain.from_frame(frame)
    if free.forwards.rate_from[0] == "box":
        assert abs(free.rate[0] - market[1]) < 1e-9 + 1e-9 / market[4]
    else:  # a box that does not pin the rate down says so, and its error says why
        assert free.rate[0] == 0.0


@LAW
@given(markets, st.integers(0, 10**6))
def test_the_order_of_rows_does_not_matter(market, seed):
    frame, _ = quotes(*market, spread=0.01)
    mixed = frame.sample(fraction=1.0, shuffle=True, seed=seed)
    one, other = (Chain.from_frame(f).implied_vols() for f in (frame, mixed))
    np.testing.assert_array_equal(one.forward, other.forward)
    np.testing.assert_array_equal(one.discount, other.discount)
    key = ["strike", "right"]
    assert one.to_frame().sort(key).select("vol", "status").equals(other.to_frame().sort(key).select("vol", "status"))


@LAW
@given(markets, st.integers(-20, 20))
def test_the_currency_does_not_matter(market, power):
    frame, _ = quotes(*market, spread=0.005)
    scaled = frame.with_columns(pl.col("strike", "bid", "ask") * 2.0**power)
    one, other = (Chain.from_frame(f).implied_vols() for f in (frame, scaled))
    np.testing.assert_array_equal(one.forward * 2.0**power, other.forward)
    np.testing.assert_array_equal(one.rate, other.rate)
    np.testing.assert_array_equal(one.vol, other.vol)


@LAW
@given(markets, st.integers(0, 20), st.floats(-0.5, 0.5))
def test_one_wrong_price_moves_the_forward_less_than_a_spread(market, place, share):
    frame, forward = quotes(*market, spread=0.002)
    wrong = frame.with_row_index().with_columns(
        pl.when(pl.col("index") == place).then(pl.col(side) + share * market[0]).otherwise(side).alias(side)
        for side in ("bid", "ask")
    )
    chain = Chain.from_frame(wrong, rate=market[1])
    assert abs(chain.forward[0] - forward) < 0.002 * market[0] * np.exp(abs(market[1]) * market[4])
