"""The straddle sweep on 250 simulated days: time a parameter-bar, against a bare loop, and memory by number of sets."""

import subprocess
import sys

import numba
import numpy as np

from algomaster import backtest, market, strategy
from algomaster.backtest.drivers import sweep_driver
from algomaster.backtest.session import prepare
from algomaster.execution.ledger import FILL, new_account
from algomaster.strategy.steps.contract import PPM
from measure import median_seconds, row

SESSIONS, MINUTES, STRIKES = 250, 375, 41
STOPS = [round(10 + 0.25 * k, 2) for k in range(160)]
ENTRIES = [f"09:{minute}" for minute in range(20, 60, 5)]


@numba.njit(nogil=True)
def bare(spot, close, opens, high, strikes, step, entry, leave, ppm, tick, quantity):
    """Nothing but the straddle on one session: what a loop costs that can do nothing else. Gives paise."""
    money = (2 * spot[entry] + step) // (2 * step) * step
    k = np.searchsorted(strikes, money)
    total = 0
    for right in range(2):
        price = opens[0, k, right, entry + 1]
        stop = -((-price * (PPM + ppm)) // PPM)
        out = opens[0, k, right, leave]
        for i in range(entry + 1, leave):
            if high[0, k, right, i] >= stop:
                out = max(stop, opens[0, k, right, i]) if i > entry + 1 else stop
                break
        total += (price - out) * quantity * tick
    return total


def run():
    days = market.simulate("NIFTY", sessions=SESSIONS + 5, start="2024-01-01", strikes=STRIKES, seed=7)
    days = market.Days([day for day in days if day.ts.size == MINUTES][:SESSIONS])  # the bare loop knows no short day
    straddle = strategy.get("straddle")
    grid = {"entry": ENTRIES, "stop_pct": STOPS}
    sets = backtest.sweep(straddle, days, grid=grid, params={"exit": "15:15"}, costs=False)
    check_equal(straddle, days, sets)
    params = np.concatenate(
        [straddle.configure({"exit": "15:15", "entry": e, "stop_pct": s}).pack() for e in ENTRIES for s in STOPS]
    )
    sessions = [prepare(day, fills="next_open", costs=True) for day in days]
    bars = params.size * sum(day.ts.size for day in days)
    rows = []
    for threads in (1, 2):
        numba.set_num_threads(threads)
        seconds = median_seconds(lambda: compiled(straddle, sessions, params), repeats=3)
        target = 15 if threads == 1 else None
        rows.append(row(f"straddle sweep, {threads} thread(s)", seconds / bars * 1e9, "ns a parameter-bar", target))
    numba.set_num_threads(1)
    loop = median_seconds(lambda: bare_sweep(days, sets.frame), repeats=3)
    rows.append(row("the same by a bare loop without book, ledger or costs", loop / bars * 1e9, "ns a parameter-bar"))
    rows.append(row("ratio to the bare loop", rows[0]["measured"] / rows[-1]["measured"], "times"))
    numba.set_num_threads(2)
    one = median_seconds(lambda: backtest.replay(straddle, days, params={"stop_pct": 25}), repeats=3)
    rows.append(row("replay of 250 days with all records", one, "s"))
    many = {"entry": ENTRIES, "stop_pct": [round(5 + 0.04 * k, 2) for k in range(1250)]}
    seconds = median_seconds(lambda: backtest.sweep(straddle, days, grid=many), repeats=1)
    rows.append(row("10,000 parameter sets in one call, all metrics", seconds, "s"))
    peaks = [peak_megabytes(count) for count in (1_000, 10_000)]
    rows.append(row("peak memory, 1,000 sets over 25 days", peaks[0], "MB"))
    rows.append(row("peak memory, 10,000 sets over 25 days", peaks[1], "MB"))
    rows.append(row("memory a further set", (peaks[1] - peaks[0]) / 9_000 * 1e3, "kB", 10))
    return rows


def compiled(straddle, sessions, params):
    drive = sweep_driver(straddle.step)
    states, accounts = np.zeros(params.size, straddle.state), new_account(params.size)
    for session in sessions:
        fills = np.zeros((params.size, 0), FILL), np.zeros((params.size, 1), np.int64)
        equity = np.zeros((params.size, 0), np.int64)
        drive(session.day, session.tape, session.terms, params, states, accounts, *fills, equity)


def bare_sweep(days, frame):
    totals = np.zeros(frame.height, np.int64)
    settings = [
        (int(entry[:2]) * 60 + int(entry[3:]) - 556, round(stop * PPM / 100))
        for entry, stop in frame.select("entry", "stop_pct").rows()
    ]
    for day in days:
        tape = (day.spot, day.close, day.open, day.high, day.strikes, day.strike_step[0])
        leave = 915 - day.first_minute
        for p, (entry, ppm) in enumerate(settings):
            totals[p] += bare(*tape, entry, leave, ppm, day.tick, day.lot[0])
    return totals


def check_equal(straddle, days, sets):
    """The bare loop, the sweep and a replay must agree before anything is timed."""
    totals = bare_sweep(days, sets.frame)
    wrong = int((totals != np.rint(sets.frame["pnl"].to_numpy() * 100).astype(np.int64)).sum())
    if wrong:
        raise SystemExit(f"{wrong} of {totals.size} sets differ from the bare loop")
    first = sets.frame.row(0, named=True)
    params = {"exit": "15:15", "entry": first["entry"], "stop_pct": first["stop_pct"]}
    if backtest.replay(straddle, days, params=params, costs=False).fingerprint != first["fingerprint"]:
        raise SystemExit("sweep and replay differ")


def peak_megabytes(count):
    """Peak resident memory while a warm process sweeps so many sets (Linux: the high-water mark is reset before)."""
    code = (
        "from algomaster import backtest, market\n"
        "days = market.simulate('NIFTY', sessions=25, start='2024-01-01', strikes=41, seed=7)\n"
        "backtest.sweep('straddle', days, grid={'stop_pct': [5, 6]})\n"
        "open('/proc/self/clear_refs', 'w').write('5')\n"
        f"grid = {{'stop_pct': [5 + 0.005 * k for k in range({count})]}}\n"
        "backtest.sweep('straddle', days, grid=grid)\n"
        "print([line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')][0])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024
