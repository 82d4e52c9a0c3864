"""One bar of a session: inside the compiled loop, called from Python, against bare calls and the usual dispatcher."""

import functools
import time

import numba
import numpy as np

from algomaster import backtest, market, strategy
from algomaster.backtest.playback.walking import UNTIL
from algomaster.backtest.session import prepare
from algomaster.core.jit import kernel
from algomaster.execution.advance import advance_driver
from algomaster.execution.ledger import new_account, new_log
from algomaster.execution.overnight import Held, new_held
from algomaster.strategy.steps.contract import new_book
from measure import median_seconds, row

REPEATS = 41


@numba.njit(nogil=True)
def bare(cursor):
    """As little as a compiled call from Python can do."""
    cursor[0] += 1


def run():
    day = market.simulate("NIFTY", sessions=1, start="2024-01-02", strikes=41, seed=7)[0]
    params = {"stop_pct": 25}
    stepper = backtest.Stepper("straddle", day, params=params)
    check_equal(stepper, day, params)
    bars = stepper.bars
    whole = median_seconds(lambda: through(stepper, day.ts.size), repeats=REPEATS)
    inside = median_of([seconds_inside(day, params) for _ in range(REPEATS)]) / bars
    calls = np.array([seconds_a_step(day, params) for _ in range(REPEATS)])
    step, mean = float(np.median(calls)), float(np.median(calls.mean(axis=1)))
    cursor = np.zeros(1, np.int64)
    bare(cursor)
    plain = median_of([taken(lambda: bare(cursor)) for _ in range(2001)])
    usual = median_of(seconds_of_the_dispatcher(day, params))
    stepper.seek("12:00")
    recorder, scene = stepper.recorder(), stepper.scene
    shot = median_seconds(lambda: recorder.snapshot(scene, stepper.at), repeats=REPEATS)
    back = median_seconds(lambda: (stepper.seek("14:58"), stepper.seek("10:01")), repeats=REPEATS) / 2
    what_if = median_seconds(lambda: stepper.what_if({"stop_pct": 10}, at="09:30"), repeats=5)
    fork = median_seconds(stepper.fork, repeats=REPEATS)
    return [
        row("one bar inside the compiled loop (all records kept)", inside * 1e9, "ns", 100),
        row("Stepper.step() from Python, median", step * 1e6, "us", 8),
        row("the same, mean over the session with the copies that going back starts from", mean * 1e6, "us", 8),
        row("a bare compiled call from Python", plain * 1e6, "us"),
        row("Stepper.step() against the bare call", step / plain, "times"),
        row("the same bar through a compiled function that takes the session as arguments", usual * 1e6, "us"),
        row("a whole session bar by bar", whole * 1e3, "ms"),
        row("a jump to any bar of a session walked through before", back * 1e6, "us"),
        row("a second stepper (fork)", fork * 1e6, "us"),
        row("a snapshot of 11 strikes with volatilities", shot * 1e3, "ms"),
        row("a what-if: both ways to the end, compared", what_if * 1e3, "ms"),
    ]


def check_equal(stepper, day, params):
    """Bar by bar, back and forth, and through the dispatcher the day must be that of a replay before it is timed."""
    wanted = backtest.replay("straddle", day, params=params)
    through(stepper, day.ts.size)
    stepper.seek("11:00")
    if stepper.finish().digest != wanted.digest:
        raise SystemExit("stepper and replay differ")


def through(stepper, bars):
    stepper.seek(0)
    for _ in range(bars):
        stepper.step()


def seconds_inside(day, params):
    """Seconds of one call of the compiled loop that runs all bars of a fresh session and ends it."""
    stepper = backtest.Stepper("straddle", day, params=params)
    stepper._cursor[UNTIL] = stepper.bars
    return taken(lambda: next(stepper._walk))


def seconds_a_step(day, params):
    """Seconds of each call of a fresh session."""
    stepper = backtest.Stepper("straddle", day, params=params)
    return [taken(stepper.step) for _ in range(stepper.bars)]


def seconds_of_the_dispatcher(day, params):
    """Seconds of each bar where the session's arrays are arguments of every call."""
    straddle = strategy.get("straddle")
    advance = advance_driver(straddle.step)

    @kernel(lean=True)
    def one(day, tape, terms, params, state, book, account, held, log, i):
        advance(day, tape, terms, params, state, book, account, log, i)

    session = prepare(day, fills="next_open", costs=True, skip_lists=False)
    record = straddle.configure(params).pack()
    held = Held(*(part[0].copy() for part in new_held()))
    arrays = (record, straddle.init(record), new_book(256), new_account(), held, new_log(256, day.ts.size))
    arrays[2].counts[5] = day.close.size // day.ts.size  # what the opening of a session writes
    arrays[2].counts[8] = day.tick
    one(*session, *arrays, 0)
    return [taken(functools.partial(one, *session, *arrays, i)) for i in range(1, day.ts.size)]


def taken(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def median_of(seconds):
    return float(np.median(seconds))
