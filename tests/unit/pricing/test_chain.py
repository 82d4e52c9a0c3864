"""A chain from a table: what is read, what is refused, what comes back."""

from datetime import date, datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest

from algomaster.core.errors import PricingError
from algomaster.pricing import Chain, greeks, implied_vol, price

STRIKES = np.arange(80.0, 125.0, 5.0)
YEARS = (0.1, 0.5)
RATE = 0.06
SMILE = 0.2


def quotes(*, spread: float = 0.02, spot: float = 100.0, rate: float = RATE, years: tuple[float, ...] = YEARS):
    rows = [
        (right, strike, t, price(right, spot, strike, t, SMILE, rate=rate))
        for t in years
        for strike in STRIKES
        for right in ("CE", "PE")
    ]
    frame = pl.DataFrame(rows, schema=["right", "strike", "t", "mid"], orient="row")
    half = spread / 2
    return frame.select("right", "strike", "t", bid=pl.col("mid") - half, ask=pl.col("mid") + half, oi=pl.lit(10.0))


def test_forwards_rates_and_vols_of_a_clean_chain():
    chain = Chain.from_frame(quotes(), spot=100.0).implied_vols().greeks(order=1)
    np.testing.assert_allclose(chain.years, YEARS)
    np.testing.assert_allclose(chain.forward, 100.0 * np.exp(RATE * np.array(YEARS)), rtol=1e-9)
    np.testing.assert_allclose(chain.discount, np.exp(-RATE * np.array(YEARS)), rtol=1e-9)
    assert chain.forwards.forward_from == ("parity", "parity")
    liquid = (chain.status == 0) & (chain.sensitivities.vega > 1.0)
    assert liquid.sum() > 15
    np.testing.assert_allclose(chain.vol[liquid], SMILE, atol=1e-8)


def test_the_chain_path_is_the_array_path_to_the_bit():
    chain = Chain.from_frame(quotes(spread=0.1)).greeks()
    forward, rate = chain.forward[chain.expiry], chain.rate[chain.expiry]
    found = implied_vol(chain.price, chain.right, None, chain.strike, chain.t, rate=rate, forward=forward)
    np.testing.assert_array_equal(chain.vol, found.vol)
    np.testing.assert_array_equal(chain.status, found.status)
    every = greeks(chain.right, None, chain.strike, chain.t, chain.vol, rate=rate, forward=forward)
    for name in ("price", "delta", "gamma", "vega", "theta", "rho"):
        np.testing.assert_array_equal(getattr(chain.sensitivities, name), getattr(every, name))
    for i in range(0, chain.strike.size, 7):
        one = implied_vol(
            chain.price[i], chain.right[i], None, chain.strike[i], chain.t[i], rate=rate[i], forward=forward[i]
        )
        assert (one.status, one.vol) == (chain.status[i], chain.vol[i]) or np.isnan(one.vol)


def test_columns_in_columns_out_in_the_same_kind_and_order():
    frame = quotes().sample(fraction=1.0, shuffle=True, seed=3).with_columns(mark=pl.int_range(pl.len()))
    out = Chain.from_frame(frame).greeks().to_frame()
    assert out.select(frame.columns).equals(frame)
    assert {"price", "forward", "discount", "vol", "status", "delta", "rho"} <= set(out.columns)
    in_pandas = frame.to_pandas().set_index(pd.Index(range(100, 100 + frame.height)))
    other = Chain.from_frame(in_pandas).greeks().to_frame()
    assert other.index.equals(in_pandas.index)
    as_dict = Chain.from_frame({name: frame[name].to_numpy() for name in frame.columns}).greeks().to_frame()
    for name in ("price", "forward", "vol", "status", "delta"):
        np.testing.assert_array_equal(other[name].to_numpy(), out[name].to_numpy())
        np.testing.assert_array_equal(as_dict[name], out[name].to_numpy())


@pytest.mark.parametrize(
    "expiries",
    [
        ["2025-08-28", "2025-09-25"],
        [date(2025, 8, 28), date(2025, 9, 25)],
        [datetime(2025, 8, 28, 15, 30), datetime(2025, 9, 25, 15, 30)],
        [datetime(2025, 8, 28), datetime(2025, 9, 25)],
        np.array(["2025-08-28", "2025-09-25"], "datetime64[D]"),
        pd.to_datetime(["2025-08-28 10:00Z", "2025-09-25 10:00Z"]),
        pl.Series(["2025-08-28", "2025-09-25"]).str.to_date(),
    ],
)
def test_expiries_in_every_spelling_are_the_same_time(expiries):
    listed = {"strike": [100.0, 100.0], "right": ["CE", "CE"], "price": [3.0, 4.0], "expiry": expiries}
    chain = Chain.from_frame(listed, at="2025-08-21 15:30", spot=100.0)
    np.testing.assert_allclose(chain.years, [7 / 365, 35 / 365], rtol=1e-14)
    assert chain.labels == ("2025-08-28", "2025-09-25")


def test_the_moment_knows_zones():
    frame = {"strike": [100.0], "right": ["CE"], "price": [3.0], "expiry": ["2025-08-28"]}
    india = Chain.from_frame(frame, at="2025-08-27 15:30")
    assert india.years[0] == pytest.approx(1 / 365, rel=1e-14)
    utc = Chain.from_frame(frame, at="2025-08-27 10:00+00:00")
    new_york = Chain.from_frame(frame, at="2025-08-27 16:00", zone="America/New_York", expiry_time="16:00")
    assert utc.years[0] == india.years[0] == new_york.years[0]


def test_time_given_beside_the_expiry_is_the_time():
    frame = {"strike": [1.0, 2.0], "right": ["c", "c"], "price": [1.0, 1.0], "expiry": ["2025-09-25", "2025-08-28"]}
    chain = Chain.from_frame({**frame, "t": [0.3, 0.1]})
    assert chain.labels == ("2025-08-28", "2025-09-25")
    np.testing.assert_array_equal(chain.years, [0.1, 0.3])
    np.testing.assert_array_equal(chain.expiry, [1, 0])


def test_a_price_column_stands_and_a_market_with_one_side_has_no_middle():
    sides = {"strike": [90.0, 95.0, 100.0], "right": ["PE"] * 3, "t": [0.1] * 3, "bid": [0.0, 2.0, 5.0]}
    chain = Chain.from_frame({**sides, "ask": [1.0, 1.5, 5.5]})
    np.testing.assert_array_equal(chain.price, [np.nan, np.nan, 5.25])
    assert np.isnan(chain.bid[0])
    assert Chain.from_frame({**sides, "ask": [1.0, 1.5, 5.5], "price": [1, 2, 3]}).price.tolist() == [1.0, 2.0, 3.0]


def test_without_a_pair_the_forward_is_the_spot_grown():
    frame = quotes().filter(right="CE")
    chain = Chain.from_frame(frame, spot=100.0, rate=0.05, dividend=0.01)
    np.testing.assert_allclose(chain.forward, 100.0 * np.exp(0.04 * np.array(YEARS)), rtol=1e-15)
    assert chain.forwards.forward_from == ("spot", "spot")
    blind = Chain.from_frame(frame).greeks()
    assert np.isnan(blind.forward).all()
    assert np.isnan(blind.vol).all()
    assert (blind.status != 0).all()


def test_what_is_given_stands():
    chain = Chain.from_frame(quotes(), forward=[101.0, 104.0], rate=0.03)
    np.testing.assert_array_equal(chain.forward, [101.0, 104.0])
    np.testing.assert_array_equal(chain.rate, [0.03, 0.03])
    assert chain.forwards.forward_from == ("given", "given")
    frame = quotes().with_columns(forward=pl.lit(102.0), discount=pl.lit(0.99))
    by_column = Chain.from_frame(frame)
    np.testing.assert_array_equal(by_column.forward, [102.0, 102.0])
    np.testing.assert_allclose(by_column.discount, 0.99, rtol=1e-15)


def test_one_wild_quote_does_not_move_the_forward():
    frame = quotes()
    wild = frame.with_columns(
        bid=pl.when((pl.col("strike") == 105) & (pl.col("right") == "PE")).then(pl.col("bid") + 3).otherwise("bid"),
        ask=pl.when((pl.col("strike") == 105) & (pl.col("right") == "PE")).then(pl.col("ask") + 3).otherwise("ask"),
    )
    np.testing.assert_allclose(
        Chain.from_frame(wild, rate=RATE).forward, Chain.from_frame(frame, rate=RATE).forward, rtol=1e-9
    )


def test_wide_quotes_pin_no_rate_down():
    chain = Chain.from_frame(quotes(spread=0.5, years=(0.1,)))
    assert chain.forwards.rate_from == ("none",)
    assert chain.rate[0] == 0.0
    assert chain.forwards.forward_error[0] > 0.01


def test_greeks_by_spot_are_those_of_black_scholes():
    chain = Chain.from_frame(quotes(), spot=100.0).greeks(by="spot")
    true = greeks(chain.right, 100.0, chain.strike, chain.t, SMILE, rate=RATE)
    liquid = (chain.status == 0) & (true.vega > 1.0)
    np.testing.assert_allclose(chain.sensitivities.delta[liquid], true.delta[liquid], atol=1e-7)
    np.testing.assert_allclose(chain.sensitivities.rho[liquid], true.rho[liquid], rtol=1e-6)
    with pytest.raises(PricingError, match="no spot"):
        Chain.from_frame(quotes()).greeks(by="spot")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda f: f.drop("strike"), "lacking strike"),
        (lambda f: f.drop("t"), "lacking t or expiry"),
        (lambda f: f.drop("bid"), "lacking price or bid and ask"),
        (lambda f: f.drop("bid").rename({"ask": "ltp"}), "Rename ltp"),
        (lambda f: f.head(0), "without rows"),
        (lambda f: pl.concat([f, f.head(1)]), "several of 0.1000 y 80 CE"),
        (lambda f: f.with_columns(strike=pl.lit(None, pl.Float64)), "strike: expected one in every row"),
        (lambda f: f.with_columns(right=pl.lit(None, pl.String)), "right: expected one in every row"),
        (lambda f: f.with_columns(t=pl.lit(float("nan"))), "t: expected one in every row"),
        (lambda f: f.drop("t").with_columns(expiry=pl.lit("2025-08-28")), "at: expected the moment"),
    ],
)
def test_what_is_refused(change, told):
    with pytest.raises(ValueError, match=told):
        Chain.from_frame(change(quotes()))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"spot": -1.0}, "spot: expected one positive number"),
        ({"forward": 0.0}, "forward: expected positive"),
        ({"forward": [1.0, 2.0, 3.0]}, "one for each of 2 expiries"),
        ({"rate": np.nan}, "rate: expected a number"),
    ],
)
def test_settings_that_are_refused(settings, told):
    with pytest.raises(ValueError, match=told):
        Chain.from_frame(quotes(), **settings)


def test_texts_that_are_no_date_and_things_that_are_no_table():
    frame = {"strike": [100.0], "right": ["CE"], "price": [3.0], "expiry": ["soon"]}
    with pytest.raises(ValueError, match="expiry: expected a date"):
        Chain.from_frame(frame, at="2025-08-27")
    with pytest.raises(ValueError, match="at: expected a date"):
        Chain.from_frame({**frame, "expiry": ["2025-08-28"]}, at="now")
    with pytest.raises(ValueError, match="expiry_time"):
        Chain.from_frame({**frame, "expiry": ["2025-08-28"]}, at="2025-08-27", expiry_time="late")
    with pytest.raises(ValueError, match="expiry: expected a date"):
        Chain.from_frame({**frame, "expiry": [None]}, at="2025-08-27")
    with pytest.raises(TypeError, match="DataFrame or a dict"):
        Chain.from_frame([1, 2, 3])


def test_its_tables_can_be_read():
    chain = Chain.from_frame(quotes()).greeks()
    assert "36 (33 with a price)" in repr(chain)
    assert "<table>" in chain._repr_html_()
    table = chain.forward_table()  # pairs: strikes within 2.5 straddles whose two sides both have quotes
    assert table.height == 2
    assert table["pairs"].to_list() == [5, 9]
