"""The simulated market: shape, grid, bars, determinism, sessions out of the ordinary."""

import itertools
import os
import subprocess
import sys
from datetime import date

import numpy as np
import pytest

from algomaster.core.errors import ConfigError, FactError
from algomaster.core.types import MISSING
from algomaster.market import facts, simulate
from algomaster.market.simulator import MODELS, MarketModel, start_level


@pytest.fixture(scope="module")
def days():
    return simulate("NIFTY", sessions=5, start="2024-01-01", strikes=41, expiries=2, seed=7)


def test_sessions_expiries_strikes_lots_and_ticks_come_from_the_facts(days):
    assert [day.session for day in days] == [date(2024, 1, d) for d in (1, 2, 3, 4, 5)]
    assert days[0].expiry_dates == [date(2024, 1, 4), date(2024, 1, 11)]
    assert days[4].expiry_dates == [date(2024, 1, 11), date(2024, 1, 18)]
    for day in days:
        assert day.close.shape == (2, 41, 2, 375)
        assert day.first_minute == 555
        assert set(np.diff(day.strikes)) == {5000}
        assert abs(day.strikes[20] - day.spot_open[0]) <= 2500
        assert day.tick == 5
        assert list(day.lot) == [50, 50]
    later = simulate("NIFTY", sessions=1, start="2025-06-02", strikes=3)[0]
    future_tick = facts.tick_paise("NIFTY", on=later.session, segment="future")
    assert future_tick == 10
    assert (later.future % 10 == 0).all()
    assert (days[0].future % 10 == 5).any()
    assert list(later.lot) == [75]


@pytest.mark.parametrize("strikes", [1, 2, 7])
def test_any_number_of_strikes_holds_the_money(strikes):
    day = simulate("BANKNIFTY", sessions=1, start="2023-02-01", strikes=strikes, seed=3)[0]
    assert day.strikes.size == strikes
    nearest = day.strikes[np.argmin(np.abs(day.strikes - day.spot_open[0]))]
    assert abs(nearest - day.spot_open[0]) <= 5000


def test_option_bars_are_ordered_and_quotes_never_cross(days):
    for day in days:
        traded = day.close != MISSING
        assert traded.any()
        assert not traded.all()
        assert (day.bid >= 1).all()
        assert (day.ask > day.bid).all()
        for name in ("open", "high", "low"):
            assert ((getattr(day, name) != MISSING) == traded).all()
        assert (day.volume[~traded] == 0).all()
        assert (day.volume[traded] > 0).all()
        opened, high, low, close = (getattr(day, name)[traded] for name in ("open", "high", "low", "close"))
        assert (low >= 1).all()
        assert (low <= np.minimum(opened, close)).all()
        assert (high >= np.maximum(opened, close)).all()
        assert (high > low).any()
        assert (close >= day.bid[traded]).all()
        assert (close <= day.ask[traded]).all()


def test_index_and_future_bars_are_ordered_and_on_the_grid(days):
    for day in days:
        for prefix in ("spot", "future"):
            opened, high, low = (getattr(day, f"{prefix}_{name}") for name in ("open", "high", "low"))
            close = getattr(day, prefix)
            assert (low <= np.minimum(opened, close)).all()
            assert (high >= np.maximum(opened, close)).all()
            assert (np.concatenate([opened, high, low, close]) % 5 == 0).all()
        carry = (day.future - day.spot) / day.spot
        assert (np.abs(carry) < 0.01).all()
        assert np.ptp(carry) > 0


def test_volume_and_open_interest_are_whole_lots_and_open_interest_moves_with_volume_only(days):
    for day in days:
        lots = day.lot[:, None, None, None]
        assert (day.volume % lots == 0).all()
        assert (day.oi % lots == 0).all()
        assert (day.oi >= 0).all()
        assert (np.abs(np.diff(day.oi, axis=-1)) <= day.volume[..., 1:]).all()


def test_open_interest_gathers_at_round_strikes_builds_up_and_goes_on_where_it_was(days):
    oi = sum(day.oi[0, :, :, -1].sum(axis=1)[day.strikes % 50000 == 0].mean() for day in days)
    odd = sum(day.oi[0, :, :, -1].sum(axis=1)[day.strikes % 10000 == 5000].mean() for day in days)
    assert oi > 2 * odd
    totals = [day.oi[0].sum(axis=(0, 1)) for day in days[:4]]  # one expiry's life
    assert all(total[-1] > total[0] for total in totals)
    for before, after in itertools.pairwise(days[:4]):
        common = np.intersect1d(before.strikes, after.strikes)
        last = before.oi[0, np.isin(before.strikes, common), :, -1].sum()
        first = after.oi[0, np.isin(after.strikes, common), :, 0].sum()
        assert first == pytest.approx(last, rel=0.2)


def test_near_the_money_every_minute_trades_and_only_far_contracts_do_not(days):
    for day in days:
        distance = np.abs(day.strikes[:, None] - day.spot[None, :])
        near = np.broadcast_to((distance <= 10000)[None, :, None, :], day.close.shape)
        untraded = day.close == MISSING
        assert not untraded[near].any()
        share = untraded[0].mean(axis=(1, 2))
        assert share[:5].mean() > 0.2
        assert share[-5:].mean() > 0.2


def test_in_a_thin_market_only_the_money_trades():
    model = MODELS["NIFTY"].model_copy(update={"lots_a_minute": 1e-12})
    day = simulate("NIFTY", sessions=1, start="2024-01-01", strikes=41, seed=7, model=model)[0]
    distance = np.abs(day.strikes[:, None] - day.spot[None, :])
    volume = day.volume[0].transpose(0, 2, 1)
    assert (volume[distance <= 10000] == day.lot[0]).all()
    assert (volume[distance > 30000] == 0).all()


def test_spreads_widen_into_the_money_and_at_the_open(days):
    day = days[0]
    width = (day.ask - day.bid)[0].astype(float)
    assert width[0, 0].mean() > 5 * width[20, 0].mean()
    assert width[-1, 1].mean() > 5 * width[20, 1].mean()
    assert width[15:26, :, :3].mean() > 1.5 * width[15:26, :, 60:120].mean()


def test_volume_is_u_shaped(days):
    volume = sum(day.volume[:, :, :, :].sum(axis=(0, 1, 2)) for day in days)
    middle = volume[150:240].mean()
    assert volume[:15].mean() > 1.5 * middle
    assert volume[-75:].mean() > 1.1 * middle


def test_at_expiry_options_are_quoted_at_their_intrinsic_value(days):
    day = days[3]
    assert day.expiry_dates[0] == day.session
    intrinsic = np.maximum((day.spot[-1] - day.strikes)[:, None] * np.array([1, -1]), 0) / day.tick
    bid, ask = day.bid[0, :, :, -1], day.ask[0, :, :, -1]
    assert (bid <= np.maximum(intrinsic, 1) + 1).all()
    assert (ask >= intrinsic - 1).all()
    outside = intrinsic == 0
    assert (ask[outside] == 2).all()
    assert (bid[outside] == 1).all()


def test_the_same_arguments_give_the_same_bytes_however_many_sessions(days):
    fewer = simulate("NIFTY", sessions=2, start="2024-01-01", strikes=41, expiries=2, seed=7)
    assert [day.fingerprint for day in fewer] == [day.fingerprint for day in days[:2]]
    other = simulate("NIFTY", sessions=1, start="2024-01-01", strikes=41, expiries=2, seed=8)
    assert other[0].fingerprint != days[0].fingerprint


def test_the_index_does_not_depend_on_the_options_asked_for(days):
    narrow = simulate("NIFTY", sessions=2, start=date(2023, 12, 31), strikes=3, seed=7)
    for one, other in zip(narrow, days):
        assert (one.spot == other.spot).all()
        assert (one.vix == other.vix).all()
        assert (one.bid[0] == other.bid[0, 19:22]).all()


_SMALL = "simulate('NIFTY', sessions=2, start='2024-10-31', strikes=3, seed=5)"


def test_the_same_bytes_without_the_jit():
    code = f"from algomaster.market import simulate; d = {_SMALL}; print([x.ts.size for x in d], d.fingerprint)"
    answers = [
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "NUMBA_DISABLE_JIT": off}, capture_output=True, check=True
        ).stdout
        for off in ("0", "1")
    ]
    assert answers[0] == answers[1]
    assert answers[0].startswith(b"[375, 60] ")


def test_an_evening_session_has_its_own_minutes():
    before, evening, after = simulate("NIFTY", sessions=3, start="2024-10-31", strikes=11, seed=5)
    assert (before.ts.size, evening.ts.size, after.ts.size) == (375, 60, 375)
    assert evening.first_minute == 18 * 60
    assert evening.close.shape == (1, 11, 2, 60)
    assert (evening.spot != MISSING).all()


def test_nothing_is_observed_in_a_halt():
    day = simulate("NIFTY", sessions=1, start="2024-03-02", strikes=11, seed=5)[0]
    minutes = day.first_minute + np.arange(day.ts.size)
    halted = (minutes >= 600) & (minutes < 690)
    assert halted.sum() == 90
    for name in ("spot_open", "spot", "future", "vix"):
        assert ((getattr(day, name) == MISSING) == halted).all()
    for name in ("close", "bid", "ask"):
        assert (getattr(day, name)[..., halted] == MISSING).all()
    assert (day.volume[..., halted] == 0).all()
    assert (day.bid[..., ~halted] != MISSING).all()
    assert (np.diff(day.oi[..., halted], axis=-1) == 0).all()


def test_level_model_and_progress():
    done = []
    model = MODELS["NIFTY"].model_copy(update={"variance": 0.04})
    calm = simulate("NIFTY", sessions=2, start="2024-01-01", strikes=3, level=10000, progress=done.append)
    wild = simulate("NIFTY", sessions=2, start="2024-01-01", strikes=3, level=10000, model=model)
    assert done == [1, 2]
    assert calm[0].spot_open[0] == pytest.approx(1_000_000, rel=0.001)
    assert wild[0].vix[0] > 1.3 * calm[0].vix[0]
    assert MODELS["NIFTY"].content_hash()[:12] in calm[0].source
    assert model.content_hash()[:12] in wild[0].source
    assert "seed=0" in calm[0].source


def test_years_apart_work_for_every_underlying_with_a_model():
    for underlying in MODELS:
        for start in ("2016-02-01", "2019-07-01", "2022-05-02", "2026-02-02"):
            day = simulate(underlying, sessions=1, start=start, strikes=5)[0]
            assert day.spot_open[0] == pytest.approx(100 * start_level(underlying, day.session), rel=0.001)
            near = np.abs(day.strikes[:, None] - day.spot) <= day.strike_step[0]
            assert (day.close[0, :, 0][near] != MISSING).all()
            assert (day.bid != MISSING).all()


@pytest.mark.parametrize(
    "wrong",
    [{"sessions": 0}, {"strikes": 0}, {"expiries": 0}, {"seed": -1}, {"level": 0.0}, {"start": "yesterday"}],
)
def test_bad_arguments_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong)) if "start" not in wrong else "isoformat"):
        simulate("NIFTY", **{"sessions": 1, "start": "2024-01-01", "strikes": 3, **wrong})


def test_unknown_ground_is_refused():
    with pytest.raises(ConfigError, match="SENSEX"):
        simulate("SENSEX", sessions=1, start="2024-01-01")
    with pytest.raises(FactError):
        simulate("NIFTY", sessions=1, start="1999-01-01")
    with pytest.raises(FactError, match="level"):
        start_level("NIFTY", date(2030, 1, 1))


def test_a_smile_with_arbitrage_is_refused():
    with pytest.raises(ValueError, match="arbitrage"):
        MarketModel(variance=0.02, jump_sd=0.0, gap_jump_sd=0.0, curvature=1.6)
    with pytest.raises(ValueError, match="arbitrage"):
        MarketModel(variance=0.02, jump_sd=0.0, gap_jump_sd=0.0, skew=-0.9, skew_width=0.2)
