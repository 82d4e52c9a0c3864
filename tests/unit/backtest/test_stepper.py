"""The stepper's face: where it goes, what it refuses, what it saves."""

import json

import numpy as np
import pytest
from numba.core.runtime import _nrt_python, rtsys

from algomaster import backtest, strategy
from algomaster.core.errors import ConfigError, DataError, StrategyError
from algomaster.core.jit import kernel
from algomaster.strategy.steps import contract as desk
from hand_made import random_day
from walking_strategies import Nothing

DAY = random_day(7)
PARAMS = {"entry": "09:20", "exit": "10:00"}


def stepper(day=DAY, **more):
    return backtest.Stepper("straddle", day, params=PARAMS | more.pop("params", {}), **more)


def test_it_goes_to_times_and_bars_and_no_further_than_the_session():
    run = stepper()
    assert (run.at, run.time, run.bars, run.done) == (0, "09:15", 60, False)
    assert run.step() == 1
    assert run.seek("09:45") == 30
    assert run.back(10) == 20
    assert run.time == "09:35"
    assert run.back(100) == 0
    assert run.step(1000) == 60
    assert run.done
    assert run.step() == 60
    assert repr(run) == f"Stepper(straddle on NIFTY {DAY.session} at 10:15)"


@pytest.mark.parametrize("to", ["9:45 am", "09:14", "10:16", -1, 61, ""])
def test_what_is_not_of_the_session_is_refused(to):
    run = stepper()
    run.seek(5)
    with pytest.raises(ConfigError, match=r"Expected a time from 09:15 to 10:15"):
        run.seek(to)
    assert run.at == 5


def test_a_result_is_of_a_session_that_is_over():
    run = stepper()
    with pytest.raises(ConfigError, match=r"stands at 09:15, not at its end\. Call finish"):
        run.result()
    assert run.finish().digest == run.result().digest


def test_going_back_does_not_forget_the_future():
    run = stepper()
    first = run.finish()
    run.seek("09:30")
    assert run.finish().digest == first.digest


def test_one_session_at_a_time():
    with pytest.raises(ConfigError, match="Expected one session to step through, got list"):
        backtest.Stepper("straddle", [DAY])
    with pytest.raises(ConfigError, match="every to be at least 1"):
        stepper(every=0)
    with pytest.raises(DataError, match="out of order"):
        stepper(earlier=[random_day(8)])


def test_sessions_before_it_leave_what_they_leave():
    days = [random_day(seed) for seed in (5, 6, 7)]
    run = stepper(days[2], earlier=days[:2])
    before = backtest.replay("straddle", days[:2], params=PARAMS)
    shot = run.snapshot()
    assert shot.account.equity == before.metrics["pnl"]
    assert shot.account.pnl == 0
    assert (
        run.finish().daily["pnl"].to_list() == backtest.replay("straddle", days, params=PARAMS).daily["pnl"].to_list()
    )
    run.seek(30)
    assert run.snapshot().account.pnl == pytest.approx(run.snapshot().account.equity - before.metrics["pnl"], abs=1e-6)


@pytest.mark.parametrize(
    ("other", "differs"),
    [
        ({"params": {"stop_pct": 9}}, "params"),
        ({"fills": "decision_close"}, "fills"),
        ({"costs": False}, "costs"),
        ({"slippage": 1}, "slippage"),
        ({"day": random_day(8)}, "sessions"),
    ],
)
def test_a_state_of_another_run_is_refused(other, differs):
    run, another = stepper(), stepper(**other)
    run.seek(20)
    with pytest.raises(DataError, match=f"a run with other {differs}"):
        another.restore(run.state())
    assert another.at == 0
    assert another.finish()


@pytest.mark.parametrize("junk", [b"", b"not a state", b"PK\x03\x04 half an archive"])
def test_junk_is_no_state(junk):
    with pytest.raises(DataError, match="Expected the state of a stepper"):
        stepper().restore(junk)


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9, 0.999])
def test_half_a_state_is_none(part):
    run = stepper()
    run.seek(20)
    state = run.state()
    with pytest.raises(DataError, match="Expected the state of a stepper"):
        stepper().restore(state[: int(part * len(state))])


def test_a_state_taken_after_a_change_goes_on_with_it_and_not_before_it():
    branch = stepper().branch({"stop_pct": 3}, at="09:30")
    branch.seek("09:40")
    other = stepper()
    other.restore(branch.state())
    assert other.settings.stop_pct == 3
    assert other.finish().digest == branch.finish().digest
    assert other.result().assumptions["changes"] == [{"at": "09:30", "params": {"stop_pct": 3.0}}]
    with pytest.raises(ConfigError, match="from 09:40 on, got 09:20"):
        other.seek("09:20")


def test_a_fork_goes_its_own_way():
    run = stepper()
    run.seek(20)
    fork = run.fork()
    fork.finish()
    assert run.at == 20
    fork.seek(10)
    run.step()
    assert (run.at, fork.at) == (21, 10)
    assert run.finish().digest == fork.finish().digest


@strategy.step
def errs_at_bar_30(state, params, day, i, book):
    """Order a contract that is not there."""
    if i == 30:
        desk.enter(book, i, -1, -50, 0, 0)


def test_a_strategy_that_errs_stops_at_the_bar():
    run = backtest.Stepper(strategy.Strategy("errs", step=errs_at_bar_30, params=Nothing), DAY)
    assert run.seek(30) == 30
    with pytest.raises(StrategyError, match="a contract that the session does not have"):
        run.step()


@kernel
def window(day, i):
    return np.full(3, day.spot[i])


@strategy.step
def allocates(state, params, day, i, book):
    """Create arrays on the way, which a step may."""
    fresh = np.zeros(2) + window(day, i)[:2]
    if i == 1 and fresh[0] > 0:
        desk.enter(book, i, 0, -50, 0, 0)


def test_a_step_may_create_arrays_and_leaks_none():
    often = strategy.Strategy("allocates", step=allocates, params=Nothing)
    assert backtest.Stepper(often, DAY).finish().trades.height == 1
    run = backtest.Stepper(often, DAY)
    _nrt_python.memsys_enable_stats()
    before = rtsys.get_allocation_stats()
    for _ in range(50):
        run.step()
    after = rtsys.get_allocation_stats()
    assert after.alloc - before.alloc == after.free - before.free > 50


def test_a_dropped_stepper_leaves_a_running_one_alone():
    """The generators hold no reference to their arrays: each stepper must keep its own alive, and only those."""
    runs = [stepper(random_day(seed)) for seed in range(6)]
    wanted = [stepper(random_day(seed)).finish().digest for seed in range(6)]
    for run in runs:
        run.seek(17)
    kept = [run.fork() for run in runs]
    del runs, run
    _ = [np.full(20_000, -1) for _ in range(50)]
    assert [run.finish().digest for run in kept] == wanted


def test_the_snapshot_is_ready_for_json():
    run = stepper()
    for at in (0, 1, 30, 60):
        run.seek(at)
        plain = run.snapshot().to_dict()
        assert json.loads(json.dumps(plain, allow_nan=False)).keys() == plain.keys()
        assert "series" not in run.snapshot().to_dict(series=False)
