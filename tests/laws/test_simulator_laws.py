"""What holds in every simulated market: no static arbitrage, parity inside the quotes, bars in order."""

import itertools
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from algomaster.core.types import MISSING
from algomaster.market import calendar, clock, facts, simulate
from algomaster.market.simulator import MODELS
from algomaster.market.simulator.quotes import pair_mids
from algomaster.market.simulator.sessions import first_session_state, market_path, market_points

SEEDS = st.integers(0, 2**40)
SESSIONS = st.integers(0, 1500).map(lambda offset: calendar.sessions_from(date(2019, 3, 1) + timedelta(offset), 1)[0])


@st.composite
def models(draw):
    skew = draw(st.floats(-0.8, 0.4))
    width = draw(st.floats(0, 0.95 - abs(skew)))
    curvature = draw(st.floats(0.05, 2 / (1 + abs(skew) + width)))
    update = {"skew": skew, "skew_width": width, "curvature": curvature, "variance": draw(st.floats(0.003, 0.3))}
    return MODELS["NIFTY"].model_copy(update=update)


def mids(underlying, session, seed, model, *, at, moneyness):
    """Calls, puts (E, L), strikes and discounts of three expiries at a point of a session, strikes by moneyness."""
    state = first_session_state(underlying, session.date, level=20_000, seed=seed, model=model)
    path = market_path(underlying, session, None, state=state, seed=seed, model=model)
    expiries = [expiry.date for expiry in facts.next_expiries(underlying, session.date, 3)]
    points = market_points(session, path, expiries, model)
    j = int(at * (path.ts.size - 2))
    out = []
    for e in range(3):
        forward, discount = points.forward[e, j], points.discount[e, j]
        strikes = forward * np.exp(moneyness)
        rows = [pair_mids(forward, k, points.theta[e, j], path.rho[j], model.curvature, discount) for k in strikes]
        out.append((forward, discount, strikes, *np.array(rows).T))
    return out


def assert_no_vertical_or_butterfly_arbitrage(forward, discount, strikes, calls, puts):
    tolerance = 1e-9 * forward
    slopes = np.diff(calls) / np.diff(strikes)
    assert (slopes <= tolerance).all()
    assert (slopes >= -discount - tolerance).all()
    assert (np.diff(slopes) >= -1e-9).all()
    assert (calls >= np.maximum(discount * (forward - strikes), 0) - tolerance).all()
    assert (puts >= np.maximum(discount * (strikes - forward), 0) - tolerance).all()


@settings(deadline=None, max_examples=40)
@given(seed=SEEDS, session=SESSIONS, model=st.one_of(st.sampled_from(list(MODELS.values())), models()),
       at=st.floats(0, 1))  # fmt: skip
def test_mids_admit_no_static_arbitrage(seed, session, model, at):
    moneyness = np.linspace(-0.35, 0.35, 141)
    chain = mids("NIFTY", session, seed, model, at=at, moneyness=moneyness)
    for forward, discount, strikes, calls, puts, _ in chain:
        assert_no_vertical_or_butterfly_arbitrage(forward, discount, strikes, calls, puts)
        np.testing.assert_allclose(calls - puts, discount * (forward - strikes), atol=1e-9 * forward)
    for (*_, nearer), (*_, later) in itertools.pairwise(chain):  # calendar: total variance at equal moneyness grows
        assert (later >= nearer).all()


def test_the_law_notices_a_surface_with_arbitrage():
    session = calendar.session(date(2024, 1, 5))
    broken = MODELS["NIFTY"].model_copy(update={"skew": -0.9, "skew_width": 0.0, "curvature": 6.0})
    forward, discount, strikes, calls, puts, _ = mids(
        "NIFTY", session, 1, broken, at=0.5, moneyness=np.linspace(-0.35, 0.35, 141)
    )[0]
    with pytest.raises(AssertionError):
        assert_no_vertical_or_butterfly_arbitrage(forward, discount, strikes, calls, puts)


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, session=SESSIONS, underlying=st.sampled_from(sorted(MODELS)))
@example(seed=21597107, session=calendar.session(date(2019, 3, 28)), underlying="NIFTY")  # a jump inside a minute
@example(seed=0, session=calendar.session(date(2021, 2, 24)), underlying="NIFTY")
@example(seed=0, session=calendar.session(date(2021, 11, 4)), underlying="BANKNIFTY")
def test_quotes_and_bars_in_every_market(seed, session, underlying):
    day = simulate(underlying, sessions=1, start=session.date, strikes=21, expiries=2, seed=seed)[0]
    quoted = day.bid != MISSING
    assert (day.bid[quoted] >= 1).all()
    assert (day.ask[quoted] > day.bid[quoted]).all()
    traded = day.close != MISSING
    assert (day.volume[traded] > 0).all()
    assert (day.volume[~traded] == 0).all()
    opened, high, low, close = (getattr(day, name)[traded] for name in ("open", "high", "low", "close"))
    assert (low >= 1).all()
    assert (low <= np.minimum(opened, close)).all()
    assert (high >= np.maximum(opened, close)).all()
    assert ((day.bid[traded] <= close) & (close <= day.ask[traded])).all()
    assert (np.abs(np.diff(day.oi, axis=-1)) <= day.volume[..., 1:]).all()
    open_ = day.spot != MISSING
    near = np.abs(day.strikes[:, None] - day.spot[None, :]) <= day.strike_step[0]
    assert traded[0, :, 0][near & open_].all()
    assert traded[0, :, 1][near & open_].all()
    assert_parity_within_the_spread(day, open_, MODELS[underlying].rate)


def assert_parity_within_the_spread(day, open_, rate):
    """One forward fits the quotes of all strikes' synthetic forwards, up to the tick that a bid is lifted to."""
    for e, expiry in enumerate(day.expiry_dates):
        years = clock.t_calendar(day.ts + 60_000_000_000, clock.expiry_ns(expiry))
        discounted = np.exp(-rate * years) * day.strikes[:, None] / day.tick
        bid, ask = day.bid[e].astype(float), day.ask[e].astype(float)
        lowest = (bid[:, 0] - ask[:, 1] + discounted)[:, open_].max(axis=0)
        highest = (ask[:, 0] - bid[:, 1] + discounted)[:, open_].min(axis=0)
        assert (lowest <= highest + 1).all()
