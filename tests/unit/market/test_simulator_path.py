"""What a trader would recognise in the index path and the volatility index."""

from datetime import date
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest

from algomaster.market import calendar, clock
from algomaster.market.simulator import MODELS
from algomaster.market.simulator.sessions import POINTS, first_session_state, market_path, market_points
from algomaster.market.simulator.surface import surface_params, volatility_index
from shared_data import shared_path


class Years(NamedTuple):
    closes: np.ndarray
    gaps: np.ndarray
    gap_years: np.ndarray
    gap_variance: np.ndarray
    minutes: np.ndarray
    ranges: np.ndarray
    vix: np.ndarray
    dates: list[date]


def walk_years(underlying="NIFTY", *, start=date(2014, 1, 1), sessions=600, seed=0, model=None) -> Years:
    model = model or MODELS[underlying]
    schedule = calendar.sessions_from(start, sessions)
    state = first_session_state(underlying, schedule[0].date, level=10_000, seed=seed, model=model)
    before, closes, gaps, gap_years, gap_variance, minutes, ranges, vix = None, [], [], [], [], [], [], []
    last = None
    for session in schedule:
        path = market_path(underlying, session, before, state=state, seed=seed, model=model)
        if last is not None:
            gaps.append(np.log(path.spot[0] / last.spot[-1]))
            gap_years.append(float(clock.t_business(before.close_ns, int(path.ts[0]))))
            gap_variance.append(last.variance[-1])
        closes.append(path.spot[-1])
        if session.minutes == 375 and not session.halts:
            bars = path.spot.reshape(375, POINTS)
            minutes.append(np.diff(np.log(bars[:, -1]), prepend=np.log(bars[0, 0])))
            ranges.append(np.log(bars.max(axis=1) / bars.min(axis=1)).mean() / minutes[-1][1:].std())
        index = np.empty(1)
        ends = (path.variance[-1:].copy(), path.level[-1:].copy(), path.rho[-1:].copy())
        volatility_index(*ends, surface_params(model), index)
        vix.append(index[0])
        before, last = session, path
    dates = [session.date for session in schedule]
    return Years(*map(np.array, (closes, gaps, gap_years, gap_variance, minutes, ranges, vix)), dates)


@pytest.fixture(scope="module")
def years():
    return walk_years()


def kurtosis(x):
    return np.mean((x - x.mean()) ** 4) / np.var(x) ** 2


def test_returns_have_fat_tails(years):
    assert kurtosis(np.diff(np.log(years.closes))) > 3.3
    assert kurtosis(years.minutes.ravel()) > 6


def test_without_jumps_and_with_steady_volatility_days_are_normal():
    model = MODELS["NIFTY"].model_copy(update={"jump_rate": 0.0, "slow_sd": 0.0, "fast_sd": 0.0})
    plain = walk_years(model=model)
    assert kurtosis(np.diff(np.log(plain.closes))) == pytest.approx(3, abs=0.6)  # s.e. sqrt(24 / 600) = 0.2
    # the clock counts 1 a year on average, so the year's variance is the model's; s.e. of the mean square: 6 %
    yearly = np.square(np.diff(np.log(plain.closes))).sum() / ((plain.dates[-1] - plain.dates[0]).days / 365)
    assert yearly == pytest.approx(model.variance, rel=0.2)


def test_the_day_is_u_shaped(years):
    by_minute = np.square(years.minutes).mean(axis=0)
    noon = by_minute[120:225].mean()
    assert by_minute[:15].mean() > 4 * noon
    assert by_minute[-75:-15].mean() > 1.2 * noon


def test_nights_move_the_index_by_the_business_clock_and_longer_ones_more():
    model = MODELS["NIFTY"].model_copy(update={"jump_rate": 0.0, "drift": 0.0})
    years = walk_years(sessions=1200, model=model)
    normal = years.gaps / np.sqrt(years.gap_variance * years.gap_years)
    assert np.mean(normal**2) == pytest.approx(1, abs=4 * np.sqrt(2 / normal.size))
    days = np.diff([day.toordinal() for day in years.dates])
    squared = years.gaps**2 / years.gap_variance
    assert squared[days >= 3].mean() > squared[days == 1].mean()
    session = np.square(years.minutes).sum(axis=1).mean()
    assert 0.15 < np.mean(years.gaps**2) / (np.mean(years.gaps**2) + session) < 0.45


def test_gap_jumps_are_larger_than_jumps_within_a_session():
    quiet = {"variance": 1e-4, "jump_rate": 2000.0, "slow_sd": 0.0, "fast_sd": 0.0, "jump_feedback": 0.0}
    model = MODELS["NIFTY"].model_copy(update=quiet)
    years = walk_years(sessions=150, model=model)
    within = years.minutes[np.abs(years.minutes) > 0.002]
    nights = years.gaps[np.abs(years.gaps) > 0.002]
    assert within.size > 100
    assert nights.size > 50
    assert nights.std() > 1.5 * within.std()


def test_volatility_rises_when_the_index_falls(years):
    returns, changes = np.diff(np.log(years.closes)), np.diff(np.log(years.vix))
    assert np.corrcoef(returns, changes)[0, 1] < -0.45


def test_volatility_clusters_and_comes_back(years):
    level = np.log(np.square(years.minutes).sum(axis=1))
    assert np.corrcoef(level[:-1], level[1:])[0, 1] > 0.5
    assert np.corrcoef(level[:-120], level[120:])[0, 1] < 0.5


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_volatility_index_stays_in_a_plausible_band(seed):
    vix = walk_years(sessions=250, seed=seed).vix
    assert vix.min() > 7
    assert vix.max() < 60
    assert 10 < vix.mean() < 26


def test_the_volatility_index_of_a_flat_surface_is_its_volatility():
    flat = {
        "variance": 0.0225, "variance_premium": 1.0, "jump_rate": 0.0, "slow_sd": 0.0, "fast_sd": 0.0,
        "curvature": 1e-6, "skew": 0.0, "skew_width": 0.0,
    }  # fmt: skip
    assert walk_years(sessions=2, model=MODELS["NIFTY"].model_copy(update=flat)).vix == pytest.approx(15, rel=1e-4)


def test_options_lose_time_value_through_the_day_and_overnight():
    model = MODELS["NIFTY"].model_copy(update={"jump_rate": 0.0, "slow_sd": 0.0, "fast_sd": 0.0})
    friday, monday = calendar.sessions_from(date(2024, 1, 5), 2)
    state = first_session_state("NIFTY", friday.date, level=21_700, seed=0, model=model)
    expiry = [date(2024, 1, 11)]
    first = market_path("NIFTY", friday, None, state=state, seed=0, model=model)
    theta = [market_points(friday, first, expiry, model).theta[0]]
    second = market_path("NIFTY", monday, friday, state=state, seed=0, model=model)
    theta.append(market_points(monday, second, expiry, model).theta[0])
    assert (np.diff(np.concatenate(theta)) < 0).all()
    night = theta[0][-1] - theta[1][0]
    assert night > 0.2 * (theta[0][0] - theta[0][-1])


def test_points_spread_over_the_minute():
    session = calendar.session(date(2024, 1, 5))
    state = first_session_state("NIFTY", session.date, level=21_700, seed=0, model=MODELS["NIFTY"])
    path = market_path("NIFTY", session, None, state=state, seed=0, model=MODELS["NIFTY"])
    seconds = (path.ts - session.open_ns) / 1e9
    assert seconds[0] == 1
    assert seconds[POINTS - 1] == 60
    assert seconds[-1] == 375 * 60
    assert np.diff(seconds).max() < 12


def half_hours(minutes):
    """Share of the day's variance in each half hour but the first, (11,); its opening minute holds the pre-open."""
    squares = np.square(minutes[:, 30:360]).mean(axis=0).reshape(11, 30).sum(axis=1)
    return squares / squares.sum()


@pytest.fixture(scope="module")
def real():
    """NIFTY minutes of 2013-2017: closes, gaps, minute returns and ranges of whole days."""
    frame = pl.read_parquet(shared_path("data", "nse_index_minute", "NIFTY_1min_2013_2017_barEnd.parquet"))
    frame = frame.unique("ts").sort("ts").with_columns(minute=pl.col("ts").dt.hour() * 60.0 + pl.col("ts").dt.minute())
    frame = frame.filter(pl.col("minute").is_between(556, 930)).with_columns(day=pl.col("ts").dt.date())
    days = [rows for (_,), rows in frame.group_by("day", maintain_order=True) if rows.height == 375]
    closes = np.array([rows["close"][-1] for rows in days])
    dates = [rows["day"][0] for rows in days]
    adjacent = np.diff([day.toordinal() for day in dates]) <= 4
    gaps = np.log(np.array([rows["open"][0] for rows in days])[1:] / closes[:-1])[adjacent]
    returns = np.diff(np.log(closes))[adjacent]
    minutes = np.array([np.diff(np.log(rows["close"].to_numpy()), prepend=np.log(rows["open"][0])) for rows in days])
    ranges = np.array([np.log(rows["high"].to_numpy() / rows["low"].to_numpy()).mean() for rows in days])
    return returns, gaps, minutes, ranges / minutes[:, 1:].std(axis=1)


@pytest.fixture(scope="module")
def simulated():
    return [walk_years(start=date(2013, 1, 1), sessions=1200, seed=seed) for seed in range(4)]


def test_sizes_are_those_of_real_nifty(real, simulated):
    returns, gaps, minutes, ranges = real
    made = np.concatenate([np.diff(np.log(one.closes)) for one in simulated])
    assert made.std() == pytest.approx(returns.std(), rel=0.15)
    assert kurtosis(made) == pytest.approx(kurtosis(returns), abs=2)
    night_share = np.var(gaps) / np.var(returns)
    made_share = np.mean([np.var(one.gaps) / np.var(np.diff(np.log(one.closes))) for one in simulated])
    assert made_share == pytest.approx(night_share, abs=0.08)
    made_ranges = np.mean([one.ranges.mean() for one in simulated])
    assert made_ranges == pytest.approx(np.median(ranges), rel=0.1)
    spread = np.log(np.square(minutes[:, 1:]).sum(axis=1)).std()
    assert np.mean([np.log(np.square(one.minutes).sum(axis=1)).std() for one in simulated]) == pytest.approx(
        spread, rel=0.25
    )


def test_the_shape_of_the_day_is_that_of_real_nifty(real, simulated):
    made = np.mean([half_hours(one.minutes) for one in simulated], axis=0)
    assert np.corrcoef(made, half_hours(real[2]))[0, 1] > 0.9


def test_the_volatility_index_moves_like_india_vix(simulated):
    folder = shared_path("data", "india_vix_nifty_daily")
    vix = pl.read_csv(folder / "VIX_day_2015_2017.csv")["Close"].to_numpy()
    nifty = pl.read_csv(folder / "NIFTY50_day_2015_2017.csv")["Close"].to_numpy()
    changes, returns = np.diff(np.log(vix)), np.diff(np.log(nifty))
    made = [(np.diff(np.log(one.vix)), np.diff(np.log(one.closes))) for one in simulated]
    assert np.mean([one.vix.mean() for one in simulated]) == pytest.approx(vix.mean(), rel=0.2)
    assert np.mean([change.std() for change, _ in made]) == pytest.approx(changes.std(), rel=0.15)
    real_correlation = np.corrcoef(changes, returns)[0, 1]
    assert np.mean([np.corrcoef(*pair)[0, 1] for pair in made]) == pytest.approx(real_correlation, abs=0.12)
    premium = np.sqrt(np.mean(vix**2) / np.var(returns))
    assert np.mean(
        [np.sqrt(np.mean(one.vix**2) / np.var(pair[1])) for one, pair in zip(simulated, made)]
    ) == pytest.approx(premium, rel=0.15)
