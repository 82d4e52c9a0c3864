"""Tests of many trials: 10,000 strategies x 250 days, the parts and the whole, checked against plain tellings first."""

import itertools
import subprocess
import sys

import numba
import numpy as np

from algomaster import performance
from algomaster.performance.trials.overfit import _best, _cross_validated, _snooped
from measure import median_seconds, row

DAYS, STRATEGIES, RESAMPLES = 250, 10_000, 1000
TARGET = 5.0  # separate prototypes of the three: 5.3 s


def run():
    check_equal()
    returns = np.random.default_rng(1).normal(size=(DAYS, STRATEGIES))
    performance.overfitting(returns[:, :50])
    rows = []
    for threads in (1, 2):
        numba.set_num_threads(threads)
        whole = median_seconds(lambda: performance.overfitting(returns), repeats=5)
        target = TARGET if threads == 2 else None
        rows.append(row(f"PBO + Reality Check + SPA + deflated Sharpe, {threads} thread(s)", whole, "s", target))
    rows.append(row("of it CSCV, 12,870 splits", median_seconds(lambda: _cross_validated(returns, 16)), "s"))
    rows.append(row("of it Reality Check and SPA", median_seconds(lambda: _snooped(returns, RESAMPLES, 15.0, 0)), "s"))
    rows.append(row("of it the deflated Sharpe", median_seconds(lambda: _best(returns, STRATEGIES)), "s"))
    splits = 30
    seconds = median_seconds(lambda: plain_cscv(returns, splits=splits), repeats=3) * 12_870 / splits
    cscv = rows[2]["measured"]
    rows.append(row("CSCV in numpy, sums of blocks split by split (from 30 splits)", seconds, "s"))
    rows.append(row("CSCV against that", seconds / cscv, "x"))
    if (peer := arch_seconds(returns)) is not None:
        rows.append(row("Reality Check and SPA against arch (10 resamples, scaled)", peer / rows[3]["measured"], "x"))
    rows.append(row("peak memory beside the returns", peak_megabytes(), "MB"))
    days = np.random.default_rng(2).normal(size=2500)
    rows.append(
        row("1,000 shuffled drawdowns of 250 days",
            median_seconds(lambda: performance.shuffled_drawdowns(days[:250])) * 1e3, "ms")
    )  # fmt: skip
    rows.append(
        row("1,000 shuffled drawdowns of 2,500 days",
            median_seconds(lambda: performance.shuffled_drawdowns(days)) * 1e3, "ms")
    )  # fmt: skip
    return rows


def plain_cscv(returns, *, blocks=16, splits=None):
    """The share of splits whose best is at most the median elsewhere, by numpy alone."""
    parts = np.array_split(returns, blocks)
    sums = np.stack([part.sum(axis=0) for part in parts])
    squares = np.stack([(part * part).sum(axis=0) for part in parts])
    low = []
    for picked in itertools.islice(itertools.combinations(range(blocks), blocks // 2), splits):
        others = [b for b in range(blocks) if b not in picked]
        inside, outside = (
            (total := sums[list(chosen)].sum(axis=0)) * abs(total) / squares[list(chosen)].sum(axis=0)
            for chosen in (picked, others)
        )
        best = inside.argmax()
        low.append((outside < outside[best]).sum() + 1 <= (returns.shape[1] + 1) / 2)
    return float(np.mean(low))


def check_equal():
    """PBO of whole numbers must be that of the plain telling."""
    returns = np.random.default_rng(3).integers(-10_000, 10_001, (80, 101)) * 1.0
    ours, plain = performance.overfitting(returns, resamples=1, blocks=10).pbo, plain_cscv(returns, blocks=10)
    if ours != plain:
        raise SystemExit(f"PBO differs from the plain telling: {ours} and {plain}")


def arch_seconds(returns):
    """Seconds of arch for 1,000 resamples (None without it)."""
    try:
        from arch.bootstrap import SPA
    except ImportError:
        return None

    def whole():
        SPA(np.zeros(DAYS), -returns, block_size=15, reps=10, seed=1).compute()

    return median_seconds(whole, repeats=3) * RESAMPLES / 10


def peak_megabytes():
    """Growth of the peak resident memory of a warm process (Linux: the high-water mark is reset before)."""
    code = (
        "import numpy as np\n"
        "from algomaster import performance\n"
        f"returns = np.random.default_rng(1).normal(size=({DAYS}, {STRATEGIES}))\n"
        "performance.overfitting(returns[:, :50])\n"
        "def kilobytes(name):\n"
        "    return [int(x.split()[1]) for x in open('/proc/self/status') if x.startswith(name)][0]\n"
        "open('/proc/self/clear_refs', 'w').write('5')\n"
        "before = kilobytes('VmRSS')\n"
        "performance.overfitting(returns)\n"
        "print(kilobytes('VmHWM') - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024
