"""Kernels of daily statistics: by hand, and with the JIT off to the bit."""

import os
import subprocess
import sys

import numpy as np
import pytest

from algomaster.performance.statistics import DAILY_STATISTICS, daily_statistics


def statistics_of(*daily: int) -> dict[str, float]:
    out = np.full(len(DAILY_STATISTICS), -1.0)
    daily_statistics(np.array(daily, dtype=np.int64), out)
    return dict(zip(DAILY_STATISTICS, out))


def test_by_hand() -> None:
    found = statistics_of(300, -100, -200, 400, 0)
    assert (found["sessions"], found["total"], found["mean"]) == (5, 400, 80)
    assert found["sd"] == pytest.approx((268_000 / 4) ** 0.5)  # 220^2 + 180^2 + 280^2 + 320^2 + 80^2 = 268,000
    assert (found["winners"], found["losers"], found["best"], found["worst"]) == (2, 2, 400, -200)
    assert (found["max_drawdown"], found["drawdown_days"], found["peak"]) == (300, 2, 400)
    assert found["profit_factor"] == pytest.approx(700 / 300)
    assert found["sortino"] == pytest.approx(80 / (50_000 / 5) ** 0.5 * 252**0.5)
    twice = statistics_of(*[300, -100, -200, 400, 0] * 2)
    assert twice["sharpe"] == pytest.approx(80 / (2 * 268_000 / 9) ** 0.5 * 252**0.5)


@pytest.mark.parametrize(
    ("daily", "deepest", "length"),
    [
        ((), 0, 0),
        ((5, 5), 0, 0),
        ((-5,), 5, 1),  # from the 0 before the first day
        ((10, -3, 3, -2), 3, 1),  # back at the high on the third day; the later fall is shallower
        ((10, -3, 1, -4, 9), 6, 3),
        ((10, -5, 20, -5, -1, 1), 6, 3),  # still below at the end
        ((10, -5, 5, -5, 1, 1, 1), 5, 1),  # two falls as deep as one another: the first
    ],
)
def test_drawdown(daily: tuple[int, ...], deepest: int, length: int) -> None:
    found = statistics_of(*daily)
    assert (found["max_drawdown"], found["drawdown_days"]) == (deepest, length)


def undefined(found: dict[str, float]) -> set[str]:
    return {name for name, value in found.items() if np.isnan(value)}


def test_undefined_is_nan() -> None:
    moments = {"skewness", "kurtosis", "sharpe", "sharpe_se"}
    ratios = {"sortino", "profit_factor"}
    assert undefined(statistics_of()) == moments | ratios | {"mean", "sd", "best", "worst"}
    assert undefined(statistics_of(7)) == moments | ratios | {"sd"}
    assert undefined(statistics_of(-7)) == moments | {"sd", "sortino"}
    assert undefined(statistics_of(7, 7, 7)) == moments | ratios
    assert statistics_of(7, 7, 7)["sd"] == 0.0
    assert undefined(statistics_of(7, 8)) == ratios | {"sharpe", "sharpe_se"}
    assert undefined(statistics_of(-7, 8)) == {"sharpe", "sharpe_se"}
    assert undefined(statistics_of(-7, *range(8))) == {"sharpe", "sharpe_se"}  # nine days: too few for an error bar
    assert undefined(statistics_of(-7, *range(9))) == set()


def test_large_amounts_alike_are_still_alike() -> None:
    """A mean that float64 cannot hold exactly must not make a spread out of nothing."""
    assert undefined(statistics_of(2**53 + 1, 2**53 + 1, 2**53 + 1)) >= {"sharpe", "skewness"}


PROGRAM = """
import numpy as np
from algomaster.performance.statistics import DAILY_STATISTICS, daily_statistics
rng = np.random.default_rng(3)
for days in (0, 1, 2, 3, 7, 250, 1001):
    for scale in (3, 10_000, 900_000_000):
        out = np.empty(len(DAILY_STATISTICS))
        daily_statistics(rng.integers(-scale, scale, days), out)
        print(out.tobytes().hex())
"""


def test_jit_off_gives_the_same_bits() -> None:
    outputs = [
        subprocess.run(
            [sys.executable, "-W", "error", "-c", PROGRAM],
            env={**os.environ, "NUMBA_DISABLE_JIT": switch}, capture_output=True, text=True, check=True,
        ).stdout
        for switch in ("0", "1")
    ]  # fmt: skip
    assert outputs[0].count("\n") == 21
    assert outputs[0] == outputs[1]
