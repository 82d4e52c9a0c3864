"""A round of the straddle manager: when it may begin, its entry as a whole, and the rules over all legs together."""

from __future__ import annotations

from typing import Final

from algomaster.core.jit import kernel
from algomaster.core.types import MISSING, Record
from algomaster.strategy.steps.contract import (
    LOCK,
    NO_CONTRACT,
    NO_INSTRUMENT,
    OVERALL_STOP,
    OVERALL_TARGET,
    PPM,
    TOO_LATE,
    TRAIL,
    Book,
    Day,
    call_off,
)
from algomaster.strategy.steps.manager_entry import is_ready, last_of, last_spot, moved, start
from algomaster.strategy.steps.manager_rows import leave_all
from algomaster.strategy.steps.manager_strikes import NOT_YET, choose, expiry_of
from algomaster.strategy.steps.manager_table import (
    AT_ONCE,
    BY_MOMENTUM,
    COMBINED,
    DONE,
    FRESH,
    HELD,
    INTRADAY,
    LEAVING,
    NO_RULE,
    NOTHING,
    OFF,
    ON_CLOSES,
    PERCENT,
    POSITIONAL,
    RUNNING,
    RUPEES,
    SPOT_PERCENT,
    SPOT_POINTS,
    WAIT,
)
from algomaster.strategy.steps.sizing import lots_short
from algomaster.strategy.steps.trading_days import trading_days

PASSED: Final = 1
REFUSED: Final = 0
UNKNOWN: Final = -1


@kernel(lean=True, inner=True)
def ready_for_a_session(state: Record, params: Record) -> None:
    """Forget everything of rounds before; the next begins at the entry time."""
    row = state[0]
    row["phase"] = WAIT
    row["begin"] = params[0]["entry"]
    row["flip"] = 1
    row["first"] = 1
    row["plan"] = FRESH
    row["stops"] = 0
    row["targets"] = 0
    for j in range(params[0]["n_rows"]):
        row["mode"][j] = OFF
        row["event"][j] = 0


@kernel(lean=True, inner=True)
def end_of_round(state: Record, params: Record, now: int) -> None:
    """Rest for the session; who holds over nights may enter again if the entry time is still to come."""
    state[0]["phase"] = DONE
    if params[0]["holding"] != INTRADAY and now < params[0]["entry"]:
        ready_for_a_session(state, params)


@kernel(lean=True, inner=True)
def wait(state: Record, params: Record, day: Day, i: int, now: int, book: Book) -> None:
    """Enter a round from its minute on, within ``patience`` minutes."""
    row, rule = state[0], params[0]
    if now < row["begin"]:
        return
    if now >= rule["exit"] and _ends_today(params, day):
        row["phase"] = DONE
        return
    if now > row["begin"] + rule["patience"]:
        call_off(book, TOO_LATE)
        row["phase"] = DONE
        return
    if row["first"] == 1:
        passed = _filters(state, params, day, i)
        if passed != PASSED:
            row["phase"] = DONE if passed == REFUSED else WAIT
            return
    found = _choose_all(state, params, day, i)
    if found == NOT_YET:
        return
    if found == NO_INSTRUMENT:
        call_off(book, NO_CONTRACT)
        row["phase"] = DONE
        return
    if row["first"] == 1 and rule["use_budget"] == 1:
        passed = _budget(state, params, day, i)
        if passed != PASSED:
            row["phase"] = DONE if passed == REFUSED else WAIT
            return
    if rule["overall_momentum_kind"] != NO_RULE and row["plan"] != AT_ONCE:
        row["combined"] = _combined(state, params, day, i)
        row["phase"] = COMBINED
    else:
        begin(state, params, day, i, now, book)


@kernel(lean=True, inner=True)
def _ends_today(params: Record, day: Day) -> bool:
    """Whether what is entered in this session leaves in it: after its exit there is nothing to enter for."""
    if params[0]["holding"] != POSITIONAL:
        return params[0]["holding"] == INTRADAY
    return params[0]["settle"] == 0 and trading_days(day.session, _nearest(params, day)) <= params[0]["exit_days"]


@kernel(lean=True, inner=True)
def _choose_all(state: Record, params: Record, day: Day, i: int) -> int:
    """Choose every leg's contract: 0, NOT_YET or NO_INSTRUMENT."""
    row, rule = state[0], params[0]
    together = rule["overall_momentum_kind"] != NO_RULE and row["plan"] != AT_ONCE
    missing = False
    for j in range(rule["n_legs"]):
        row["side"][j] = rule["side"][j] * row["flip"]
        row["manner"][j] = AT_ONCE if together else row["plan"]
        found = choose(params, day, i, j, row["side"][j])
        if found == NO_INSTRUMENT:
            return NO_INSTRUMENT
        if (
            found == NOT_YET
            or not is_ready(params, day, i, j, row["manner"][j], found)
            or (together and last_of(day, found, i) == MISSING)
        ):
            missing = True
        row["instrument"][j] = found
    return NOT_YET if missing else 0


@kernel(lean=True, inner=True)
def begin(state: Record, params: Record, day: Day, i: int, now: int, book: Book) -> None:
    """Send every leg of the round on its way."""
    row, rule = state[0], params[0]
    row["lots"] = lots_short(state, params, day, i, book, rule["lots"], _short(state, params, day))
    if row["lots"] <= 0:
        row["phase"] = DONE
        return
    row["phase"] = RUNNING
    row["since"] = now
    row["session"] = day.session
    row["whole"], row["opened"], row["banked"], row["premium"], row["peak"] = 0, 0, 0, 0, 0
    row["spot"] = last_spot(day, i)
    row["expiry"] = _nearest(params, day)
    for j in range(rule["n_rows"]):
        row["mode"][j] = OFF
        row["event"][j] = 0
        row["repeat"][j] = 0
        row["stopped"][j] = 0
        row["won"][j] = 0
        row["worth"][j] = 0
    for j in range(rule["n_legs"]):
        start(state, params, day, i, now, book, j, row["instrument"][j])


@kernel(lean=True, inner=True)
def _short(state: Record, params: Record, day: Day) -> int:
    """Units that the table, traded once, has short, of calls or of puts, whichever are more."""
    calls, puts = 0, 0
    for j in range(params[0]["n_legs"]):
        if state[0]["side"][j] < 0:
            units = params[0]["ratio"][j] * day.lot[state[0]["instrument"][j] // 2 // day.strikes.size]
            if params[0]["right"][j] == 0:
                calls += units
            else:
                puts += units
    return max(calls, puts)


@kernel(lean=True, inner=True)
def _nearest(params: Record, day: Day) -> int:
    """Earliest expiry (days) among the legs."""
    found = 1 << 40
    for j in range(params[0]["n_legs"]):
        e = expiry_of(params, day, j)
        if e >= 0:
            found = min(found, int(day.expiries[e]))
    return found


@kernel(lean=True, inner=True)
def _combined(state: Record, params: Record, day: Day, i: int) -> int:
    """Premiums of all legs together, one unit each, in ticks; MISSING where one did not trade."""
    total = 0
    for j in range(params[0]["n_legs"]):
        last = last_of(day, state[0]["instrument"][j], i)
        if last == MISSING:
            return MISSING
        total += last
    return total


@kernel(lean=True, inner=True)
def combined(state: Record, params: Record, day: Day, i: int, now: int, book: Book) -> None:
    """Wait until a minute closes with the combined premium where the overall momentum wants it."""
    row, rule = state[0], params[0]
    if now >= rule["exit"] and _ends_today(params, day):
        row["phase"] = DONE
        return
    if row["first"] == 0 and now > rule["no_reentry_after"]:
        row["phase"] = DONE
        return
    amount = rule["overall_momentum"]
    total = _combined(state, params, day, i)
    if total == MISSING:
        return
    trigger = moved(row["combined"], rule["overall_momentum_kind"], amount, day.tick)
    if (total >= trigger) if amount > 0 else (total <= trigger):
        begin(state, params, day, i, now, book)


# --- filters -----------------------------------------------------------------------------------------------------


@kernel(lean=True, inner=True)
def _filters(state: Record, params: Record, day: Day, i: int) -> int:
    rule = params[0]
    weekday = (day.session + 3) % 7  # 1 January 1970 was a Thursday
    if not _allows(rule["weekdays"], weekday):
        return REFUSED
    expiry = _nearest(params, day)
    if not _allows(rule["dte"], trading_days(day.session, expiry)):
        return REFUSED
    if not _allows(rule["dte_calendar"], expiry - day.session):
        return REFUSED
    if rule["use_gap"] == 1:
        first = day.spot_open[0]
        before = state[0]["before"]
        if first == MISSING or before <= 0:
            return REFUSED
        gap = (int(first) - before) * PPM
        if gap < rule["gap_low"] * before or gap > rule["gap_high"] * before:
            return REFUSED
    if rule["vix_high"] > 0:
        if day.vix[i] == MISSING:
            return UNKNOWN
        if day.vix[i] < rule["vix_low"] or day.vix[i] > rule["vix_high"]:
            return REFUSED
    return PASSED


@kernel(lean=True, inner=True)
def _allows(mask: int, number: int) -> bool:
    if mask == -1:
        return True
    return 0 <= number < 62 and (mask >> number) & 1 == 1


@kernel(lean=True, inner=True)
def _budget(state: Record, params: Record, day: Day, i: int) -> int:
    """Whether the net premium of all legs (rupees, without its sign) lies within the budget."""
    row, rule = state[0], params[0]
    total = 0
    for j in range(rule["n_legs"]):
        last = last_of(day, row["instrument"][j], i)
        if last == MISSING:
            return UNKNOWN
        lot = day.lot[row["instrument"][j] // 2 // day.strikes.size]
        total += row["side"][j] * rule["lots"] * rule["ratio"][j] * lot * last * day.tick
    return PASSED if rule["budget_low"] <= abs(total) <= rule["budget_high"] else REFUSED


# --- rules over all legs -----------------------------------------------------------------------------------------


@kernel(lean=True, inner=True)
def has_overall(params: Record) -> bool:
    """Whether any rule looks at the profit of all legs."""
    rule = params[0]
    return rule["overall_stop_kind"] != NO_RULE or rule["overall_target_kind"] != NO_RULE or rule["lock_at"] > 0


@kernel(lean=True, inner=True)
def overall(state: Record, params: Record, day: Day, i: int, now: int, book: Book) -> bool:
    """Leave everything where a rule over all legs says so. Gives whether it did."""
    row, rule = state[0], params[0]
    if row["opened"] == 0:
        return False
    worth = _profit(state, params, book)
    row["peak"] = max(row["peak"], worth)
    reason = _verdict(state, params, day, i, worth)
    if reason == 0:
        return False
    leave_all(state, params, i, book, reason)
    kind, times, used = NOTHING, 0, 0
    if reason in (OVERALL_STOP, TRAIL):
        kind, times, used = rule["on_overall_stop"], rule["on_overall_stop_times"], row["stops"]
        reverse = rule["on_overall_stop_reverse"]
    elif reason == OVERALL_TARGET:
        kind, times, used = rule["on_overall_target"], rule["on_overall_target_times"], row["targets"]
        reverse = rule["on_overall_target_reverse"]
    else:
        reverse = 0
    if kind == NOTHING or used >= times or now > rule["no_reentry_after"]:
        end_of_round(state, params, now)
        return True
    if reason == OVERALL_TARGET:
        row["targets"] += 1
    else:
        row["stops"] += 1
    row["flip"] = -row["flip"] if reverse == 1 else row["flip"]
    row["plan"] = ON_CLOSES if kind == BY_MOMENTUM else AT_ONCE
    row["phase"] = LEAVING
    return True


@kernel(lean=True, inner=True)
def again(state: Record, params: Record, day: Day, i: int, now: int, book: Book) -> None:
    """Begin the next round: every leg of the last has left."""
    if now > params[0]["no_reentry_after"]:
        end_of_round(state, params, now)
        return
    state[0]["phase"] = WAIT
    state[0]["begin"] = now
    state[0]["first"] = 0
    wait(state, params, day, i, now, book)


@kernel(lean=True, inner=True)
def _profit(state: Record, params: Record, book: Book) -> int:
    """Profit of the round in paise before charges: of closed legs, and of open ones at this minute's close."""
    row = state[0]
    total = row["banked"]
    for j in range(params[0]["n_rows"]):
        if row["mode"][j] == HELD:
            leg = book.legs[row["leg"][j]]
            row["worth"][j] = leg["cash"] + leg["quantity"] * leg["mark"] * leg["unit"]
            total += row["worth"][j]
    return total


@kernel(lean=True, inner=True)
def _amount(kind: int, amount: int, premium: int) -> int:
    """Paise that a rule in rupees, or in parts per million of the premium taken, stands for."""
    return amount if kind == RUPEES else abs(premium) * amount // PPM


@kernel(lean=True, inner=True)
def _verdict(state: Record, params: Record, day: Day, i: int, worth: int) -> int:
    row, rule = state[0], params[0]
    kind = rule["overall_stop_kind"]
    if kind in (RUPEES, PERCENT):
        size = _amount(kind, rule["overall_stop"], row["premium"])
        every = _amount(rule["overall_trail_kind"], rule["overall_trail_every"], row["premium"])
        by = _amount(rule["overall_trail_kind"], rule["overall_trail_by"], row["premium"])
        raised = row["peak"] // every * by if every > 0 else 0
        if size > 0 and worth <= raised - size:
            return TRAIL if raised > 0 else OVERALL_STOP
    elif kind != NO_RULE and _wandered(state, day, i, kind, rule["overall_stop"]):
        return OVERALL_STOP
    if rule["lock_at"] > 0 and row["peak"] >= rule["lock_at"]:
        kept = rule["lock_keep"]
        if rule["lock_every"] > 0:
            kept += (row["peak"] - rule["lock_at"]) // rule["lock_every"] * rule["lock_by"]
        if worth <= kept:
            return LOCK
    kind = rule["overall_target_kind"]
    if kind in (RUPEES, PERCENT):
        size = _amount(kind, rule["overall_target"], row["premium"])
        if size > 0 and worth >= size:
            return OVERALL_TARGET
    elif kind != NO_RULE and _wandered(state, day, i, kind, rule["overall_target"]):
        return OVERALL_TARGET
    return 0


@kernel(lean=True, inner=True)
def _wandered(state: Record, day: Day, i: int, kind: int, amount: int) -> bool:
    """Whether the index has gone that far from where the round began, up or down."""
    start_at = state[0]["spot"]
    if day.spot[i] == MISSING or start_at == MISSING:
        return False
    distance = abs(int(day.spot[i]) - start_at)
    if kind == SPOT_POINTS:
        return distance >= amount
    return kind == SPOT_PERCENT and distance * PPM >= start_at * amount
