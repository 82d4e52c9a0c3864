"""The straddle sweep on 250 simulated days: a parameter-bar, all trades, a million sets, a peer, memory.

raptorbt is a peer where ``RAPTORBT_PYTHON`` names a Python that has it; its row is left out otherwise. ``MILLION=no``
leaves out the million sets, which take minutes.
"""

import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numba
import numpy as np

from algomaster import backtest, market, strategy
from algomaster.backtest.drivers import sweep_driver
from algomaster.backtest.session import prepare
from algomaster.execution.ledger import FILL, new_account
from algomaster.execution.overnight import new_held
from algomaster.strategy.steps.contract import PPM
from measure import fastest_seconds, median_seconds, row

HERE = Path(__file__).resolve().parent
SESSIONS, MINUTES, STRIKES = 250, 375, 41
STOPS = [round(10 + 0.25 * k, 2) for k in range(160)]
ENTRIES = [f"09:{minute}" for minute in range(20, 60, 5)]
TEN_THOUSAND = {"entry": ENTRIES, "stop_pct": [round(5 + 0.04 * k, 2) for k in range(1250)]}
PARAMS = {"exit": "15:15"}
PEER_STOPS = [round(5 + 0.5 * k, 1) for k in range(64)]


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


def simulated():
    days = market.simulate("NIFTY", sessions=SESSIONS + 5, start="2024-01-01", strikes=STRIKES, seed=7)
    return market.Days([day for day in days if day.ts.size == MINUTES][:SESSIONS])  # the bare loop knows no short day


def run():
    days = simulated()
    straddle = strategy.get("straddle")
    grid = {"entry": ENTRIES, "stop_pct": STOPS}
    sets = backtest.sweep(straddle, days, grid=grid, params=PARAMS, costs=False)
    check_equal(straddle, days, sets)
    return [*bars(days, straddle, sets), *sweeps(days, straddle), *peer(days, straddle), *million(), *memory()]


def bars(days, straddle, sets):
    params = np.concatenate(
        [straddle.configure(PARAMS | {"entry": e, "stop_pct": s}).pack() for e in ENTRIES for s in STOPS]
    )
    sessions = [prepare(day, fills="next_open", costs=True) for day in days]
    count = params.size * sum(day.ts.size for day in days)
    seconds = fastest_seconds(lambda: compiled(straddle, sessions, params), repeats=5, seconds=30)
    loop = fastest_seconds(lambda: bare_sweep(days, sets.frame), repeats=3, seconds=30)
    one = median_seconds(lambda: backtest.replay(straddle, days, params={"stop_pct": 25}), repeats=3)
    return [
        row("straddle sweep, one thread", seconds / count * 1e9, "ns a parameter-bar", 15),
        row("the same by a bare loop without book, ledger or costs", loop / count * 1e9, "ns a parameter-bar"),
        row("ratio to the bare loop", seconds / loop, "times"),
        row("replay of 250 days with all records", one, "s"),
    ]


def sweeps(days, straddle):
    """10,000 sets, whole calls: settings checked, run, metrics; what is kept is the same (checked first)."""
    kept = backtest.sweep(straddle, days, grid=TEN_THOUSAND, params=PARAMS, trades=True)
    lean = backtest.sweep(straddle, days, grid=TEN_THOUSAND, params=PARAMS, workers=1)
    if lean.digest != kept.digest or kept.trades.height != kept.frame["trades"].sum():
        raise SystemExit("a sweep that keeps its trades gives something else")
    del kept, lean
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, how, target in (
            ("10,000 sets x 250 days, all metrics", {}, None),
            ("10,000 sets x 250 days, charges and all trades kept", {"trades": True}, 2.3),
            ("10,000 sets x 250 days, all trades written to Parquet", {"trades": Path(folder) / "all.parquet"}, None),
        ):
            call = functools.partial(backtest.sweep, straddle, days, grid=TEN_THOUSAND, params=PARAMS, **how)
            rows.append(row(name, fastest_seconds(call, repeats=5, seconds=60), "s", target))
    return rows


def peer(days, straddle):
    python = os.environ.get("RAPTORBT_PYTHON")
    if not python:
        return []
    own = backtest.replay(straddle, days, params=PARAMS | {"entry": "09:20", "stop_pct": PEER_STOPS[0]}, costs=False)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "legs.npz"
        legs = cut(days, own)
        np.savez(source, stops=np.array(PEER_STOPS), **legs)
        done = subprocess.run(
            [python, str(HERE / "raptorbt_peer.py"), str(source)], capture_output=True, text=True, check=True
        )
    said = json.loads(done.stdout)
    if said["exits"] != exit_bars(days, own):
        raise SystemExit("raptorbt leaves in other minutes")
    grid = {"entry": ["09:20"], "stop_pct": [round(5 + 0.005 * k, 3) for k in range(6400)]}
    seconds = fastest_seconds(lambda: backtest.sweep(straddle, days, grid=grid, params=PARAMS, trades=True), repeats=3)
    ours = 6400 / seconds
    return [
        row("variants a second, raptorbt's batch without costs on ready-cut legs", said["variants_a_second"], "1/s"),
        row("variants a second, ours with costs and all trades, strikes chosen inside", ours, "1/s"),
        row("times raptorbt's batch", ours / said["variants_a_second"], "x", 30),
    ]


def cut(days, own):
    """Cut the two legs of every session out of the chains and join them: what the peer must be given."""
    columns = {name: [[], []] for name in ("open", "high", "low", "close")}
    traded = {(t["session"], t["right"]): t["strike"] for t in own.trades.to_dicts()}
    entries, exits = [], []
    for day in days:
        for j, right in enumerate(("CE", "PE")):
            k = int(np.flatnonzero(day.strikes == round(traded[day.session, right] * 100))[0])
            for name, legs in columns.items():
                legs[j].append(getattr(day, name)[0, k, j].astype(np.float64))
        minute = day.first_minute + 1 + np.arange(MINUTES)
        entries.append(minute == 9 * 60 + 20)
        exits.append(minute == 15 * 60 + 15)
    joined = {name: np.array([np.concatenate(leg) for leg in legs]) for name, legs in columns.items()}
    ts = np.concatenate([day.ts for day in days])
    return joined | {"ts": ts, "entries": np.concatenate(entries), "exits": np.concatenate(exits)}


def exit_bars(days, own):
    first = {day.session: n * MINUTES for n, day in enumerate(days)}
    start = {day.session: int(day.ts[0]) for day in days}
    found = [[], []]
    for right, session, at in own.trades.select("right", "session", "exit_time").rows():
        minute = (int(np.datetime64(at.replace(tzinfo=None), "ns").astype(np.int64)) - 19_800_000_000_000) - start[
            session
        ]
        found[right == "PE"].append(first[session] + minute // 60_000_000_000)
    return found


def compiled(straddle, sessions, params):
    drive = sweep_driver(straddle.step)
    states, accounts, held = np.zeros(params.size, straddle.state), new_account(params.size), new_held(params.size)
    for session in sessions:
        fills = np.zeros((params.size, 0), FILL), np.zeros((params.size, 1), np.int64)
        equity = np.zeros((params.size, 0), np.int64)
        drive(*session, params, states, accounts, held, *fills, equity)


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
    params = PARAMS | {"entry": first["entry"], "stop_pct": first["stop_pct"]}
    if backtest.replay(straddle, days, params=params, costs=False).fingerprint != first["fingerprint"]:
        raise SystemExit("sweep and replay differ")


def million():
    if os.environ.get("MILLION", "yes") == "no":
        return []
    code = (
        "import resource, time\n"
        "from algomaster import backtest\n"
        "from bench_backtest import ENTRIES, PARAMS, simulated\n"
        "days = simulated()\n"
        "backtest.sweep('straddle', days, grid={'stop_pct': [5, 6]}, params=PARAMS)\n"
        "grid = {'entry': ENTRIES, 'stop_pct': [round(5 + 0.0004 * k, 4) for k in range(125_000)]}\n"
        "begun = time.perf_counter()\n"
        "found = backtest.sweep('straddle', days, grid=grid, params=PARAMS, memory='2GB')\n"
        "seconds = time.perf_counter() - begun\n"
        "assert found.frame.height == 1_000_000\n"
        "print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)\n"
    )
    seconds, megabytes = map(float, python(code).split())
    return [
        row("1,000,000 sets x 250 days, all metrics", seconds / 60, "minutes", 4),
        row("peak memory of the process that does it, sessions included", megabytes, "MB", 2000),
    ]


def memory():
    peaks = [peak_megabytes(count) for count in (1_000, 10_000)]
    return [
        row("peak memory, 1,000 sets over 25 days", peaks[0], "MB"),
        row("peak memory, 10,000 sets over 25 days", peaks[1], "MB"),
        row("memory a further set", (peaks[1] - peaks[0]) / 9_000 * 1e3, "kB", 10),
    ]


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
    return int(python(code)) / 1024


def python(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=HERE)
    return done.stdout
