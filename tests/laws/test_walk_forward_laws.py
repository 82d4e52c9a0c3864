"""Walk-forward: what is traded was never chosen on, and every number is that of a plain sweep or replay."""

import hypothesis.strategies as st
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings

from algomaster import backtest, strategy
from algomaster.backtest.walking import folds_of
from algomaster.core.errors import ConfigError, DataError
from algomaster.market.chain_day import Days
from algomaster.performance.deflation import trial_variance
from algomaster.strategy.steps import contract as desk
from hand_made import random_day

DAYS = Days([random_day(seed, minutes=50) for seed in range(1, 27)])
GRID = {"entry": ["09:20", "09:25"], "stop_pct": [4, 8, None]}
PARAMS = {"exit": "09:55"}


@settings(max_examples=300, deadline=None)
@given(
    sessions=st.integers(1, 120), train=st.integers(1, 60), test=st.integers(1, 30), more=st.integers(0, 9),
    embargo=st.integers(0, 5), anchored=st.booleans(),
)  # fmt: skip
def test_no_test_session_is_in_its_own_training(sessions, train, test, more, embargo, anchored):
    how = {"train": train, "test": test, "step": test + more, "anchored": anchored, "embargo": embargo}
    if sessions <= train + embargo:
        with pytest.raises(ConfigError, match="for one fold"):
            folds_of(sessions, **how)
        return
    folds = folds_of(sessions, **how)
    tested = [place for fold in folds for place in range(*fold.test)]
    assert len(tested) == len(set(tested))
    assert tested[0] == train + embargo
    for number, fold in enumerate(folds):
        first, end = fold.train
        assert 0 <= first < end <= fold.test[0] - embargo
        assert end + embargo == fold.test[0]
        assert (first == 0) if anchored else (end - first == train)
        assert end - first >= train
        assert fold.test[1] <= sessions
        assert fold.test[1] - fold.test[0] == test or number == len(folds) - 1
    if more == 0:
        assert tested == list(range(train + embargo, sessions))


@pytest.fixture(scope="module", params=[False, True], ids=["rolling", "anchored"])
def walked(request):
    how = {"train": 11, "test": 4, "embargo": 1, "anchored": request.param}
    return how, backtest.walk_forward("straddle", DAYS, grid=GRID, params=PARAMS, metric="sharpe", **how)


def test_choices_are_those_of_sweeps_and_figures_those_of_replays(walked):
    how, found = walked
    pieces = []
    for row, fold in zip(found.folds.to_dicts(), folds_of(len(DAYS), **how), strict=True):
        trained, traded = DAYS[slice(*fold.train)], DAYS[slice(*fold.test)]
        assert (row["train_first"], row["train_last"]) == (trained[0].session, trained[-1].session)
        assert (row["test_first"], row["test_last"]) == (traded[0].session, traded[-1].session)
        swept = backtest.sweep("straddle", trained, grid=GRID, params=PARAMS)
        best = swept.best("sharpe").row(0, named=True)
        assert [row[name] for name in ("entry", "stop_pct")] == [best["entry"], best["stop_pct"]]
        assert swept.frame.row(row["chosen"], named=True) == best
        chosen = PARAMS | {"entry": row["entry"], "stop_pct": row["stop_pct"]}
        pieces.append(backtest.replay("straddle", traded, params=chosen))
        for name in ("sessions", "trades", "pnl", "mean_day", "max_drawdown"):
            assert row[f"train_{name}"] == best[name]
            assert row[f"test_{name}"] == pieces[-1].metrics[name]
    assert found.result.trades.equals(pl.concat([piece.trades for piece in pieces]))
    assert found.result.daily.equals(pl.concat([piece.daily for piece in pieces]))


def test_the_stitched_curve_is_one_run(walked):
    """A strategy without memory, traded with one set throughout, is stitched to what one replay of it gives."""
    how, _ = walked
    one = backtest.walk_forward("straddle", DAYS, grid={"stop_pct": [8]}, params=PARAMS, **how)
    run = backtest.replay("straddle", DAYS[12:], params=PARAMS | {"stop_pct": 8})
    assert one.result.equity.equals(run.equity)
    assert one.result.trades.equals(run.trades)
    different = {"trials", "deflated_sharpe"}
    same = {name for name, value in run.metrics.items() if value == one.result.metrics[name] or value != value}
    assert set(run.metrics) - same <= different
    assert one.result.metrics["trials"] == 1
    assert one.result.metrics["deflated_sharpe"] == run.metrics["deflated_sharpe"]


def test_trials_are_counted(walked):
    how, found = walked
    spreads = []
    for fold in folds_of(len(DAYS), **how):
        swept = backtest.sweep("straddle", DAYS[slice(*fold.train)], grid=GRID, params=PARAMS)
        spreads.append(trial_variance(swept.frame["sharpe"].to_numpy()))
    metrics = found.result.metrics
    assert metrics["trials"] == 6
    from algomaster.performance.deflation import deflated_sharpe

    assert metrics["deflated_sharpe"] == deflated_sharpe(
        metrics["sharpe"], metrics["sharpe_se"], trials=6, trial_variance=float(np.mean(spreads))
    )
    assert metrics["deflated_sharpe"] < backtest.replay("straddle", DAYS[12:], params=PARAMS).metrics["sharpe_high"]


class Memory(strategy.Params):
    lots: int = 1


@strategy.step
def grows(state, params, day, i, book):
    """Sell one lot more in every session since it began."""
    if i == 0:
        state[0]["sessions"] += 1
    if i == 2:
        desk.enter(book, i, 4, -params[0]["lots"] * state[0]["sessions"] * day.lot[0], 0, 0)


def test_every_window_starts_afresh():
    mine = strategy.Strategy("grows", step=grows, params=Memory, state=np.dtype([("sessions", np.int64)]))
    found = backtest.walk_forward(mine, DAYS[:8], grid={"lots": [1, 2]}, train=2, test=3, metric="pnl")
    lots = (found.result.trades["lots"] / found.folds["lots"].gather([0] * 3 + [1] * 3)).to_list()
    assert lots == [1, 2, 3] * 2


def test_a_walk_is_kept_and_drawn(walked, tmp_path):
    _, found = walked
    again = backtest.WalkForward.load(found.save(tmp_path / "walk"))
    assert again.folds.equals(found.folds, null_equal=True)
    assert again.result.digest == found.result.digest
    assert again.to_dict() == found.to_dict()
    assert found.plot().data
    assert "different choices by sharpe" in repr(found)
    assert "<table>" in found._repr_html_()
    assert found.efficiency != found.efficiency or np.isfinite(found.efficiency)
    with pytest.raises(DataError, match="not written by a walk-forward"):
        backtest.WalkForward.load(tmp_path)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"train": 0, "test": 5}, "train of at least 1"),
        ({"train": 5, "test": 0}, "test of at least 1"),
        ({"train": 5, "test": 5, "step": 4}, "would overlap"),
        ({"train": 5, "test": 5, "embargo": -1}, "embargo of at least 0"),
        ({"train": 26, "test": 5}, "for one fold"),
        ({"train": 12, "test": 5, "metric": "luck"}, "no metric 'luck'"),
    ],
)
def test_refused(how, said):
    with pytest.raises(ConfigError, match=said):
        backtest.walk_forward("straddle", DAYS, grid=GRID, params=PARAMS, **how)
