"""Metrics against published worked examples and against scipy."""

import math

import numpy as np
import pytest
from scipy import stats

from algomaster.performance.deflation import deflated_sharpe, expected_best_sharpe, trial_variance
from algomaster.performance.metrics import summarize, wilson_interval
from algomaster.performance.statistics import FEWEST_DAYS, sharpe_standard_error


@pytest.mark.parametrize(
    ("trials", "skewness", "kurtosis", "expected"),
    [
        (100, -3.0, 10.0, 0.9004),  # "a DSR of 0.9004", with N = 100 trials
        (46, -3.0, 10.0, 0.9505),  # the same after only 46 trials
        (88, 0.0, 3.0, 0.9505),  # normal returns would have allowed 88
    ],
)
def test_deflated_sharpe_of_the_paper(trials: int, skewness: float, kurtosis: float, expected: float) -> None:
    """Bailey and Lopez de Prado (2014), "A numerical example": SR 2.5 a year, 1,250 days of 250 a year, V = 1/2."""
    daily = 2.5 / math.sqrt(250)
    error = sharpe_standard_error(daily, 1250, skewness, kurtosis)
    found = deflated_sharpe(daily, error, trials=trials, trial_variance=0.5 / 250)
    assert found == pytest.approx(expected, abs=5e-5)


def test_expected_best_of_the_paper() -> None:
    """The same example: the best of 100 worthless trials is expected to show 0.1132 a day."""
    assert expected_best_sharpe(100, 0.5 / 250) == pytest.approx(0.1132, abs=5e-5)


@pytest.mark.parametrize(("skewness", "kurtosis", "expected"), [(0.0, 3.0, 0.982), (-2.448, 10.164, 0.913)])
def test_probabilistic_sharpe_of_the_paper(skewness: float, kurtosis: float, expected: float) -> None:
    """Bailey and Lopez de Prado (2012): a monthly SR of 0.458 over 24 months, as if normal and as it was."""
    error = sharpe_standard_error(0.458, 24, skewness, kurtosis)
    assert deflated_sharpe(0.458, error) == pytest.approx(expected, abs=5e-4)


def test_standard_error_of_normal_returns_is_that_of_lo() -> None:
    """Lo (2002): sqrt((1 + S^2/2) / T)."""
    assert sharpe_standard_error(1.0, 61, 0.0, 3.0) == pytest.approx(math.sqrt(1.5 / 60), rel=1e-14)


def test_standard_error_is_the_spread_seen_in_simulation() -> None:
    """Skewed, fat-tailed days: the spread of 4,000 measured ratios is what the formula says, within 3 %."""
    rng = np.random.default_rng(20)
    days = 0.15 - (rng.gamma(4.0, 0.5, (4000, 400)) - 2.0)
    seen = days.mean(axis=1) / days.std(axis=1, ddof=1)
    expected = sharpe_standard_error(0.15, 400, -2 / math.sqrt(4.0), 3.0 + 6 / 4.0)
    assert seen.std() == pytest.approx(expected, rel=0.03)
    assert abs(seen.std() / sharpe_standard_error(0.15, 400, 0.0, 3.0) - 1.0) > 0.04  # skewness matters here


@pytest.mark.parametrize("days", [2, 3, 40, 1250])
def test_against_scipy(days: int) -> None:
    daily = np.random.default_rng(days).integers(-5_000_000, 6_000_000, days)
    found = summarize(daily, totals=[0] * 6, intraday_drawdown_paise=0)
    rupees = daily / 100.0
    sharpe = rupees.mean() / rupees.std(ddof=1)
    skewness, kurtosis = stats.skew(rupees), stats.kurtosis(rupees, fisher=False)
    error = math.sqrt((1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2) / (days - 1))
    expected = {
        "mean_day": rupees.mean(),
        "sd_day": rupees.std(ddof=1),
        "mean_day_se": stats.sem(rupees),
        "skewness": skewness,
        "kurtosis": kurtosis,
        "sharpe": sharpe * math.sqrt(252),
        "sharpe_se": error * math.sqrt(252),
        "sharpe_low": (sharpe + stats.norm.ppf(0.025) * error) * math.sqrt(252),
        "sharpe_high": (sharpe + stats.norm.ppf(0.975) * error) * math.sqrt(252),
        "sortino": rupees.mean() / math.sqrt((np.minimum(rupees, 0) ** 2).mean()) * math.sqrt(252),
        "deflated_sharpe": stats.norm.cdf(sharpe / error),
        "profit_factor_days": rupees[rupees > 0].sum() / -rupees[rupees < 0].sum(),
        "best_day": rupees.max(),
        "worst_day": rupees.min(),
        "pnl": rupees.sum(),
    }
    if days < FEWEST_DAYS:
        expected |= dict.fromkeys(("sharpe", "sharpe_se", "sharpe_low", "sharpe_high", "deflated_sharpe"), math.nan)
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-10, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize(("wins", "number"), [(0, 1), (1, 1), (0, 20), (20, 20), (7, 20), (285, 524)])
def test_wilson_interval_is_that_of_scipy(wins: int, number: int) -> None:
    low, high = wilson_interval(wins, number)
    expected = stats.binomtest(wins, number).proportion_ci(0.95, method="wilson")
    assert float(low) == pytest.approx(expected.low, abs=1e-12)
    assert float(high) == pytest.approx(expected.high, abs=1e-12)


def test_wilson_interval_of_the_textbook() -> None:
    """Newcombe, Statistics in Medicine 17 (1998), table I, method 3: 81 of 263 gives 0.2553 to 0.3662."""
    low, high = wilson_interval(81, 263)
    assert (float(low), float(high)) == (pytest.approx(0.2553, abs=5e-5), pytest.approx(0.3662, abs=5e-5))


def test_trial_variance_leaves_undefined_ratios_out() -> None:
    assert trial_variance([1.0, math.nan, 2.0, 4.0]) == pytest.approx(np.var([1.0, 2.0, 4.0], ddof=1))
    assert math.isnan(trial_variance([1.0, math.nan]))
