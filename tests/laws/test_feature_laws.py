"""The laws of the whole catalogue, and that each law catches who breaks it."""

import math
from collections.abc import Iterator

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algomaster import features, market
from algomaster.core.errors import DataError
from algomaster.core.jit import kernel
from algomaster.features import library
from algomaster.features.series import given as series
from algomaster.features.series import node
from feature_bars import bars

BUILT_IN = features.names()
SETTINGS = settings(deadline=None, max_examples=12)


@SETTINGS
@given(seed=st.integers(0, 10_000), sessions=st.integers(1, 3), minutes=st.integers(30, 130), holes=st.booleans())
def test_every_feature_keeps_every_law(seed: int, sessions: int, minutes: int, holes: bool) -> None:
    frame = features.companions(bars(sessions, minutes, seed=seed, holes=holes), seed=seed)
    verdict = features.verify(BUILT_IN, frame, seed=seed)
    assert verdict, verdict


@pytest.fixture(scope="module")
def chain() -> pl.DataFrame:
    """Minutes of a few simulated sessions with their chain and everything else a bar may bring."""
    days = market.simulate("NIFTY", sessions=3, start="2024-01-01", strikes=21, expiries=2, seed=5)
    frame = pl.concat([features.chain_inputs(day) for day in days])
    return features.companions(frame, seed=5)


def test_the_laws_hold_with_a_chain(chain: pl.DataFrame) -> None:
    verdict = features.verify(BUILT_IN, chain)
    assert verdict, verdict
    assert set(verdict.empty) <= LONG, verdict.empty


LONG = {name for name in BUILT_IN if features.get(name).sessions > 5}
"""What remembers more than a week of days; :func:`test_what_remembers_days_has_values_after_them` waits for it."""


def test_what_remembers_days_has_values_after_them() -> None:
    """All but what needs a chain over a year, which the tests of real chains fill."""
    frame = features.companions(bars(26, 60, seed=7), seed=7)
    names = sorted(name for name in LONG if features.get(name).family not in {"chain", "surface"})
    found = features.compute(frame, names)
    assert names
    assert [name for name in names if not found[name].is_finite().any()] == []


def test_every_feature_says_what_it_is() -> None:
    for name in BUILT_IN:
        feature = features.get(name)
        row = feature.row()
        assert all(row[key] for key in ("family", "formula", "inputs", "unit", "nan_rule", "knowable", "source")), name
        assert feature.low < feature.high
        assert feature.sessions >= 1


def test_identities_are_of_the_content() -> None:
    """Two features that compute the same have one; any other has its own."""
    found = {name: features.get(name).identity for name in BUILT_IN}
    twins = {name for name in found if list(found.values()).count(found[name]) > 1}
    for name in twins:
        other = next(each for each in twins if each != name and found[each] == found[name])
        assert features.get(name).expression == features.get(other).expression


# --- who breaks a law is caught ------------------------------------------------------------------------------------


@kernel(lean=True, inner=True)
def _tomorrow(tape, line, start, stop, stride):  # type: ignore[no-untyped-def]
    """The next bar's value, wherever it is on the tape already."""
    for i in range(start, stop):
        tape[line[3] + i] = tape[line[2] + i + stride] if i + stride < stop else tape[line[2] + i]


@kernel(lean=True, inner=True)
def _shared(tape, line, start, stop, stride):  # type: ignore[no-untyped-def]
    """A total that all underlyings share."""
    for i in range(start, stop):
        tape[line[1]] += tape[line[2] + i]
        tape[line[3] + i] = tape[line[1]]


@pytest.fixture
def cheats() -> Iterator[None]:
    yield
    for name in list(library.CATALOGUE):
        if name not in BUILT_IN:
            del library.CATALOGUE._entries[name]


def _laws(name: str) -> set[str]:
    return {each.law for each in features.verify([name], bars(2, 60)).broken}


@pytest.mark.usefixtures("cheats")
def test_a_planted_cheater_fails() -> None:
    features.define("cheater", node(_tomorrow, series("close")) / series("close"), formula="c[+1]/c", source="nobody")
    assert {"no look-ahead", "bar by bar"} <= _laws("cheater")


@pytest.mark.usefixtures("cheats")
def test_a_leak_between_underlyings_fails() -> None:
    features.define("leak", node(_shared, series("close"), begin=(0.0,)), formula="sum", same_under=frozenset())
    assert "apart" in _laws("leak")


@pytest.mark.usefixtures("cheats")
def test_wrong_bounds_scale_and_warm_up_fail() -> None:
    features.define("level", series("close") + 0.0, formula="c", high=100.0)
    assert {"range", "scale"} <= _laws("level")
    features.define("early", series("close") - series("open"), formula="c-o", wait=10, same_under=frozenset())
    assert _laws("early") == {"warm-up"}


@pytest.mark.usefixtures("cheats")
def test_a_feature_of_ones_own_keeps_the_laws() -> None:
    @features.feature(
        begin=(math.nan,), formula="ln(c/c1)", unit="log return", warm_up=1, same_under=("price", "volume")
    )
    def own_return(state, close):  # type: ignore[no-untyped-def]
        before = state[0]
        state[0] = close
        return math.log(close / before) if close > 0.0 and before > 0.0 else math.nan

    frame = bars(2, 60)
    verdict = features.verify(["own_return", "MA5"], frame)
    assert verdict, verdict
    found = features.compute(frame, ["own_return"])["own_return"].to_numpy()
    close = frame["close"].to_numpy()
    np.testing.assert_allclose(found[1:], np.log(close[1:] / close[:-1]), rtol=1e-12)


def test_windows_do_not_depend_on_when_history_began() -> None:
    """Not a law of all features: what windows alone are made of, to the bit."""
    frame = bars(2, 200)
    names = [name for name in features.preset("alpha158") if not name.startswith("QTL")]
    whole = features.compute(frame, names).select(names)[150:]
    part = features.compute(frame[83:], names).select(names)[67:]
    assert np.array_equal(whole.to_numpy(), part.to_numpy(), equal_nan=True)


def test_bars_have_to_be_in_order() -> None:
    frame = bars(1, 40)
    with pytest.raises(DataError, match="ascending"):
        features.compute(pl.concat([frame[20:], frame[:20]]), ["MA5"])
