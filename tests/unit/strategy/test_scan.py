"""A scan: moments, underlyings, what is shown, what is refused."""

from datetime import datetime

import numpy as np
import pytest

from algomaster import market, pricing, strategy
from algomaster.core.errors import ConfigError, DataError
from algomaster.core.types import MISSING
from algomaster.strategy.day import day_of
from hand_made import random_day

DAYS = market.simulate("NIFTY", sessions=2, start="2024-01-01", strikes=15, expiries=2, seed=7)
OTHER = market.simulate("BANKNIFTY", sessions=2, start="2024-01-01", strikes=15, expiries=2, seed=7)


def test_the_end_of_the_last_session_by_default():
    found = strategy.scan(DAYS)
    assert found.at == datetime(2024, 1, 2, 15, 30)
    assert found.frame.height <= 20 <= found.ranked
    assert found.frame["rank"].to_list() == list(range(1, found.frame.height + 1))
    assert found.frame["score"].is_sorted(descending=True)


@pytest.mark.parametrize("at", ["2024-01-01 10:15", datetime(2024, 1, 1, 10, 15), "2024-01-01T10:15"])
def test_moments(at):
    found = strategy.scan(DAYS, at=at)
    assert found.at == datetime(2024, 1, 1, 10, 15)
    assert found.frame.equals(strategy.scan(DAYS[0], at="10:15").frame)


def test_nothing_later_is_read():
    """The same session cut short, with garbage after the moment."""
    whole = strategy.scan(DAYS[0], at="10:15", top=99, settings={"iv_weight": 1}).frame
    chain = random_day(3)
    before = strategy.scan(chain, at="09:50", settings={"min_value": None}).frame
    later = random_day(3)
    for name in ("open", "high", "low", "close", "bid", "ask", "volume", "oi"):
        getattr(later, name)[..., 35:] = MISSING
    for name in ("spot", "spot_open", "future", "vix"):
        getattr(later, name)[35:] = 7
    assert strategy.scan(later, at="09:50", settings={"min_value": None}).frame.equals(before)
    assert whole.height > 20


def test_several_underlyings_are_ranked_together():
    both = strategy.scan([*DAYS[:1], *OTHER[:1]], at="10:15", top=500)
    assert both.underlyings == ("NIFTY", "BANKNIFTY")
    alone = [strategy.scan(day, at="10:15", top=500).ranked for day in (DAYS[0], OTHER[0])]
    assert both.ranked == sum(alone)
    named = strategy.scan({"one": DAYS, "two": OTHER}, at="2024-01-01 10:15", top=500)
    assert named.frame["underlying"].unique().sort().to_list() == ["one", "two"]
    assert named.frame["score"].equals(both.frame["score"])


def test_only_the_nearest_expiry():
    found = strategy.scan(DAYS, at="10:15", expiries=1, top=500)
    assert found.frame["expiry"].n_unique() == 1
    assert strategy.scan(DAYS, at="10:15", top=500).frame["expiry"].n_unique() == 2


def test_the_change_of_implied_volatility():
    """Against the library's own implied volatility on the forward of parity at the strike nearest the index."""
    chain, minutes, i = DAYS[0], 15, 59
    day = day_of(chain)
    frame = strategy.scan(chain, at="10:15", top=500, weights={"iv": 1}, expiries=1).frame
    assert frame["iv"].is_not_null().sum() > 10
    rows = frame.filter(frame["iv"].is_not_null()).to_dicts()
    for row in rows:
        k, right = int(np.flatnonzero(chain.strikes == row["strike"] * 100)[0]), ("CE", "PE").index(row["right"])
        closes = chain.close[0, k, right, i - minutes : i + 1]
        bars = np.flatnonzero(closes != MISSING) + i - minutes
        vols = [vol_at(day, k, right, j) for j in (bars[0], bars[-1])]
        assert row["iv"] == pytest.approx(100 * (vols[1] - vols[0]), abs=1e-9)


def vol_at(day, k, right, j):
    both = (day.close[0, :, 0, j] != MISSING) & (day.close[0, :, 1, j] != MISSING)
    away = np.where(both, np.abs(day.strikes - day.spot[j]), np.iinfo(np.int64).max)
    near = int(away.argmin())
    forward = day.spot[j] / 100
    if away[near] <= 2 * day.strike_step[0]:
        forward = (
            day.strikes[near] / 100 + (int(day.close[0, near, 0, j]) - int(day.close[0, near, 1, j])) * day.tick / 100
        )
    price = day.close[0, k, right, j] * day.tick / 100
    return float(pricing.implied_vol(price, ("CE", "PE")[right], forward, day.strikes[k] / 100, day.years[0, j]).vol)


def test_the_minutes_of_a_session():
    scanner = strategy.Scanner(DAYS)
    assert scanner.minutes[0] == datetime(2024, 1, 2, 9, 31)
    assert scanner.minutes[-1] == datetime(2024, 1, 2, 15, 30)
    assert scanner.at("11:00").frame.equals(strategy.scan(DAYS, at="11:00").frame)


def test_too_early_ranks_nothing():
    found = strategy.scan(DAYS, at="09:20")
    assert (found.ranked, found.frame.height) == (0, 0)
    assert "0 contracts" in repr(found)


def test_it_is_shown():
    found = strategy.scan(DAYS, at="10:15", weights={"momentum": 1, "volume": -0.5}, top=5)
    assert repr(found).splitlines()[0] == f"Scan of NIFTY at 2024-01-02 10:15: {found.ranked} contracts ranked"
    assert "1. NIFTY" in found._repr_html_()
    figure = found.plot()
    assert [bar.name for bar in figure.data] == ["momentum", "volume"]
    assert np.allclose(np.sum([bar.x for bar in figure.data], axis=0)[::-1], found.frame["score"], atol=1e-3)
    assert found.to_frame() is found.frame


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"at": "noon"}, DataError, "10:15"), ({"at": "2024-13-01 10:15"}, DataError, "2024-01-05"),
        ({"at": "2023-01-02 10:15"}, DataError, "2024-01-01, 2024-01-02"), ({"at": "16:00"}, DataError, "15:30"),
        ({"weights": {"speed": 1}}, ConfigError, "momentum, volume"), ({"weights": {}}, ConfigError, "a weight"),
        ({"settings": {"minutes": 1}}, ConfigError, "setting of a scan"),
    ],
)  # fmt: skip
def test_refused(given, error, said):
    with pytest.raises(error, match=said):
        strategy.scan(DAYS, **given)


def test_no_sessions():
    with pytest.raises(DataError, match="at least one session"):
        strategy.scan({})
    with pytest.raises(DataError, match="Expected sessions, got int"):
        strategy.scan([3])
