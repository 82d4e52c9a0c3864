"""However a session is walked through, its end is that of a replay, to the bit; and nothing of it is seen before."""

import dataclasses
import json

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from algomaster import backtest, market, strategy
from algomaster.backtest.look_ahead import FIELDS
from algomaster.core.types import MISSING
from hand_made import random_day
from walking_strategies import BUSY, OVER_NIGHTS

FRAMES = ("trades", "fills", "orders", "skipped", "notes", "equity", "daily", "prices")
FILLS = ("next_open", "decision_close", "algotest")
moves = st.lists(
    st.one_of(
        st.tuples(st.just("step"), st.integers(-40, 60)),
        st.tuples(st.just("seek"), st.floats(0, 1)),
        st.tuples(st.sampled_from(["save", "fork", "look", "end"]), st.none()),
    ),
    max_size=12,
)
drawn = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
often = settings(drawn, max_examples=60)


@pytest.fixture(scope="module")
def simulated():
    return market.simulate("NIFTY", sessions=3, start="2024-01-02", strikes=15, seed=3)


def walk(stepper, fresh, way):
    """Walk through the session in an odd way; gives the stepper that did."""
    for what, how in way:
        if what == "step":
            before = stepper.at
            assert stepper.step(how) == max(0, min(before + how, stepper.bars))
        elif what == "seek":
            assert stepper.seek(int(how * stepper.bars)) == int(how * stepper.bars)
        elif what == "save":
            other = fresh()
            other.restore(stepper.state())
            assert (other.at, other.snapshot().to_dict()) == (stepper.at, stepper.snapshot().to_dict())
            stepper = other
        elif what == "fork":
            stepper.fork().finish()
            stepper = stepper.fork()
        elif what == "look":
            stepper.snapshot()
        else:
            stepper.finish()
    return stepper


def agree(name, days, params, fills, way, *, every=60):
    def fresh():
        return backtest.Stepper(name, days[-1], params=params, fills=fills, earlier=days[:-1], every=every)

    run, result = backtest.replay(name, days, params=params, fills=fills), walk(fresh(), fresh, way).finish()
    assert (result.digest, result.fingerprint) == (run.digest, run.fingerprint)
    for frame in FRAMES:
        assert getattr(result, frame).equals(getattr(run, frame), null_equal=True), frame
    assert json.dumps(result.to_dict(), sort_keys=True) == json.dumps(run.to_dict(), sort_keys=True)


@pytest.mark.parametrize("name", strategy.names())
@drawn
@given(way=moves, fills=st.sampled_from(FILLS), sessions=st.integers(1, 3), every=st.sampled_from([1, 7, 60, 1000]))
def test_the_catalogue_in_odd_ways(simulated, name, way, fills, sessions, every):
    agree(name, simulated[:sessions], {}, fills, way, every=every)


@often
@given(
    way=moves,
    fills=st.sampled_from(FILLS),
    seed=st.integers(0, 60),
    gaps=st.sampled_from([0.0, 0.2]),
    stop=st.one_of(st.none(), st.integers(2, 40)),
    target=st.one_of(st.none(), st.integers(2, 40)),
    stop_on=st.sampled_from(["range", "close"]),
    strike_at=st.sampled_from(["decision", "fill"]),
)
def test_straddles_on_random_sessions(way, fills, seed, gaps, stop, target, stop_on, strike_at):
    params = {"entry": "09:20", "exit": "10:00", "stop_pct": stop, "target_pct": target}
    params |= {"stop_on": stop_on, "strike_at": strike_at}
    agree("straddle", [random_day(seed + k, minutes=60, gaps=gaps) for k in range(2)], params, fills, way)


@drawn
@given(way=moves, fills=st.sampled_from(FILLS), sessions=st.integers(1, 3))
def test_legs_held_overnight(simulated, way, fills, sessions):
    agree(OVER_NIGHTS, simulated[:sessions], {}, fills, way)


@drawn
@given(way=moves, room=st.sampled_from([1, 3, 40]), every=st.sampled_from([1, 7, 60]))
def test_records_that_overflow_in_mid_session(way, room, every):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("algomaster.backtest.playback.stepping._ROOM", room)
        agree(BUSY, [random_day(5, minutes=70)], {}, "next_open", way, every=every)


@often
@given(bar=st.integers(1, 59), seed=st.integers(0, 60), fills=st.sampled_from(FILLS))
def test_a_snapshot_knows_nothing_of_later(bar, seed, fills):
    day = random_day(seed, minutes=60)
    later = {}
    for field in FIELDS:
        values = getattr(day, field).copy()
        part = values[bar:] if values.ndim == 2 else values[..., bar:]
        part[...] = MISSING if values.dtype.kind == "i" else float("nan")
        later[field] = values
    seen = [
        backtest.Stepper("straddle", one, params={"entry": "09:20", "exit": "10:00", "stop_pct": 8}, fills=fills)
        for one in (day, dataclasses.replace(day, **later))
    ]
    first, second = (stepper.seek(bar) and stepper.snapshot().to_dict() for stepper in seen)
    assert json.dumps(first, allow_nan=False) == json.dumps(second, allow_nan=False)


@often
@given(way=moves, bar=st.floats(0, 1), seed=st.integers(0, 60))
def test_the_legs_make_what_the_account_makes(way, bar, seed):
    """P&L by leg, kept in the book, and the equity of the log are two countings of the same money."""
    day = random_day(seed, minutes=60, gaps=0.1)
    stepper = backtest.Stepper("strangle", day, params={"entry": "09:20", "exit": "10:00", "width": 1, "stop_pct": 9})
    stepper = walk(stepper, stepper.fork, way)
    stepper.seek(int(bar * stepper.bars))
    shot = stepper.snapshot()
    assert sum(round(leg.pnl * 100) for leg in shot.positions) == round(shot.account.pnl * 100)
    assert sum(round(leg.costs * 100) for leg in shot.positions) == round(shot.account.costs * 100)
    assert shot.series.pnl[-1:] == ((shot.account.pnl,) if shot.at else ())


changes = st.fixed_dictionaries(
    {"stop_pct": st.one_of(st.none(), st.integers(2, 60)), "target_pct": st.one_of(st.none(), st.integers(2, 60))}
)


@often
@given(base=changes, other=changes, bar=st.integers(0, 59), seed=st.integers(0, 60), fills=st.sampled_from(FILLS))
def test_a_change_before_it_mattered_is_a_change_from_the_start(base, other, bar, seed, fills):
    """Where both settings have filled the same until a bar, turning there gives the run that had the others always."""
    day = random_day(seed, minutes=60)
    common = {"entry": "09:20", "exit": "10:00"}
    first, second = (
        backtest.Stepper("straddle", day, params=common | one, fills=fills, costs=False) for one in (base, other)
    )
    for stepper in (first, second):
        stepper.seek(bar)
    before = [
        [(event.bar, event.contract, event.price) for event in stepper.snapshot().events if event.what == "fill"]
        for stepper in (first, second)
    ]
    if before[0] == before[1]:
        what_if = first.what_if(other)
        assert what_if.other.digest == second.finish().digest
        assert what_if.base.digest == first.finish().digest
        assert not what_if.notes


ROWS = ({"right": "CE"}, {"right": "PE"})
TABLES = [
    {"stop": "4%"},
    {"stop": "9%"},
    {"stop": "9%", "target": "5%"},
    {"stop": "6%", "trail": {"every": "2%", "by": "1%"}},
    {"stop": "5%", "on_stop": {"kind": "asap", "times": 3}},
]


@often
@given(
    tables=st.tuples(st.sampled_from(TABLES), st.sampled_from(TABLES)),
    stop_on=st.sampled_from(["range", "close"]),
    bar=st.integers(0, 59),
    seed=st.integers(0, 60),
)
def test_the_straddle_manager_keeps_stops_in_its_memory_and_they_follow(tables, stop_on, bar, seed):
    day = random_day(seed, minutes=60)
    both = [{"legs": [row | rules for row in ROWS]} for rules in tables]
    first, second = (
        backtest.Stepper("legs", day, params=one | {"exit": "10:00", "stop_on": stop_on}, costs=False) for one in both
    )
    for stepper in (first, second):
        stepper.seek(bar)
    fills = [stepper.scene.log.fills[: stepper.scene.log.n_fills[0]].tobytes() for stepper in (first, second)]
    what_if = first.what_if(both[1])
    assert what_if.base.digest == first.finish().digest
    if fills[0] == fills[1]:
        assert what_if.other.digest == second.finish().digest
        assert not what_if.notes
