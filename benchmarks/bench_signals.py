"""1,000 pairs of moving averages on 100,000 bars with all trades, beside vectorbt and raptorbt; single runs.

The peers need a Python of their own, named in ``SIGNAL_PEERS_PYTHON`` (vectorbt, raptorbt); without it their rows are
left out. All do the same job: averages, crossings, simulation, all trades; ours writes every metric and the frame of
trades besides. Their trades are counted against ours before any time is told.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from algomaster import backtest
from algomaster.backtest.signals import inputs, steps, sweeping
from algomaster.core.jit import kernel
from algomaster.execution.bars_sweep import SignalTape
from measure import fastest_seconds, row

BARS = 100_000
PAIRS = [(fast, slow) for fast in range(5, 105, 4) for slow in range(fast + 10, fast + 210, 5)]
SETTINGS = {"fees": 0.0005, "slippage": 0.0002, "init_cash": 100_000.0}
TARGETS = {"vectorbt_kernel": 8.0, "raptorbt": 30.0, "vectorbt": 100.0}
NAMES = {
    "vectorbt_kernel": "vectorbt's kernel, 2 threads",
    "raptorbt": "raptorbt's batch",
    "vectorbt": "vectorbt's API",
}
FEW = {"vectorbt": 60}
"""Pairs that a slow peer runs; its time is told by the pair."""


def made_bars():
    """Index bars on a grid of 0.05."""
    rng = np.random.default_rng(11)
    close = np.round((400_000 + np.cumsum(rng.integers(-60, 61, BARS))) * 0.05, 2)
    begin = np.round(np.append(close[0], close[:-1]) + 0.05 * rng.integers(-5, 6, BARS), 2)
    high = np.round(np.maximum(begin, close) + 0.05 * rng.integers(0, 30, BARS), 2)
    low = np.round(np.minimum(begin, close) - 0.05 * rng.integers(0, 30, BARS), 2)
    return {"open": begin, "high": high, "low": low, "close": close}


def run():
    bars = made_bars()
    grid = [{"fast": fast, "slow": slow} for fast, slow in PAIRS]

    def ours(sets=grid):
        return backtest.signal_sweep("sma_cross", bars["close"], open=bars["open"], grid=sets, freq="1m", **SETTINGS)

    found = ours()
    check_equal(found, bars)
    rows = []
    python = os.environ.get("SIGNAL_PEERS_PYTHON")
    taken = [timed(ours) for _ in range(3)]
    peers = {}
    for peer in TARGETS if python else ():  # ours is timed between them, so that all share the machine's moods
        peers[peer] = ask(python, peer, bars, found)
        taken += [timed(ours) for _ in range(3)]
    wall, processors = np.median(taken, axis=0) / len(grid) * 1e3
    rows.append(row(f"sweep of {len(grid):,} pairs, {found.trades.height:,} trades kept", wall, "ms a pair"))
    rows.append(row("the same, time of processors", processors, "ms a pair"))
    for peer, (seconds, more) in peers.items():
        rows.append(row(f"{NAMES[peer]}: over ours", seconds[0] * 1e3 / wall, "x", TARGETS[peer]))
        rows.append(row(f"{NAMES[peer]}: time of processors over ours", seconds[1] * 1e3 / processors, "x"))
        rows.append(row(NAMES[peer], seconds[0] * 1e3, "ms a pair"))
        rows.append(row(f"{NAMES[peer]}: trades beyond ours, by float averages that should tie", more, "trades"))
    rows.append(row("peak memory of the sweep beyond the start", peak_megabytes(), "MB"))
    rows.append(row("one step of the moving averages in compiled code", step_seconds(bars) / BARS * 1e9, "ns", 100))
    signals = given_signals(bars["close"], 20, 100)
    one = {"open": bars["open"], "freq": "1m", **SETTINGS}
    seconds = fastest_seconds(lambda: backtest.from_signals(bars["close"], *signals, **one))
    rows.append(row("from_signals of 100,000 bars, trades, orders and metrics", seconds * 1e3, "ms"))
    return rows


def timed(call):
    """Seconds of a call by the wall and of processors; the second tells more where others use the machine too."""
    begun = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - begun[0], time.process_time() - begun[1]


def given_signals(close, fast, slow):
    """Crossings by whole ticks, in numpy."""
    sums = np.append(0, np.cumsum(np.rint(close * 100).astype(np.int64)))
    gap = np.zeros(close.size, np.int64)
    gap[slow - 1 :] = (sums[slow:] - sums[slow - fast : -fast]) * slow - (sums[slow:] - sums[:-slow]) * fast
    side = np.sign(gap)
    seen = np.maximum.accumulate(np.where(side != 0, np.arange(close.size), -1))
    held = np.where(seen >= 0, side[np.maximum(seen, 0)], 0)
    before = np.append(0, held[:-1])
    return (held > 0) & (before < 0), (held < 0) & (before > 0)


def check_equal(found, bars):
    """Every twentieth pair must be what given signals give, to the bit."""
    for number in range(0, len(PAIRS), 20):
        signals = given_signals(bars["close"], *PAIRS[number])
        one = backtest.from_signals(bars["close"], *signals, open=bars["open"], freq="1m", **SETTINGS).trades
        mine = found.trades.filter(found.trades["set"] == number)
        for name in ("entry_bar", "exit_bar", "entry_price", "exit_price", "size", "pnl"):
            if not np.array_equal(one[name].to_numpy(), mine[name].to_numpy()):
                raise SystemExit(f"sweep and given signals differ in {name} of pair {PAIRS[number]}")


def ask(python, peer, bars, found):
    """Seconds a pair of a peer, and its number of trades: ours but for ties of its float averages (one in 1,000)."""
    pairs = PAIRS[: FEW.get(peer, len(PAIRS))]
    case = {"fill": "next_open", "fees": SETTINGS["fees"], "slippage": SETTINGS["slippage"], "sweep": pairs}
    case |= {"cash": SETTINGS["init_cash"]}
    packed = {f"0/{name}": values[:, np.newaxis] for name, values in bars.items()}
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "case.npz", Path(folder) / "found.npz"
        np.savez(source, cases=np.array(json.dumps([case])), **packed)
        oracle = str(Path(__file__).with_name("signal_oracle.py"))
        command = [python, "-W", "ignore", oracle, f"time:{peer}", str(source), str(target)]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": ""}, stdout=sys.stderr)
        with np.load(target) as told:
            trades, seconds = int(told["trades"]), told["seconds"]
    mine = int((found.trades["set"] < len(pairs)).sum())
    if abs(trades - mine) > max(mine // 1_000, 1):
        raise SystemExit(f"{peer} made {trades} trades where ours are {mine}")
    return seconds / len(pairs), trades - mine


def step_seconds(bars):
    """Shortest time of the step alone over all bars."""
    step = steps.SIGNAL_STEPS["sma_cross"]
    tape, _ = sweeping.tape_of(
        inputs.read_bars(bars["close"], open=bars["open"], high=None, low=None, times=None, columns=1), None
    )
    params, walk = step.configure({"fast": 20, "slow": 100}).pack(), walker(step.step)
    return fastest_seconds(lambda: walk(np.zeros(1, step.state), params, tape))


def walker(step):
    @kernel
    def walk(state, params, tape: SignalTape):
        total = 0
        for i in range(tape.close.size):
            total += step(state, params, tape, i)
        return total

    return walk


def peak_megabytes():
    """Peak resident memory of the sweep above that of a warm process (Linux)."""
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import bench_signals as b\n"
        "from algomaster import backtest\n"
        "bars = b.made_bars()\n"
        "grid = [{'fast': f, 'slow': s} for f, s in b.PAIRS]\n"
        "def go(sets):\n"
        "    return backtest.signal_sweep('sma_cross', bars['close'], open=bars['open'], grid=sets, fees=0.0005)\n"
        "go(grid[:3])\n"
        "read = lambda key: [int(l.split()[1]) for l in open('/proc/self/status') if l.startswith(key)][0]\n"
        "before = read('VmRSS'); open('/proc/self/clear_refs', 'w').write('5')\n"
        "kept = go(grid)\n"
        "print(read('VmHWM') - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024
