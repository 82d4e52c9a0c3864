"""Rows of a chain: nothing after the minute is read, the order of asking does not matter, values stay in range."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algomaster import features
from algomaster.core.types import MISSING
from algomaster.features.catalogue import chain, surface
from algomaster.market.chain_day import CHAIN_FIELDS, SERIES_FIELDS
from chain_sessions import simulated, with_holes
from hand_made import random_day

FAMILIES = (*chain.FEATURES, *surface.FEATURES)
NAMES = [feature.name for feature in FAMILIES]


@pytest.fixture(scope="module")
def day():
    return with_holes(simulated(1, strikes=21, expiries=3, start="2024-01-04")[0], 4)


def poisoned(day, after, rng):
    """The same session with other values, or none, in every bar after one."""
    changed = {}
    for name in (*CHAIN_FIELDS, *SERIES_FIELDS):
        values = getattr(day, name).copy()
        later = values[..., after + 1 :]
        wild = rng.integers(1, 2_000_000, later.shape)
        values[..., after + 1 :] = np.where(rng.random(later.shape) < 0.3, MISSING, wild)
        changed[name] = values
    return dataclasses.replace(day, **changed)


@pytest.mark.parametrize("after", [0, 1, 57, 200, 373])
def test_the_future_changes_nothing(day, after):
    rng = np.random.default_rng(after)
    other = poisoned(day, after, rng)
    names = features.chain_inputs(day).columns
    for first, second in zip(*(features.chain_inputs(each)[: after + 1].iter_rows() for each in (day, other))):
        np.testing.assert_array_equal(np.array(first[1:], float), np.array(second[1:], float), err_msg=str(names))
    known, alone = features.snapshot_row(day, after), features.snapshot_row(other, after)
    np.testing.assert_array_equal(list(known.values()), list(alone.values()))


def test_a_cheater_would_be_caught(day):
    """The law above can fail: the bar after the poisoned one differs."""
    other = poisoned(day, 100, np.random.default_rng(1))
    rows = (features.snapshot_row(each, 101) for each in (day, other))
    assert list(next(rows).values()) != list(next(rows).values())


def test_a_session_may_be_filled_while_it_is_read(day):
    live = poisoned(day, -1, np.random.default_rng(1))
    for name in (*CHAIN_FIELDS, *SERIES_FIELDS):
        getattr(live, name)[...] = MISSING
    reader, whole = features.Snapshots(live), features.Snapshots(day)
    for i in range(40):
        for name in (*CHAIN_FIELDS, *SERIES_FIELDS):
            getattr(live, name)[..., i] = getattr(day, name)[..., i]
        np.testing.assert_array_equal(list(reader.row(i).values()), list(whole.row(i).values()))


@settings(max_examples=10)
@given(order=st.lists(st.integers(0, 374), min_size=1, max_size=8))
def test_minutes_may_be_asked_for_in_any_order(order):
    day = _day()
    reader, whole = features.Snapshots(day), _rows()
    for i in order:
        np.testing.assert_array_equal(reader.rows(i, i + 1)[0], whole[i])


_made = {}


def _day():
    if not _made:
        _made["day"] = with_holes(simulated(1, strikes=11, expiries=2)[0], 9)
        _made["rows"] = features.Snapshots(_made["day"]).rows(0, 375)
    return _made["day"]


def _rows():
    _day()
    return _made["rows"]


@pytest.mark.parametrize("seed", range(4))
def test_values_of_nonsense_stay_in_their_range(seed):
    """Random numbers in every field, where nothing fits together."""
    day = random_day(seed, minutes=60, gaps=0.2)
    found = features.compute(day, NAMES)
    for feature in FAMILIES:
        values = found[feature.name].to_numpy()
        known = values[~np.isnan(values)]
        assert np.isfinite(known).all(), feature.name
        assert ((known >= feature.low) & (known <= feature.high)).all(), feature.name


def test_scaling_open_interest_or_prices_leaves_ratios(day):
    """Twice the open interest and twice every price: what is a ratio of either stays."""
    twice = {name: getattr(day, name).copy() for name in (*CHAIN_FIELDS, *SERIES_FIELDS) if name != "vix"}
    for values in twice.values():
        values[values != MISSING] *= 2
    other = dataclasses.replace(day, strikes=day.strikes * 2, strike_step=day.strike_step * 2, **twice)
    names = [f.name for f in FAMILIES if f.name not in ("smile_curv",)]
    before, after = features.compute(day, names), features.compute(other, names)
    for name in names:
        np.testing.assert_allclose(after[name], before[name], rtol=1e-7, atol=1e-9, err_msg=name)
