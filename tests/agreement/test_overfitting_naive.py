"""The compiled tests of many trials against their plain tellings, and against themselves with the JIT off."""

import os
import subprocess
import sys

import numpy as np
import pytest

from algomaster.performance import overfitting
from algomaster.performance.trials.bootstrap import long_run_variance, stationary_indices
from algomaster.performance.trials.overfit import _snooped
from naive import overfitting as naive


def whole(seed, days, columns, *, reach=1000):
    """Whole rupees: their sums are exact, so equal means equal."""
    return np.random.default_rng(seed).integers(-reach, reach + 1, (days, columns))


@pytest.mark.parametrize(
    ("days", "columns", "blocks", "reach"),
    [(40, 7, 4, 1000), (53, 30, 6, 1000), (61, 12, 8, 3), (96, 5, 10, 1000), (20, 2, 2, 1000), (64, 300, 8, 1000)],
)
def test_every_split_is_that_of_the_plain_telling(days, columns, blocks, reach):
    """Uneven blocks and, with few different amounts, ties included."""
    returns = whole(days, days, columns, reach=reach)
    returns[:, 0] = 0  # a set that never trades
    found = overfitting(returns, blocks=blocks, resamples=1)
    share = 1.0 / (1.0 + np.exp(-found.logits))
    ours = sorted(zip(found.chosen.tolist(), np.round(share * (columns + 1) * 2).astype(int).tolist()))
    theirs = naive.cscv(returns, blocks)
    assert ours == sorted((best, round(2 * rank)) for best, rank in theirs)
    assert found.pbo == np.mean([rank <= (columns + 1) / 2 for _, rank in theirs])


def test_sixteen_blocks_are_the_12870_of_the_paper():
    found = overfitting(whole(1, 80, 4), resamples=1)
    assert found.blocks == 16
    assert found.logits.size == 12_870
    assert found.pbo == pytest.approx(np.mean([rank <= 2.5 for _, rank in naive.cscv(whole(1, 80, 4), 16)]), abs=1e-12)


def test_sharpe_ratios_in_and_out_of_the_sample():
    returns = whole(5, 40, 6)
    found = overfitting(returns, blocks=2, resamples=1)
    first, second = naive.sharpes(returns[:20]), naive.sharpes(returns[20:])
    k, m = int(first.argmax()), int(second.argmax())
    assert found.in_sample == pytest.approx(np.array([first[k], second[m]]) * 252**0.5, rel=1e-12)
    assert found.out_of_sample == pytest.approx(np.array([second[k], first[m]]) * 252**0.5, rel=1e-12)


@pytest.mark.parametrize("block_length", [1.0, 2.5, 7.0, 40.0])
def test_long_run_variance(block_length):
    returns = np.cumsum(whole(3, 40, 5), axis=0) * 1.0
    found = long_run_variance(returns - returns.mean(axis=0), block_length)
    assert found == pytest.approx([naive.long_run_variance(column, block_length) for column in returns.T], rel=1e-9)


@pytest.mark.parametrize(
    ("seed", "columns", "block_length"), [(1, 1, 1.0), (2, 20, 5.0), (3, 300, 9.0), (4, 600, 60.0)]
)
def test_p_values_are_those_of_every_resample_summed_day_by_day(seed, columns, block_length):
    returns = whole(seed, 60, columns) - 40.0
    places = stationary_indices(60, resamples=99, block_length=block_length, seed=seed)
    found = _snooped(returns, 99, block_length, seed)
    assert list(found) == naive.snooping(returns, places, block_length)


def test_blocks_have_their_length_and_go_round_the_end():
    places = stationary_indices(50, resamples=4000, block_length=5.0, seed=1)
    follows = places[:, 1:] == (places[:, :-1] + 1) % 50
    # A new block goes on by chance once in 50.
    assert follows.mean() == pytest.approx(1 - (1 / 5) * (49 / 50), abs=0.003)
    assert ((places[:, 1:] == 0) & (places[:, :-1] == 49)).any()
    assert np.bincount(places.ravel()).min() > 3000  # every day is as likely


PROGRAM = """
import numba, numpy as np
from algomaster.performance import overfitting
if {threads}:
    numba.set_num_threads({threads})
draw = np.random.default_rng(9)
returns = np.round(draw.normal(size=(45, 270)), 3)
found = overfitting(returns, blocks=6, resamples=20)
for part in (found.logits, found.chosen, found.in_sample, found.out_of_sample, np.array(found.drawdown.simulated)):
    print(part.tobytes().hex())
print([repr(value) for value in found.to_dict().values()])
"""


def test_jit_off_and_any_number_of_threads_give_the_same_bits():
    outputs = [
        subprocess.run(
            [sys.executable, "-W", "error", "-c", PROGRAM.format(threads=threads)],
            env={**os.environ, "NUMBA_DISABLE_JIT": off}, capture_output=True, text=True, check=True,
        ).stdout
        for off, threads in (("0", 1), ("0", 2), ("1", 0))
    ]  # fmt: skip
    assert len(outputs[0]) > 1000
    assert outputs[0] == outputs[1] == outputs[2]
