"""Columns of the chain against ``pricing`` and ``market.open_interest``, given the same forward, rate and time."""

import numpy as np
import polars as pl
import pytest

from algomaster import features, market, pricing
from algomaster.core.types import MINUTE_NS
from chain_sessions import simulated

RATE = 0.065
MINUTES = (5, 120, 300)


@pytest.fixture(scope="module")
def day():
    return simulated(1, strikes=61, expiries=3)[0]


@pytest.fixture(scope="module")
def rows(day):
    return features.chain_inputs(day)


def quotes(day, row, i, expiry=0):
    """The prices of one expiry in a frame, in the order of strikes, call before put; t by trading time."""
    bid, ask, close = (
        getattr(day, name)[expiry, :, :, i].ravel() * (day.tick / 100) for name in ("bid", "ask", "close")
    )
    price = np.where((bid > 0) & (ask >= bid), (bid + ask) / 2, np.where(close > 0, close, np.nan))
    return pl.DataFrame(
        {
            "strike": np.repeat(day.strikes / 100, 2),
            "right": ["CE", "PE"] * day.strikes.size,
            "t": np.full(price.size, row["t_near" if expiry == 0 else "t_next"]),
            "price": price,
            "oi": day.oi[expiry, :, :, i].ravel().astype(float),
        }
    )


def chain_of(frame, row):
    return pricing.Chain.from_frame(frame, spot=row["chain_level"], forward=row["forward"], rate=RATE)


@pytest.mark.parametrize("i", MINUTES)
def test_open_interest_is_that_of_market(day, rows, i):
    told = market.open_interest(day).series
    row = rows.row(i, named=True)
    moment = pl.from_epoch(pl.Series([int(day.ts[i]) + MINUTE_NS]), "ns").dt.replace_time_zone("UTC")[0]
    theirs = told.filter(ts=moment, expiry=day.expiry_dates[0]).row(0, named=True)
    assert row["pcr_oi"] == theirs["pcr_oi"]
    assert row["pcr_vol"] == theirs["pcr_volume"]
    assert row["max_pain"] == theirs["max_pain"]
    assert (row["oi_c"], row["oi_p"]) == (theirs["call_oi"], theirs["put_oi"])


@pytest.mark.parametrize("i", MINUTES)
def test_volatilities_are_those_of_a_chain_to_the_bit(day, rows, i):
    row = rows.row(i, named=True)
    found = chain_of(quotes(day, row, i), row).implied_vols()
    below, above = (found.strike < row["forward"]), (found.strike >= row["forward"])
    put = np.flatnonzero(below & (found.right < 0))[-1]
    call = np.flatnonzero(above & (found.right > 0))[0]
    x = np.log(found.strike[[put, call]] / row["forward"])
    pair = found.vol[[put, call]]
    assert row["iv_near"] == pytest.approx(pair[0] + (pair[1] - pair[0]) * -x[0] / (x[1] - x[0]), rel=1e-14)
    # with the forward at a strike nothing is interpolated: the same bits
    moved = {**row, "forward": float(found.strike[call])}
    again = chain_of(quotes(day, moved, i), moved).implied_vols().vol[call]
    assert again == implied_alone(day, i, call // 2, moved)


def implied_alone(day, i, k, row):
    """Volatility of one strike's call by the kernel that the columns use."""
    from algomaster.core.jit import python_of
    from algomaster.features.kernels.snapshot_arrays import room_for, work_in
    from algomaster.features.kernels.snapshot_prices import imply

    work = python_of(work_in)(*room_for(day.strikes.size))
    tick = day.tick / 100
    work.calls[:] = (day.bid[0, :, 0, i] * tick + day.ask[0, :, 0, i] * tick) / 2
    discount = float(np.exp(-RATE * row["t_near"]))
    python_of(imply)(day.strikes / 100.0, work, row["forward"], row["t_near"], discount, k, k + 1)
    return work.vol[k]


@pytest.mark.parametrize("i", MINUTES)
def test_exposures_are_those_of_pricing(day, rows, i):
    row = rows.row(i, named=True)
    frame = quotes(day, row, i)
    discount = np.exp(-RATE * row["t_near"])
    call, put = frame["price"].to_numpy()[::2], frame["price"].to_numpy()[1::2]
    carried = discount * (row["forward"] - day.strikes / 100)
    out = np.where(carried > 0, put, call)  # of each strike the option out of the money, the other by parity
    prices = np.stack([np.where(carried > 0, out + carried, out), np.where(carried > 0, out, out - carried)], axis=1)
    found = pricing.exposure(chain_of(frame.with_columns(price=prices.ravel()), row), oi_unit="units")
    assert row["gex_net"] == pytest.approx(found.gex, rel=1e-8)
    assert row["dex_net"] == pytest.approx(found.dex, rel=1e-8)
    assert row["gex_flip"] == pytest.approx(found.flip, rel=1e-9)
    assert row["max_pain"] == found.max_pain
    assert row["pcr_oi"] == found.pcr
    gross = pricing.exposure(chain_of(frame.with_columns(price=prices.ravel()), row), oi_unit="units", sign="gross")
    for name, grid in (("vanna_net", "vex"), ("charm_net", "chex")):
        sizes = np.nansum(np.abs(gross.grids[grid]))  # both rights of a strike have the same sign of both
        assert row[name] == pytest.approx(np.nansum(gross.grids[grid]) / sizes, abs=2e-3)


@pytest.mark.parametrize("i", MINUTES)
def test_the_straddle_has_the_greeks_of_a_chain(day, rows, i):
    row = rows.row(i, named=True)
    found = chain_of(quotes(day, row, i), row).greeks(by="spot")
    k = int(np.argmin(np.abs(found.price[::2] - found.price[1::2])))
    pair = slice(2 * k, 2 * k + 2)
    premium = found.price[pair].sum()
    assert row["straddle_atm"] == premium
    assert row["atm_gamma"] == pytest.approx(
        found.sensitivities.gamma[pair].sum() * row["chain_level"] ** 2 * 0.01 / premium, rel=1e-3
    )
    assert row["atm_vega"] == pytest.approx(found.sensitivities.vega[pair].sum() / premium, rel=1e-3)
    assert row["atm_theta"] == pytest.approx(found.sensitivities.theta[pair].sum() / (252 * 375), rel=1e-3)


@pytest.mark.parametrize("i", MINUTES)
def test_the_forward_is_that_of_a_chain(day, rows, i):
    row = rows.row(i, named=True)
    theirs = pricing.Chain.from_frame(quotes(day, row, i), rate=RATE)
    assert row["forward"] == pytest.approx(theirs.forward[0], rel=2e-5)


@pytest.mark.parametrize("i", MINUTES)
def test_the_smile_is_that_of_a_fitted_surface(day, rows, i):
    row = rows.row(i, named=True)
    told = pricing.smile_measures(chain_of(quotes(day, row, i), row).surface("svi")).row(0, named=True)
    assert row["iv_near"] == pytest.approx(told["atm_vol"], abs=1e-3)
    assert row["rr_25d"] == pytest.approx(told["risk_reversal_25"], abs=2e-3)
    assert row["bf_25d"] == pytest.approx(told["butterfly_25"], abs=1e-3)
    # the parabola's slope is that of five strikes to either side, about a deviation wide here
    assert row["skew_slope"] * row["iv_near"] == pytest.approx(told["slope"], rel=0.12)
    assert row["smile_curv"] == pytest.approx(told["curvature"], rel=0.2)


def test_the_month_lies_between_expiries():
    """Weekly expiries reach beyond 21 sessions: total variance is interpolated, as ``pricing`` does in time."""
    day = simulated(1, strikes=41, expiries=6)[0]
    row = features.snapshot_row(day, 200)
    frames = []
    for e in range(6):
        after = features.chain_rows._minutes_after(day.session, int(day.expiries[e]))
        t = (after + 375 - 201) / (252 * 375)
        frames.append(quotes(day, {"t_near": t, "t_next": t}, 200, e))
    told = pricing.Chain.from_frame(pl.concat(frames), spot=row["chain_level"], rate=RATE).surface("svi")
    w = np.asarray(told.derivatives(0.0, 21 / 252)[0])
    assert row["iv_month"] == pytest.approx(float(np.sqrt(w / (21 / 252))), abs=2e-3)


def test_atr_in_the_theta_ratio_is_that_of_ta_lib(day, rows):
    talib = pytest.importorskip("talib")
    found = features.compute(rows, ["atm_theta_ratio"])["atm_theta_ratio"].to_numpy()
    span = talib.ATR(rows["high"].to_numpy(), rows["low"].to_numpy(), rows["close"].to_numpy(), 14)
    expected = np.abs(rows["atm_theta"].to_numpy()) / span
    np.testing.assert_allclose(found, expected, rtol=1e-12)
