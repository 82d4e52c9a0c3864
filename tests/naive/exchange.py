"""Matching and ledger told plainly, order by order: what compiled loops must equal on any timetable of orders.

Knows prices, orders and positions as Python objects; nothing of books, records or kernels. Money is exact (Fraction).
"""

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from math import ceil, floor, sqrt

from algomaster.core.types import MISSING

EPOCH = date(1970, 1, 1)
MARKET, LIMIT, STOP = 1, 2, 3


@dataclass
class Order:
    leg: object
    kind: int
    quantity: int
    price: int
    reason: str
    bar: int
    since: int
    whole: bool = False
    attach: tuple = (0, 0, 0, 0)
    live: bool = True

    @property
    def upward(self):
        """Whether it fills when the price rises to it."""
        return (self.kind == STOP) == (self.quantity > 0)


@dataclass
class Leg:
    contract: tuple  # (expiry in days, strike in paise, right), ("FUT",) for the future
    state: str = "waiting"
    quantity: int = 0
    mark: int = 0
    overnight: bool = False
    opened: int = 0
    fills: list = field(default_factory=list)

    @property
    def unit(self):
        return 1 if self.contract == ("FUT",) else 5


class Exchange:
    """One account over sessions; ``fills`` are (session, bar, contract, quantity, paise, reason)."""

    def __init__(self, mode, slippage):
        self.mode, self.slippage = mode, slippage
        self.legs, self.orders, self.fills = [], [], []

    # --- prices

    def price(self, name, contract, i):
        day = self.day
        if contract == ("FUT",):
            return int(getattr(day, {"close": "future"}.get(name, f"future_{name}"))[i])
        expiry, strike, right = contract
        if expiry not in list(day.expiries) or strike not in list(day.strikes):
            return MISSING
        where = list(day.expiries).index(expiry), list(day.strikes).index(strike), right
        return int(getattr(day, name)[(*where, i)])

    def worse(self, order, price, i, moment):
        """Slippage of orders that take; on whole ticks."""
        s, contract = self.slippage, order.leg.contract
        if order.kind == LIMIT or not s or contract == ("FUT",):
            return price
        bar = i if moment == "close" else i - 1
        bid = ask = MISSING
        volume = 0
        if bar >= 0:
            bid, ask, volume = (self.price(name, contract, bar) for name in ("bid", "ask", "volume"))
        side = 1 if order.quantity > 0 else -1
        quoted = bid != MISSING and ask != MISSING and 0 < bid <= ask
        if s.get("quotes") and quoted and order.kind == MARKET:
            price = ask if side > 0 else bid
        more = s.get("ticks", 0)
        if quoted:
            more += ceil((ask - bid) * Fraction(str(s.get("spread", 0))))
        if volume > 0:
            more += ceil(price * round(s.get("impact", 0) * 10**6) / 10**6 * sqrt(abs(order.quantity) / volume))
        return max(price + side * more, 1)

    # --- what a trader says

    def enter(self, i, contract, quantity, kind, price, attach):
        leg = Leg(contract)
        self.legs.append(leg)
        self.orders.append(Order(leg, kind, quantity, price, "entry", i, i + 1, attach=attach))

    def close(self, i, leg):
        if leg.state == "waiting":
            leg.state = "off"
            self.orders = [order for order in self.orders if order.leg is not leg]
        elif (
            leg.state == "open" and self.listed(leg) and not any(o.leg is leg and o.kind == MARKET for o in self.orders)
        ):
            self.orders.append(Order(leg, MARKET, -leg.quantity, 0, "signal", i, i + 1, whole=True))

    def leaving(self, leg):
        return any(order.leg is leg and order.kind == MARKET for order in self.orders)

    def move(self, i, leg, kind, price, reason):
        if leg.state != "open" or not self.listed(leg):
            return
        found = [order for order in self.orders if order.leg is leg and order.kind == kind]
        if found:
            found[-1].price, found[-1].reason, found[-1].bar, found[-1].since = price, reason, i, i + 1
        else:
            self.orders.append(Order(leg, kind, -leg.quantity, price, reason, i, i + 1, whole=True))

    def listed(self, leg):
        if leg.contract == ("FUT",):
            return True
        return leg.contract[0] in list(self.day.expiries) and leg.contract[1] in list(self.day.strikes)

    # --- what the market does

    def fill(self, order, price, i, moment):
        leg = order.leg
        order.live = False
        price = self.worse(order, price, i, moment)
        against = leg.quantity * order.quantity < 0
        if order.whole or (against and abs(order.quantity) > abs(leg.quantity)):
            order.quantity = -leg.quantity
        leg.quantity += order.quantity
        leg.mark = price
        self.fills.append((self.day.session, i, leg.contract, order.quantity, price * leg.unit, order.reason))
        if leg.state == "waiting":
            leg.state, leg.opened = "open", len(self.fills)
            self.attach(order, price, i, moment)
        elif leg.quantity == 0:
            leg.state = "closed"
            for other in self.orders:
                if other.leg is leg:
                    other.live = False

    def attach(self, order, price, i, moment):
        stop_ppm, target_ppm, stop_ticks, target_ticks = order.attach
        short = order.quantity < 0
        since = i if moment == "open" else i + 1
        if stop_ppm + stop_ticks > 0:
            far = price * Fraction(10**6 + (1 if short else -1) * stop_ppm, 10**6)
            level = ceil(far) + stop_ticks if short else floor(far) - stop_ticks
            self.orders.append(Order(order.leg, STOP, -order.quantity, level, "stop", i, since, whole=True))
        if target_ppm + target_ticks > 0:
            far = price * Fraction(10**6 - (1 if short else -1) * target_ppm, 10**6)
            level = floor(far) - target_ticks if short else ceil(far) + target_ticks
            self.orders.append(Order(order.leg, LIMIT, -order.quantity, level, "target", i, since, whole=True))

    def beyond(self, order, price):
        return price >= order.price if order.upward else price <= order.price

    def touches(self, order, i):
        extreme = self.price("high" if order.upward else "low", order.leg.contract, i)
        return extreme != MISSING and self.beyond(order, extreme)

    def bar(self, i):
        for markets in (True, False):
            for order in list(self.orders):
                first = self.price("open", order.leg.contract, i)
                turn = order.live and (order.kind == MARKET) == markets and first != MISSING
                if turn and (markets or self.beyond(order, first)):
                    self.fill(order, first, i, "open")
        for kind in (STOP, LIMIT):
            for order in list(self.orders):
                turn = order.live and order.kind == kind and order.since <= i and self.touches(order, i)
                if turn and not (kind == STOP and self.mode == "algotest" and self.target_first(order, i)):
                    self.fill(order, order.price, i, "range")
        self.sweep_up()
        self.mark(i)

    def target_first(self, stop, i):
        first, high, low = (self.price(name, stop.leg.contract, i) for name in ("open", "high", "low"))
        if first == MISSING:
            return False
        target_end_nearer = first - low < high - first if stop.upward else high - first < first - low
        targets = [o for o in self.orders if o.leg is stop.leg and o.kind == LIMIT and o.live and o.since <= i]
        return target_end_nearer and bool(targets) and self.touches(targets[0], i)

    def at_close(self, i):
        for order in list(self.orders):
            last = self.price("close", order.leg.contract, i)
            if order.live and order.kind == MARKET and order.bar == i and last != MISSING:
                self.fill(order, last, i, "close")
        self.sweep_up()

    def sweep_up(self):
        self.orders = [order for order in self.orders if order.live]

    def mark(self, i):
        for leg in self.legs:
            last = self.price("close", leg.contract, i)
            if leg.state == "open" and last != MISSING:
                leg.mark = last

    # --- the ends of a session

    def begin(self, day):
        self.day = day
        today = (day.session - EPOCH).days
        for leg in self.legs:
            if leg.contract != ("FUT",) and leg.contract[0] < today:
                self.settle(leg, self.last_settlement, 0)
        for order in self.orders:
            order.bar, order.since = -1, 0

    def settle(self, leg, index, i):
        _, strike, right = leg.contract
        worth = leg.mark * leg.unit if index == MISSING else max(index - strike if right == 0 else strike - index, 0)
        self.fills.append((self.day.session, i, leg.contract, -leg.quantity, worth, "settled"))
        leg.quantity, leg.state = 0, "closed"
        self.orders = [order for order in self.orders if order.leg is not leg]

    def settlement(self):
        known = [int(value) for value in self.day.spot[-30:] if value != MISSING]
        return floor(Fraction(sum(known), len(known)) + Fraction(1, 2)) if known else MISSING

    def finish(self):
        last = len(self.day.ts) - 1
        for order in list(self.orders):
            leg = order.leg
            if not leg.overnight or leg.state != "open" or order.kind == MARKET:
                order.live = False
            if leg.state == "waiting":
                leg.state = "off"
        self.sweep_up()
        today = (self.day.session - EPOCH).days
        self.last_settlement = self.settlement()
        self.legs = sorted((leg for leg in self.legs if leg.state == "open"), key=lambda leg: leg.opened)
        for leg in self.legs:
            if not leg.overnight:
                worth = leg.mark * leg.unit
                self.fills.append((self.day.session, last, leg.contract, -leg.quantity, worth, "session_end"))
                leg.quantity, leg.state = 0, "closed"
            elif leg.contract != ("FUT",) and leg.contract[0] <= today:
                self.settle(leg, self.last_settlement, last)
        self.legs = [leg for leg in self.legs if leg.state == "open"]


def run(days, rows, mode="next_open", slippage=None):
    """Fills of a timetable (see ``timetable.FIELDS``) over sessions, and the equity in paise without costs."""
    exchange = Exchange(mode, slippage)
    for day in days:
        exchange.begin(day)
        options = day.expiries.size * day.strikes.size * 2
        for i in range(len(day.ts)):
            exchange.bar(i)
            for row in rows:
                if row[0] == i:
                    act(exchange, day, options, i, row)
            if mode not in {"next_open", "strict"}:
                exchange.at_close(i)
        exchange.finish()
    cash = sum(-quantity * price for *_, quantity, price, _ in exchange.fills)
    return exchange.fills, cash + sum(leg.quantity * leg.mark * leg.unit for leg in exchange.legs)


def act(exchange, day, options, i, row):
    _, action, number, instrument, quantity, kind, price, *attach = row
    if action == 1:
        if instrument < 0 or instrument == options:
            contract = ("FUT",)
        else:
            where = instrument // 2
            contract = (
                int(day.expiries[where // day.strikes.size]), int(day.strikes[where % day.strikes.size]), instrument % 2
            )  # fmt: skip
        exchange.enter(i, contract, quantity, kind, price, tuple(attach))
        return
    if number >= len(exchange.legs):
        return
    leg = exchange.legs[number]
    if action == 2:
        exchange.close(i, leg)
    elif action in {3, 4}:
        exchange.move(i, leg, STOP if action == 3 else LIMIT, price, "trail" if action == 3 else "lock")
    elif action == 5:
        leg.overnight = True
