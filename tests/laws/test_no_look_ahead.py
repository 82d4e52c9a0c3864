"""No strategy of the catalogue sees the future, and a strategy that does is caught."""

import pytest

from algomaster import backtest, strategy
from algomaster.backtest.look_ahead import FIELDS
from algomaster.core.types import MISSING
from algomaster.strategy.steps import contract as desk
from algomaster.strategy.steps.legs import STATE as LEGS_STATE
from hand_made import random_day

DAYS = [random_day(seed, minutes=90) for seed in (1, 2)] + [random_day(3, minutes=90, gaps=0.1)]
SETTINGS = {  # what makes an entry trade on these 90-minute sessions, beside its defaults
    "straddle": [
        {"entry": "09:20", "exit": "10:30"},
        {"entry": "09:25", "exit": "10:30", "stop_pct": 5, "target_pct": 5, "strike_at": "fill"},
        {"entry": "09:20", "exit": "10:20", "stop_pct": 10, "target_pct": 10, "stop_on": "close"},
        {"entry": "09:20", "exit": "10:40", "side": "buy", "stop_pct": 8, "width": 1},
    ],
    "legs": [
        {"exit": "10:30"},
        {
            "exit": "10:30",
            "legs": [
                {
                    "right": "CE",
                    "strike": "OTM1",
                    "momentum": "-1%",
                    "stop": "5%",
                    "trail": {"every": "2%", "by": "1%"},
                },
                {"right": "PE", "stop": "5%", "on_stop": {"kind": "asap", "times": 3}},
            ],
            "break_even": "all",
            "no_reentry_after": "10:20",
        },
        {
            "exit": "10:20",
            "overall_stop": 900,
            "on_overall_stop": {"kind": "asap", "times": 3, "reverse": True},
            "overall_trail": {"every": 100, "by": 50},
            "lock": {"at": 1500, "keep": 700},
            "legs": [
                {"right": r, "strike": {"premium": 20}, "target": "6%", "on_target": "cost"} for r in ("CE", "PE")
            ],
        },
        {
            "exit": "10:40",
            "overall_momentum": "+1%",
            "legs": [{"right": "CE", "side": "buy", "stop": "spot 2 points"}],
            "stop_on": "close",
            "overall_target": "spot 20 points",
        },
        {
            "exit": "10:40",
            "legs": [
                {"right": "PE", "breakout": {"until": "09:30", "end": "low"}, "stop": "6%", "on_stop": "cost"},
                {
                    "right": "CE",
                    "strike": {"straddle_width": 0.5},
                    "strike_from": "synthetic",
                    "target": "4%",
                    "on_target": {"kind": "lazy", "leg": "b"},
                },
            ],
            "lazy": {"b": {"right": "CE", "strike": {"premium_range": [10, 40]}, "momentum": "spot -1 points"}},
        },
        {"exit": "10:40", "legs": [{"right": r, "stop": "3%"} for r in ("CE", "PE")], "square_off": "complete"},
    ],
    "strangle": [{"entry": "09:20", "exit": "10:30", "width": 2, "stop_pct": 10}],
    "crush": [
        {"entry": "09:20", "exit": "10:30", "give_up": "10:20", "stop_pct": 3, "spike_pct": 1},
        {"entry": "09:20", "exit": "10:30", "give_up": "10:20", "stop_pct": 2, "target_pct": 5, "watch": "premium"},
    ],
    "threshold": [
        {"last_entry": "10:20", "exit": "10:30", "max_trades": 20},
        {
            "last_entry": "10:20",
            "exit": "10:30",
            "column": 1,
            "above": 1,
            "exit_above": 0,
            "exit_below": 0,
            "below": -1,
        },
    ],
    "delta_hedge": [
        {"entry": "09:20", "exit": "10:30"},
        {"entry": "09:20", "exit": "10:30", "hedge_with": "synthetic", "every": 3, "side": "buy"},
    ],
    "momentum": [
        {"start": "09:25", "end": "10:30", "exit": "10:40", "every": 10, "minutes": 5, "max_spread_pct": None},
        {
            "start": "09:25",
            "end": "10:30",
            "exit": "10:40",
            "every": 10,
            "minutes": 5,
            "side": "sell",
            "picks": 2,
            "max_positions": 4,
            "trail_pct": 5,
            "hold": 8,
            "iv_weight": 1,
            "sizing": "martingale",
            "max_lots": 4,
        },
    ],
}


def test_every_strategy_is_tried():
    assert set(SETTINGS) == set(strategy.names())


@pytest.mark.parametrize("fills", ["next_open", "decision_close"])
@pytest.mark.parametrize(("name", "params"), [(n, p) for n, sets in SETTINGS.items() for p in sets])
def test_the_future_changes_nothing(name, params, fills):
    outcome = backtest.check_look_ahead(name, DAYS, params=params, fills=fills, bars=6, seed=5)
    assert outcome.counted > len(outcome.cases) // 2
    assert outcome.passed, outcome


class CheatSettings(strategy.Params):
    lots: int = 1


@strategy.step
def peeks_one_bar_ahead(state, params, day, i, book):
    """Sell the call when its next close will be lower."""
    if i + 1 < day.ts.size and desk.is_done(book) and day.spot[i] != MISSING:
        contract = desk.instrument_of(day, 0, desk.at_the_money(day, 0, day.spot[i]), 0)
        if contract >= 0 and desk.close_of(day, contract, i + 1) < desk.close_of(day, contract, i):
            desk.enter(book, i, contract, -params[0]["lots"] * day.lot[0], 0, 0)


@strategy.step
def peeks_at_the_high_of_the_day(state, params, day, i, book):
    """Sell the call once the index has seen its high of the whole day."""
    top = day.spot[0]
    for j in range(day.ts.size):
        top = max(top, day.spot[j])
    if day.spot[i] == top and desk.is_done(book):
        contract = desk.instrument_of(day, 0, desk.at_the_money(day, 0, day.spot[i]), 0)
        if contract >= 0:
            desk.enter(book, i, contract, -params[0]["lots"] * day.lot[0], 0, 0)


@pytest.mark.parametrize("step", [peeks_one_bar_ahead, peeks_at_the_high_of_the_day])
def test_a_cheater_is_caught(step):
    cheat = strategy.Strategy("cheat", step=step, params=CheatSettings)
    outcome = backtest.check_look_ahead(cheat, DAYS[:2], bars=24, seed=5)
    assert outcome.counted
    assert outcome.violations
    assert not outcome.passed
    assert "LOOKS AHEAD" in repr(outcome)


class PeekSettings(strategy.Params):
    field: int = 0
    honest: int = 8


@strategy.step
def peeks_at_one_field(state, params, day, i, book):
    """Trade honestly now and then; on bar 60 follow what one field will be on bar 70."""
    k, later = day.strikes.size // 2, min(i + 10, day.ts.size - 1)
    seen = (
        float(day.open[0, k, 0, later]), float(day.high[0, k, 0, later]), float(day.low[0, k, 0, later]),
        float(day.close[0, k, 0, later]), float(day.bid[0, k, 0, later]), float(day.ask[0, k, 0, later]),
        float(day.volume[0, k, 0, later]), float(day.oi[0, k, 0, later]), float(day.spot_open[later]),
        float(day.spot_high[later]), float(day.spot_low[later]), float(day.spot[later]),
        float(day.future_open[later]), float(day.future_high[later]), float(day.future_low[later]),
        float(day.future[later]), float(day.vix[later]), day.score[later], day.features[later, 1],
    )  # fmt: skip
    value = 0.0
    for j in range(19):
        if j == params[0]["field"]:
            value = seen[j]
    units = int(abs(value) * 1000) % 97 + 1 if i == 60 else 1
    if i == 60 or (i < 60 and i % params[0]["honest"] == 0):
        desk.enter(book, i, desk.instrument_of(day, 0, day.strikes[k], 0), -units, 0, 0)


@pytest.mark.parametrize("number", range(len(FIELDS)))
def test_a_peek_at_any_field_is_caught(number):
    """The field alone gives it away, however many honest orders came before."""
    cheat = strategy.Strategy("peek", step=peeks_at_one_field, params=PeekSettings)
    outcome = backtest.check_look_ahead(cheat, DAYS[0], params={"field": number}, bars=80, seed=2)
    fields = {case.field for case in outcome.violations}
    assert fields == {"all fields", FIELDS[number]}
    assert {case.poison for case in outcome.violations} == {"missing", "random"}
    assert {case.bar for case in outcome.violations} <= set(range(60, 70))


def test_a_strategy_that_never_trades_proves_nothing():
    never = strategy.Strategy(
        "never", step=strategy.get("straddle").step, params=strategy.get("straddle").params, state=LEGS_STATE
    )
    outcome = backtest.check_look_ahead(never, DAYS[:1], params={"entry": "22:00", "exit": "23:00"}, bars=3)
    assert not outcome.violations
    assert not outcome.passed
