"""Naming and assembling of metrics."""

import math

import numpy as np
import pytest

from algomaster.performance.deflation import deflated_sharpe, trial_variance
from algomaster.performance.metrics import METRICS, summarize, table, trade_totals
from algomaster.performance.statistics import DAILY_STATISTICS, daily_statistics

PNL = np.array([500, -300, 40, 100])
COSTS = np.array([50, 50, 40, 10])


def test_trade_totals_count_what_is_left_after_costs() -> None:
    assert trade_totals(PNL, COSTS).tolist() == [4, 2, 1, 540, 350, 150]


def test_summary_by_hand() -> None:
    found = summarize([100, 0, 90], totals=trade_totals(PNL, COSTS), intraday_drawdown_paise=350)
    assert list(found) == [metric.name for metric in METRICS]
    assert (found["pnl"], found["costs"], found["gross"]) == (1.90, 1.50, 3.40)
    assert (found["trades"], found["wins"], found["losses"], found["win_rate"]) == (4, 2, 1, 0.5)
    assert (found["average_win"], found["average_loss"]) == (2.70, -3.50)
    assert found["profit_factor"] == pytest.approx(540 / 350)
    assert found["expectancy"] == pytest.approx(1.90 / 4)
    assert (found["max_drawdown_intraday"], found["max_drawdown"], found["peak"]) == (3.50, 0.0, 1.90)
    assert found["winners_share"] == pytest.approx(2 / 3)
    assert found["trials"] == 1


def test_counts_are_int_and_the_rest_is_float() -> None:
    for metric in METRICS:
        value = summarize([1, 2], totals=[0] * 6, intraday_drawdown_paise=0)[metric.name]
        assert type(value) is (int if metric.unit == "count" else float), metric.name


def test_nothing_happened() -> None:
    found = summarize(np.zeros(0, dtype=np.int64), totals=[0] * 6, intraday_drawdown_paise=0)
    numbers = {name for name, value in found.items() if not math.isnan(value)}
    assert {name: found[name] for name in numbers} == {name: int(name == "trials") for name in numbers}
    assert {"pnl", "trades", "max_drawdown", "sessions", "peak"} <= numbers
    assert not {"win_rate", "profit_factor", "sharpe", "deflated_sharpe", "mean_day"} & numbers


def sweep() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    daily = rng.integers(-90_000, 100_000, (6, 30))
    daily[4] = 0
    return daily, rng.integers(1, 50, (6, 6)), rng.integers(0, 10_000, 6)


def statistics_of(daily: np.ndarray) -> np.ndarray:
    out = np.empty((len(daily), len(DAILY_STATISTICS)))
    for row, days in zip(out, daily):
        daily_statistics(days, row)
    return out


def test_rows_of_a_sweep_are_its_trials() -> None:
    daily, totals, deepest = sweep()
    columns = table(statistics_of(daily), totals=totals, intraday_drawdown_paise=deepest)
    variance = trial_variance(columns["sharpe"])
    assert set(columns["trials"]) == {6}
    assert columns["deflated_sharpe"][0] == deflated_sharpe(
        columns["sharpe"][0], columns["sharpe_se"][0], trials=6, trial_variance=variance
    )
    assert np.isnan(columns["deflated_sharpe"][4])  # this set never traded
    alone = summarize(daily[0], totals=totals[0], intraday_drawdown_paise=deepest[0])
    assert columns["deflated_sharpe"][0] < alone["deflated_sharpe"]


def test_several_trials_without_their_variance_are_undefined() -> None:
    assert math.isnan(summarize([1, 2, 5], totals=[0] * 6, intraday_drawdown_paise=0, trials=10)["deflated_sharpe"])


def test_empty_sweep() -> None:
    columns = table(np.empty((0, 17)), totals=np.empty((0, 6), int), intraday_drawdown_paise=np.empty(0, int))
    assert all(column.shape == (0,) for column in columns.values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"totals": [0] * 5}, "shapes"),
        ({"totals": [0.5] * 6}, "integers"),
        ({"trials": 0}, "trials"),
    ],
)
def test_bad_arguments(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        summarize([1, 2], **{"totals": [0] * 6, "intraday_drawdown_paise": 0, **change})
    with pytest.raises(ValueError, match="daily_paise"):
        summarize([1.5, 2.0], totals=[0] * 6, intraday_drawdown_paise=0)
