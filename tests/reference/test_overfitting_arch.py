"""Reality Check and SPA against the package arch, and PBO and the deflated ratio where the truth is known.

The figures of arch (version 8.0.0, numpy 2.4.6) were computed by::

    test = arch.bootstrap.SPA(np.zeros(250), -days, block_size=15, reps=40_000, seed=seed)
    test.compute(); test.pvalues  # lower, consistent, upper; and test._loss_diff_var

on ``made(seed)`` below. arch compares means and divides by nothing; so its upper p-value is White's Reality Check, and
on columns divided by their standard deviations its three p-values are those of the studentised test.
"""

import math

import numpy as np
import pytest
from scipy import stats

from algomaster.performance import overfitting
from algomaster.performance.deflation import deflated_sharpe, expected_best_sharpe
from algomaster.performance.trials.bootstrap import long_run_variance

RESAMPLES = 10_000
ARCH = {
    1: (0.8344, (0.1249, 0.2321, 0.2469), (9978737.10962992, 615642.5195943703, 7663223.864270322)),
    2: (0.4091, (0.5269, 0.6866, 0.7010), (9809987.616468573, 20936577.595863253, 10276608.812565442)),
    3: (0.7638, (0.2465, 0.4082, 0.4546), (2202430.139496148, 1840270.1312949744, 696285.7153923658)),
    4: (0.6312, (0.3489, 0.5662, 0.5851), (6988664.023159434, 1541461.205839402, 1927068.2862368433)),
}


def made(seed, days=250, columns=40):
    draw = np.random.default_rng(seed)
    steps = draw.integers(-1000, 1001, (days, columns))
    steps = steps * draw.integers(1, 6, columns)  # columns of different size
    for t in range(1, days):
        steps[t] += steps[t - 1] // 3  # days that depend on one another
    return steps + draw.integers(-150, 60, columns)


@pytest.mark.parametrize("seed", ARCH)
def test_against_arch(seed):
    check, studentised, variances = ARCH[seed]
    found = overfitting(made(seed), blocks=2, resamples=RESAMPLES, block_length=15, seed=seed)
    ours = found.reality_check_p, found.spa_lower_p, found.spa_p, found.spa_upper_p
    for mine, theirs in zip(ours, (check, *studentised)):
        chance = math.sqrt(theirs * (1 - theirs) * (1 / RESAMPLES + 1 / 40_000))
        assert mine == pytest.approx(theirs, abs=4 * chance)
    days = made(seed) - made(seed).mean(axis=0)
    assert long_run_variance(days, 15.0)[:3] == pytest.approx(variances, rel=1e-12)


def test_the_data_are_those_arch_had():
    assert [int(made(seed).sum()) for seed in ARCH] == [-665_468, -484_156, -706_035, -718_012]


def test_deflated_ratio_is_that_of_its_parts():
    """All by scipy: ratio, moments and variance of the trials."""
    days = made(1) * 1.0
    found = overfitting(days, blocks=2, resamples=1)
    sharpes = days.mean(axis=0) / days.std(axis=0, ddof=1)
    best = int(sharpes.argmax())
    column = days[:, best]
    skewness, kurtosis = stats.skew(column), stats.kurtosis(column, fisher=False)
    error = math.sqrt((1 - skewness * sharpes[best] + (kurtosis - 1) / 4 * sharpes[best] ** 2) / 249)
    assert (found.best, found.name) == (best, best)
    assert found.sharpe == pytest.approx(sharpes[best] * math.sqrt(252), rel=1e-12)
    assert found.sharpe_se == pytest.approx(error * math.sqrt(252), rel=1e-10)
    variance = sharpes.var(ddof=1)
    assert found.expected_best == pytest.approx(expected_best_sharpe(40, variance) * math.sqrt(252), rel=1e-10)
    expected = stats.norm.cdf((sharpes[best] - expected_best_sharpe(40, variance)) / error)
    assert found.deflated_sharpe == pytest.approx(expected, rel=1e-9)
    correlation = np.corrcoef(days.T)[np.triu_indices(40, 1)].mean()
    effective = max(0.0, correlation) + (1 - max(0.0, correlation)) * 40
    assert found.effective_trials == pytest.approx(effective, rel=1e-9)
    kinder = deflated_sharpe(
        found.sharpe, found.sharpe_se, trials=round(effective), trial_variance=float(variance * 252)
    )
    assert found.effective_deflated == pytest.approx(kinder, rel=1e-9)


def test_effective_trials_of_copies_are_one_and_of_strangers_all():
    days = np.random.default_rng(3).normal(size=(3000, 1))
    assert overfitting(np.tile(days, (1, 50)), blocks=2, resamples=1).effective_trials == pytest.approx(1.0, abs=1e-6)
    together = days + np.random.default_rng(4).normal(size=(3000, 50))  # correlated by a half
    assert overfitting(together, blocks=2, resamples=1).effective_trials == pytest.approx(0.5 + 0.5 * 50, rel=0.05)


def test_noise_is_found_to_be_noise():
    """PBO about a half; p-values spread over 0 to 1: over 40 sets of noise none of it strays by more than chance."""
    found = [
        overfitting(np.random.default_rng(seed).normal(size=(120, 25)), blocks=8, resamples=199, seed=seed)
        for seed in range(40)
    ]
    pbo = np.array([one.pbo for one in found])
    assert pbo.mean() == pytest.approx(0.5, abs=3 * pbo.std() / math.sqrt(40) + 0.02)
    for name in ("reality_check_p", "spa_p"):
        assert stats.kstest([getattr(one, name) for one in found], "uniform").pvalue > 0.01, name
    assert 0.2 < np.mean([one.deflated_sharpe for one in found]) < 0.8


def test_one_true_winner_is_found():
    days = np.random.default_rng(8).normal(size=(500, 200))
    days[:, 137] += 0.3  # a Sharpe ratio of 4.8 a year
    found = overfitting(days)
    assert found.best == 137
    assert found.pbo < 0.001
    assert (found.reality_check_p, found.spa_p) < (0.01, 0.01)
    assert found.deflated_sharpe > 0.95
    assert found.loss_probability < 0.001
    assert (found.chosen == 137).mean() > 0.99


def test_what_went_well_must_go_badly_in_a_zero_sum_of_days():
    """Every column makes nothing over all days: the better in the sample, the worse elsewhere."""
    days = np.random.default_rng(2).normal(size=(160, 100))
    found = overfitting(days - days.mean(axis=0))
    assert found.pbo > 0.99
    assert found.degradation[0] < -0.5
    assert found.loss_probability > 0.99
