"""Search: which sets are tried, and that their number is told."""

import math

import pytest

from algomaster import backtest
from algomaster.backtest import searching
from algomaster.core.errors import ConfigError
from algomaster.performance.deflation import deflated_sharpe, trial_variance
from hand_made import random_day

DAYS = [random_day(seed, minutes=60) for seed in range(1, 13)]
SPACE = {"entry": ("09:20", "09:40", 5), "stop_pct": (5, 30, 2.5), "lots": (1, 3)}


def run(space=SPACE, **how):
    return backtest.search("straddle", DAYS, space=space, params={"exit": "10:00"}, **how)


@pytest.mark.parametrize("method", ["random", "sobol"])
def test_points_are_distinct_seeded_and_counted(method):
    found = run(method=method, trials=40)
    again = run(method=method, trials=40, workers=1, chunk=3)
    assert found.digest == again.digest
    assert run(method=method, trials=40, seed=1).digest != found.digest
    sets = found.frame.select("entry", "stop_pct", "lots")
    assert sets.n_unique() == 40
    assert set(sets["entry"]) <= {"09:20", "09:25", "09:30", "09:35", "09:40"}
    assert set(sets["stop_pct"]) <= {5 + 2.5 * k for k in range(11)}
    assert found.frame["trials"].to_list() == [40] * 40
    assert found.assumptions["search"] == {
        "method": method, "seed": 0, "trials": 40,
        "space": {"entry": ["09:20", "09:40", 5], "stop_pct": [5, 30, 2.5], "lots": [1, 3]},
    }  # fmt: skip


def test_a_sobol_sequence_fills_the_space_evenly():
    """Of 32 points, a power of two, every 32nd of an axis holds exactly one (a (t, m, s)-net)."""
    found = run({"stop_pct": (0.5, 32.5), "target_pct": (0.5, 32.5)}, method="sobol", trials=32)
    for name in ("stop_pct", "target_pct"):
        assert sorted(math.floor(value - 0.5) for value in found.frame[name]) == list(range(32))


def test_a_small_space_is_tried_once():
    assert run({"lots": (1, 3)}, method="random", trials=50).frame["lots"].sort().to_list() == [1, 2, 3]
    assert run({"lots": [2]}, method="sobol", trials=50).frame.height == 1


def test_a_grid_is_all_of_it():
    found = run(method="grid")
    grid = {"entry": ["09:20", "09:25", "09:30", "09:35", "09:40"], "stop_pct": [5 + 2.5 * k for k in range(11)]}
    whole = backtest.sweep("straddle", DAYS, grid=grid | {"lots": [1, 2, 3]}, params={"exit": "10:00"})
    assert found.frame.equals(whole.frame, null_equal=True)
    assert found.assumptions["search"]["trials"] == 165


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"method": "luck"}, "grid, random, sobol, optuna"),
        ({"space": {}}, "at least one setting"),
        ({"space": {"lots": "1,2"}}, "a list of values"),
        ({"space": {"lots": []}}, "a list of values"),
        ({"space": {"lots": (3, 1)}}, "low < high"),
        ({"space": {"lots": (1, 3, 0)}}, "step above 0"),
        ({"space": {"entry": ("09:40", "09:20", 5)}}, "times upwards"),
        ({"space": {"entry": ("soon", "later")}}, "low < high"),
        ({"trials": 0}, "trials to be at least 1"),
        ({"method": "grid", "trials": 5}, "no number of trials"),
        ({"method": "grid", "space": {"stop_pct": (5.0, 10.0)}}, "needs a step"),
        ({"method": "optuna", "trades": True}, "neither trades nor resume"),
    ],
)
def test_refused(how, said):
    with pytest.raises(ConfigError, match=said):
        run(**how)


@pytest.mark.parametrize(("method", "package"), [("sobol", "scipy"), ("optuna", "optuna")])
def test_a_package_that_is_missing_is_named(monkeypatch, method, package):
    def absent(module):
        raise ImportError(module)

    monkeypatch.setattr(searching.importlib, "import_module", absent)
    with pytest.raises(ConfigError, match=f"needs the package {package}"):
        run(method=method)


def test_results_of_batches_are_one_result():
    """Trials and the deflated Sharpe ratio are those of one sweep over all sets."""
    sets = [{"stop_pct": stop, "exit": "10:00"} for stop in (5, 10, 15, 20, None)]
    whole = backtest.sweep("straddle", DAYS, grid=sets)
    parts = [backtest.sweep("straddle", DAYS, grid=sets[a:b]) for a, b in ((0, 2), (2, 5))]
    joined = searching.joined_results(parts)
    assert joined.frame.equals(whole.frame, null_equal=True)
    assert joined.digest == whole.digest
    assert joined.daily.tolist() == whole.daily.tolist()
    row = joined.frame.row(3, named=True)
    variance = trial_variance(joined.frame["sharpe"].to_numpy())
    assert row["deflated_sharpe"] == deflated_sharpe(row["sharpe"], row["sharpe_se"], trials=5, trial_variance=variance)


def test_optuna_looks_where_it_was_good():
    pytest.importorskip("optuna")
    space = {"stop_pct": (1.0, 60.0), "entry": ("09:17", "09:45", 1)}
    found = run(space, method="optuna", trials=48, metric="pnl", batch=8)
    assert found.frame.height == 48
    assert found.frame["trials"].to_list() == [48] * 48
    assert found.digest == run(space, method="optuna", trials=48, metric="pnl", batch=8, workers=1).digest
    early, late = found.frame["pnl"][:16].mean(), found.frame["pnl"][32:].mean()
    assert late > early
    with pytest.raises(ConfigError, match="no metric"):
        run(space, method="optuna", trials=4, metric="luck")
