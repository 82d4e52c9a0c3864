"""The straddle manager told plainly: positions that meet bars, rows whose way into the market is a script.

Works on integer ticks read from sessions; knows nothing of books, orders, records, modes or kernels. Rules are plain
dicts (see ``tests/agreement/test_naive_manager.py``): distances are pairs such as ("percent", "25").
"""

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import ceil, floor

from algomaster.core.types import MISSING
from algomaster.market import calendar
from algomaster.strategy.day import day_of
from naive.manager_strikes import Strikes

EPOCH = date(1970, 1, 1)
NEVER = 1440


@dataclass
class Position:
    contract: tuple  # expiry (days), strike (paise), right
    units: int
    kind: str  # how it enters: market, or resting above or below at a price
    price: int | None
    placed: int
    rules: object
    day: int = 0  # of the entry
    status: str = "waiting"
    entry: int = 0
    entry_ts: tuple = ()
    since: int = 0  # first bar whose range counts
    spot: int | None = None
    stop: int | None = None
    first_stop: int | None = None
    stop_reason: str = "stop"
    target: int | None = None
    best: int = 0
    leaving: str = ""
    overnight: bool = False
    last: int = 0
    exit: float = 0
    exit_ts: tuple = ()
    reason: str = ""
    noticed: bool = False
    worth: int = 0

    @property
    def side(self):
        return 1 if self.units > 0 else -1


class Row:
    def __init__(self, rule, number, first):
        self.rule, self.number, self.first = rule, number, first
        self.clear()

    def clear(self):
        self.position = self.script = self.event = None
        self.repeat = False
        self.begun = 0
        self.side = 0
        self.used = {"stop": 0, "target": 0}
        self.cost = 0

    @property
    def alive(self):
        return self.position is not None or self.script is not None


def far(price, rule, up, unit):
    """``price`` moved by a rule, rounded to the grid away from where it was."""
    kind, amount = rule
    size = abs(Fraction(str(amount)))
    if kind.endswith("percent"):
        exact = price * (1 + size / 100) if up else price * (1 - size / 100)
    else:
        exact = price + size * 100 / unit if up else price - size * 100 / unit
    return ceil(exact) if up else floor(exact)


class Manager(Strikes):
    def __init__(self, p):
        self.p = p
        self.rows = [Row(rule, k, True) for k, rule in enumerate(p["legs"])]
        self.lazy = {name: Row(rule, 100 + k, False) for k, (name, rule) in enumerate(p.get("lazy", {}).items())}
        self.rows += list(self.lazy.values())
        self.positions, self.trades = [], []
        self.phase, self.before = "done", None

    # --- sessions ----------------------------------------------------------------------------------------------
    def run(self, days):
        for number, day in enumerate(days):
            self.number, self.day, self.seen = number, day, day_of(day)
            self.tick = int(day.tick)
            self.morning()
            for i in range(len(day.ts)):
                self.market(i)
                self.told = []
                self.decide(i)
                if self.p["fills"] != "next_open":
                    self.at_close(i)
            self.evening()
        return self.trades

    def morning(self):
        held = False
        if self.p["holding"] != "intraday" and self.phase == "running":
            for row in self.rows:
                row.script = None
                at = row.position
                if at is not None and at.status == "closed":
                    self.banked += at.worth
                if at is None or at.status != "open":
                    row.position = None
                held |= row.position is not None
        if not held:
            self.fresh()

    def fresh(self):
        self.phase, self.begin = "wait", self.p["entry"]
        self.flip, self.first, self.plan = 1, True, "fresh"
        self.rounds = {"stop": 0, "target": 0}
        for row in self.rows:
            row.clear()

    def evening(self):
        last = len(self.day.ts) - 1
        for at in self.positions:
            if at.status == "waiting":
                at.status = "off"
            if at.status != "open":
                continue
            if not at.overnight:
                self.shut(at, at.last, last, "close", "session_end")
            elif at.contract[0] <= self.seen.session:
                spots = [int(x) for x in self.day.spot[-30:] if x != MISSING]
                index = floor(Fraction(sum(spots), len(spots)) + Fraction(1, 2))
                gain = index - at.contract[1] if at.contract[2] == 0 else at.contract[1] - index
                self.shut(at, Fraction(max(gain, 0), self.tick), last, "close", "settled")
        self.positions = [at for at in self.positions if at.status == "open"]
        known = [int(x) for x in self.day.spot if x != MISSING]
        self.before = known[-1] if known else None

    # --- the market --------------------------------------------------------------------------------------------
    def prices(self, contract, i, names=("open", "high", "low", "close")):
        expiry, strike, right = contract
        e = list(self.day.expiries).index(expiry) if expiry in self.day.expiries else None
        k = list(self.day.strikes).index(strike) if strike in self.day.strikes else None
        if e is None or k is None:
            return [None] * len(names)
        found = [int(getattr(self.day, name)[e, k, right, i]) for name in names]
        return [None if price == MISSING else price for price in found]

    def last(self, contract, i):
        return self.prices(contract, i, ("close",))[0]

    def spot(self, i, name="spot"):
        value = int(getattr(self.day, name)[i])
        return None if value == MISSING else value

    def last_spot(self, i):
        known = [self.spot(k) for k in range(i + 1) if self.spot(k) is not None]
        return known[-1] if known else None

    def market(self, i):
        for at in self.positions:
            first, high, low, close = self.prices(at.contract, i)
            if at.status == "waiting":
                self.may_open(at, i, first, high, low)
            elif at.status == "open" and first is not None:
                if at.leaving:
                    self.shut(at, first, i, "open", at.leaving)
                elif at.stop is not None and (first - at.stop) * at.side <= 0:
                    self.shut(at, first, i, "open", at.stop_reason)
                elif at.target is not None and (first - at.target) * at.side >= 0:
                    self.shut(at, first, i, "open", "target")
            if at.status == "open" and high is not None and (at.day < self.number or at.since <= i):
                self.range(at, i, first, high, low)
            if at.status == "open" and close is not None:
                at.last = close

    def may_open(self, at, i, first, high, low):
        if at.kind == "market":
            if first is not None:
                self.open(at, first, i, "open")
            return
        up = at.kind == "above"
        if first is not None and (first >= at.price if up else first <= at.price):
            self.open(at, first, i, "open")
        elif high is not None and (high >= at.price if up else low <= at.price):
            self.open(at, at.price, i, "range")

    def range(self, at, i, first, high, low):
        worst, best = (low, high) if at.side > 0 else (high, low)
        stopped = at.stop is not None and (worst - at.stop) * at.side <= 0
        won = at.target is not None and (best - at.target) * at.side >= 0
        if stopped and won and self.p["fills"] == "algotest" and first is not None:
            stopped = not abs(best - first) < abs(worst - first)
        if stopped:
            self.shut(at, at.stop, i, "range", at.stop_reason)
        elif won:
            self.shut(at, at.target, i, "range", "target")

    def open(self, at, price, i, moment):
        at.status, at.entry, at.last, at.day = "open", price, price, self.number
        at.entry_ts = (self.number, i, moment)
        at.since = i if moment == "open" else i + 1
        rules = at.rules
        for name, favour in (("stop", False), ("target", True)):
            rule = rules[name]
            if rule and not rule[0].startswith("spot"):
                setattr(at, name, far(price, rule, (at.side > 0) == favour, self.tick))
        at.first_stop = at.stop
        if self.p["stop_on"] == "close":
            at.watched, at.stop, at.target = (at.stop, at.target), None, None

    def shut(self, at, price, i, moment, reason):
        at.status, at.exit, at.exit_ts, at.reason = "closed", price, (self.number, i, moment), reason
        if at.entry_ts:
            self.trades.append(at)

    def at_close(self, i):
        for at in self.told:
            close = self.last(at.contract, i)
            if close is None:
                continue
            if at.status == "waiting" and at.kind == "market":
                self.open(at, close, i, "close")
            elif at.status == "open" and at.leaving:
                self.shut(at, close, i, "close", at.leaving)

    # --- the trader --------------------------------------------------------------------------------------------
    def decide(self, i):
        self.i, self.now = i, int(self.day.first_minute) + i + 1
        if self.phase == "wait":
            self.wait()
        elif self.phase == "combined":
            self.combined()
        elif self.phase in {"running", "leaving"}:
            for row in self.rows:
                self.notice(row)
            if self.exit_is_due():
                self.leave_all("time")
                self.over()
            elif self.phase == "leaving":
                if not any(row.alive for row in self.rows):
                    self.again()
            elif self.half():
                self.leave_all("incomplete")
                self.over()
            elif not self.overall():
                if self.p["square_off"] == "complete" and any(row.event for row in self.rows):
                    self.leave_all("square_off")
                    self.over()
                else:
                    self.go_on()

    def go_on(self):
        for row in self.rows:
            event, row.event = row.event, None
            if event:
                self.answer(row, event)
        for row in self.rows:
            if row.script is not None:
                self.move_on(row)
            elif row.position is not None and row.position.status == "open" and not row.position.leaving:
                self.watch(row)
        if not any(row.alive for row in self.rows):
            self.over()

    def over(self):
        self.phase = "done"
        if self.p["holding"] != "intraday" and self.now < self.p["entry"]:
            self.fresh()

    def exit_is_due(self):
        p = self.p
        if self.now < p["exit"]:
            return False
        if p["holding"] == "intraday":
            return True
        if p["holding"] == "btst":
            return self.number > self.entered
        return not p["settle"] and trading_days(self.seen.session, self.expiry) <= p["exit_days"]

    def half(self):
        waiting = [
            row for row in self.rows
            if row.first and not row.repeat and row.position is not None and row.position.status == "waiting"
            and row.position.kind == "market" and row.begun == self.since
        ]  # fmt: skip
        return bool(waiting) and self.now > self.since + self.p["patience"]

    def notice(self, row):
        at = row.position
        if at is None:
            return
        if at.status == "waiting":
            limit = self.p["no_reentry_after"]
            late = self.now > row.begun + self.p["patience"] if at.kind == "market" else self.now >= limit
            if row.repeat and late:
                at.status = "off"
                row.position = None
            return
        if at.status == "off":
            row.position = None
            return
        if not at.noticed:
            at.noticed = True
            row.cost = at.entry
            if at.kind != "market":
                at.spot = self.last_spot(self.i)
            self.opened += 1
            if row.first and not row.repeat:
                self.premium -= at.entry * at.units * self.tick
        if at.status == "closed":
            row.position = None
            self.banked += int((at.exit - at.entry) * at.units * self.tick)
            row.event = {"trail": "stop", "stop": "stop", "target": "target"}.get(at.reason)

    def leave_all(self, reason):
        for row in self.rows:
            row.event = None
            self.leave(row, reason)

    def leave(self, row, reason):
        row.script = None
        at = row.position
        if at is None:
            return
        if at.status == "waiting":
            at.status = "off"
            row.position = None
        elif not at.leaving:
            at.leaving, at.overnight = reason, False
            self.told.append(at)

    # --- rounds ------------------------------------------------------------------------------------------------
    def wait(self):
        p = self.p
        if self.now < self.begin:
            return
        if self.now >= p["exit"] and self.ends_today():
            self.phase = "done"
            return
        if self.now > self.begin + p["patience"]:
            self.phase = "done"
            return
        if self.first:
            passed = self.filters()
            if passed is not True:
                self.phase = "done" if passed is False else "wait"
                return
        together = p["overall_momentum"] and self.plan != "market"
        chosen = []
        for row in self.rows:
            if row.first:
                row.side = (1 if row.rule["side"] == "buy" else -1) * self.flip
                row.manner = "market" if together else self.plan
                chosen.append(self.choose(row, row.side))
                if chosen[-1] == "none":
                    break
        if "none" in chosen:
            self.phase = "done"
            return
        firsts = [row for row in self.rows if row.first]
        for row, contract in zip(firsts, chosen):
            if contract is None or not self.known(row, row.manner, contract):
                return
            if together and self.last(contract, self.i) is None:
                return
        if self.first and p["budget"]:
            total = 0
            for row, contract in zip(firsts, chosen):
                last = self.last(contract, self.i)
                if last is None:
                    return
                total += row.side * self.units(row, contract) * last * self.tick
            if not p["budget"][0] * 100 <= abs(total) <= p["budget"][1] * 100:
                self.phase = "done"
                return
        self.chosen = chosen
        if together:
            self.reference = sum(self.last(contract, self.i) for contract in chosen)
            self.phase = "combined"
        else:
            self.enter_all()

    def units(self, row, contract):
        e = list(self.day.expiries).index(contract[0])
        return row.rule["lots"] * int(self.day.lot[e])

    def combined(self):
        p = self.p
        if (self.now >= p["exit"] and self.ends_today()) or (not self.first and self.now > p["no_reentry_after"]):
            self.phase = "done"
        else:
            lasts = [self.last(contract, self.i) for contract in self.chosen]
            if None in lasts:
                return
            up = Fraction(str(p["overall_momentum"][1])) > 0
            mark = far(self.reference, p["overall_momentum"], up, self.tick)
            if sum(lasts) >= mark if up else sum(lasts) <= mark:
                self.enter_all()

    def ends_today(self):
        p = self.p
        if p["holding"] != "positional" or p["settle"]:
            return p["holding"] == "intraday"
        expiries = [self.expiry_of(row) for row in self.rows if row.first]
        nearest = min(expiry for expiry in expiries if expiry is not None)
        return trading_days(self.seen.session, nearest) <= p["exit_days"]

    def enter_all(self):
        self.phase, self.since, self.entered = "running", self.now, self.number
        self.opened = self.banked = self.premium = self.peak = 0
        self.from_spot = self.last_spot(self.i)
        self.expiry = min(self.expiry_of(row) for row in self.rows if row.first)
        for row in self.rows:
            side, manner = row.side, getattr(row, "manner", None)
            row.clear()
            row.side, row.manner = side, manner
        for row, contract in zip([row for row in self.rows if row.first], self.chosen):
            row.script = self.enter(row, row.manner, contract)
            self.move_on(row)

    def again(self):
        if self.now > self.p["no_reentry_after"]:
            self.over()
            return
        self.phase, self.begin, self.first = "wait", self.now, False
        self.wait()

    def filters(self):
        p = self.p
        weekday = (EPOCH + timedelta(days=int(self.seen.session))).strftime("%a").lower()
        expiry = min(self.expiry_of(row) for row in self.rows if row.first)
        if p["weekdays"] is not None and weekday not in p["weekdays"]:
            return False
        if p["dte"] is not None and trading_days(self.seen.session, expiry) not in p["dte"]:
            return False
        if p["dte_calendar"] is not None and expiry - self.seen.session not in p["dte_calendar"]:
            return False
        if p["gap"]:
            first = self.spot(0, "spot_open")
            if first is None or self.before is None:
                return False
            gap = Fraction(first - self.before, self.before) * 100
            if not Fraction(str(p["gap"][0])) <= gap <= Fraction(str(p["gap"][1])):
                return False
        if p["vix"]:
            vix = self.spot(self.i, "vix")
            if vix is None:
                return None
            if not p["vix"][0] * 100 <= vix <= p["vix"][1] * 100:
                return False
        return True

    # --- rules over all legs -----------------------------------------------------------------------------------
    def overall(self):
        p = self.p
        if not (p["overall_stop"] or p["overall_target"] or p["lock"]) or not self.opened:
            return False
        profit = self.banked
        for row in self.rows:
            at = row.position
            if at is not None and at.status == "open" and at.noticed:
                at.worth = (at.last - at.entry) * at.units * self.tick
                profit += at.worth
        self.peak = max(self.peak, profit)
        reason = self.verdict(profit)
        if not reason:
            return False
        self.leave_all(reason)
        what = "stop" if reason in {"overall_stop", "trail"} else "target" if reason == "overall_target" else ""
        follow = p[f"on_overall_{what}"] if what else None
        if not follow or self.rounds[what] >= follow["times"] or self.now > p["no_reentry_after"]:
            self.over()
            return True
        self.rounds[what] += 1
        if follow["reverse"]:
            self.flip = -self.flip
        self.plan = "closes" if follow["kind"] == "momentum" else "market"
        self.phase = "leaving"
        return True

    def money(self, rule):
        kind, amount = rule
        size = Fraction(str(amount))
        return floor(size * 100) if kind == "rupees" else floor(abs(self.premium) * size / 100)

    def verdict(self, profit):
        p = self.p
        rule = p["overall_stop"]
        if rule and not rule[0].startswith("spot"):
            size, raised = self.money(rule), 0
            if p["overall_trail"]:
                every, by = (self.money(p["overall_trail"][name]) for name in ("every", "by"))
                raised = self.peak // every * by if every > 0 else 0
            if size > 0 and profit <= raised - size:
                return "trail" if raised > 0 else "overall_stop"
        elif rule and self.wandered(rule):
            return "overall_stop"
        lock = p["lock"]
        if lock and self.peak >= lock["at"] * 100:
            keep = lock["keep"] * 100
            if lock.get("every"):
                keep += (self.peak - lock["at"] * 100) // (lock["every"] * 100) * lock["by"] * 100
            if profit <= keep:
                return "lock"
        rule = p["overall_target"]
        if rule and not rule[0].startswith("spot"):
            if 0 < self.money(rule) <= profit:
                return "overall_target"
        elif rule and self.wandered(rule):
            return "overall_target"
        return ""

    def wandered(self, rule):
        spot = self.spot(self.i)
        if spot is None or self.from_spot is None:
            return False
        return reaches(abs(spot - self.from_spot), rule, self.from_spot)

    # --- one row -----------------------------------------------------------------------------------------------
    def move_on(self, row):
        """Let a row's script go on until it waits for the next close or has come to its end."""
        script = row.script
        try:
            next(script)
        except StopIteration:
            if row.script is script:
                row.script = None

    def answer(self, row, event):
        p = self.p
        if event == "stop" and p["break_even"]:
            for other in self.rows:
                if p["break_even"] == "all" or other.rule["stop"]:
                    self.tighten(other, other.cost)
        follow = row.rule[f"on_{event}"]
        if not follow or self.now > p["no_reentry_after"]:
            return
        if follow["kind"] == "lazy":
            lazy = self.lazy[follow["leg"]]
            if not lazy.alive and not lazy.event:
                lazy.used = {"stop": 0, "target": 0}
                self.choose_again(lazy, (1 if lazy.rule["side"] == "buy" else -1) * self.flip, "fresh")
            return
        if row.used[event] >= follow["times"]:
            return
        row.used[event] += 1
        before = row.side
        side = -before if follow["reverse"] else before
        if follow["kind"] == "cost":
            row.repeat, row.side, row.begun = True, side, self.now
            row.script = self.back_at(row, row.sold, row.cost, before if event == "stop" else -before, follow["touch"])
        else:
            self.choose_again(row, side, "market" if follow["kind"] == "asap" else "closes")

    def choose_again(self, row, side, manner):
        row.repeat, row.side, row.begun = True, side, self.now
        row.script = self.choosing(row, manner)

    def choosing(self, row, manner):
        while True:
            if self.now > self.p["no_reentry_after"]:
                return
            contract = self.choose(row, row.side)
            if contract == "none":
                return
            if contract is not None and self.known(row, manner, contract):
                break
            if self.now >= row.begun + self.p["patience"]:
                return
            yield
        yield from self.enter(row, manner, contract)

    def known(self, row, manner, contract):
        """Whether what the way of entering refers to has a price this minute."""
        rule = row.rule["momentum"]
        if manner == "market" or not rule:
            return True
        return (self.spot(self.i) if rule[0].startswith("spot") else self.last(contract, self.i)) is not None

    def enter(self, row, manner, contract):
        row.begun = self.now
        rule, breakout = row.rule["momentum"], row.rule["breakout"]
        if manner != "market" and rule:
            up = Fraction(str(rule[1])) > 0
            if rule[0].startswith("spot"):
                yield from self.after(row, contract, far(self.spot(self.i), rule, up, 1), up, spot=True)
                return
            price = far(self.last(contract, self.i), rule, up, self.tick)
            if manner == "closes":
                yield from self.after(row, contract, price, up, spot=False)
            else:
                self.send(row, contract, "above" if up else "below", price)
        elif manner == "fresh" and breakout:
            yield from self.broken(row, contract, breakout)
        else:
            self.send(row, contract, "market", None)

    def after(self, row, contract, price, up, *, spot):
        """Enter after a close at or beyond a price, this one's not yet."""
        while True:
            yield
            if self.seen_beyond(row, contract, price, up, spot):
                return

    def seen_beyond(self, row, contract, price, up, spot):
        last = self.spot(self.i) if spot else self.last(contract, self.i)
        if last is None or (last < price if up else last > price):
            return False
        if not row.repeat or self.now <= self.p["no_reentry_after"]:
            self.send(row, contract, "market", None)
        return True

    def back_at(self, row, contract, price, up, touch):
        if touch:
            self.send(row, contract, "above" if up > 0 else "below", price)
            return
        while not self.seen_beyond(row, contract, price, up > 0, False):
            yield

    def broken(self, row, contract, rule):
        if self.now >= rule["until"]:
            return
        highs, lows = [], []
        while self.now < rule["until"]:
            yield
            if rule["on"] == "spot":
                high, low = self.spot(self.i, "spot_high"), self.spot(self.i, "spot_low")
            else:
                high, low = self.prices(contract, self.i, ("high", "low"))
            if high is not None and low is not None:
                highs.append(high)
                lows.append(low)
        if not highs:
            return
        up = rule["end"] == "high"
        price = max(highs) + 1 if up else min(lows) - 1
        if rule["on"] == "spot":
            yield from self.after(row, contract, price, up, spot=True)
        else:
            self.send(row, contract, "above" if up else "below", price)

    def send(self, row, contract, kind, price):
        row.sold = contract
        if kind == "market":
            row.begun = self.now
        at = Position(contract, row.side * self.units(row, contract), kind, price, self.i, row.rule)
        at.overnight = self.p["holding"] != "intraday"
        at.spot = self.last_spot(self.i)
        row.position = at
        self.positions.append(at)
        self.told.append(at)

    def tighten(self, row, price):
        at = row.position
        if at is None or at.status != "open" or at.leaving or not at.noticed:
            return
        close = self.p["stop_on"] == "close"
        now = at.watched[0] if close else at.stop
        if now is not None and (price - now) * at.side <= 0:
            return
        if close:
            at.watched = (price, at.watched[1])
        else:
            at.stop, at.stop_reason = price, "trail"

    def watch(self, row):
        at, rule, i = row.position, row.rule, self.i
        if not at.noticed:
            return
        _, high, low, close = self.prices(at.contract, i)
        if rule["trail"]:
            inside = at.kind != "market" and at.entry_ts[:2] == (self.number, i)
            best = close if inside or self.p["stop_on"] == "close" else high if at.side > 0 else low
            if best is not None:
                at.best = max(at.best, (best - at.entry) * at.side)
                (kind, every), (_, by) = rule["trail"]["every"], rule["trail"]["by"]
                unit = Fraction(at.entry, 100) if kind == "percent" else Fraction(100, self.tick)
                moves = floor(at.best / (Fraction(str(every)) * unit))
                shift = floor(moves * Fraction(str(by)) * unit)
                if shift > 0:
                    self.tighten(row, at.first_stop + at.side * shift)
        reason = ""
        if self.p["stop_on"] == "close" and close is not None:
            stop, target = at.watched
            if stop is not None and (close - stop) * at.side <= 0:
                reason = "stop"
            elif target is not None and (close - target) * at.side >= 0:
                reason = "target"
        spot = self.spot(i)
        if not reason and spot is not None and at.spot is not None:
            gain = (spot - at.spot) * at.side * (1 if at.contract[2] == 0 else -1)
            if rule["stop"] and reaches(-gain, rule["stop"], at.spot):
                reason = "stop"
            elif rule["target"] and reaches(gain, rule["target"], at.spot):
                reason = "target"
        if reason:
            self.leave(row, reason)


def reaches(gain, rule, reference):
    kind, amount = rule
    size = Fraction(str(amount))
    if kind == "spot_points":
        return gain >= size * 100
    return kind == "spot_percent" and gain >= reference * size / 100


def trading_days(start, end):
    days = [EPOCH + timedelta(days=int(x)) for x in (start + 1, min(end, 20_800))]
    if days[1] < days[0]:
        return 0
    return sum(one.kind != "muhurat" for one in calendar.sessions(*days))


def manager(days, p):
    """Closed positions of all sessions; ``p`` is a dict of plain settings."""
    return Manager(p).run(days)
