"""The compiled straddle manager equals its plain telling, trade by trade, over drawn settings and sessions."""

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from algomaster import backtest
from algomaster.core.types import MINUTE_NS
from leg_days import leg_days
from naive.manager import NEVER, manager

DAYS = {
    (seed, n, gaps): leg_days(seed, sessions=n, gaps=gaps) for seed in range(8) for n in (1, 3) for gaps in (0.0, 0.1)
}


def amounts(*pairs):
    return st.one_of(st.none(), st.sampled_from(pairs))


premium = amounts(("percent", "5"), ("percent", "12.5"), ("percent", "25"), ("points", "4"), ("points", "10.07"))
anywhere = amounts(("percent", "8"), ("points", "6"), ("spot_points", "12"), ("spot_percent", "0.1"))
signed = amounts(
    ("percent", "4"), ("percent", "-4"), ("points", "-5"), ("points", "3.33"), ("spot_points", "-8"),
    ("spot_percent", "0.05"),
)  # fmt: skip
strike = st.one_of(
    st.tuples(st.just("steps"), st.integers(-3, 3)),
    st.tuples(st.just("otm"), st.integers(-2, 3)),
    st.tuples(st.just("strike"), st.sampled_from([20_000, 20_050, 19_950, 25_000])),
    st.tuples(st.just("premium"), st.sampled_from([20, 60, 110, 200])),
    st.tuples(st.just("premium_range"), st.sampled_from([(20, 90), (60, 200), (500, 600)])),
    st.tuples(st.just("premium_above"), st.sampled_from([20, 80, 150])),
    st.tuples(st.just("premium_below"), st.sampled_from([40, 80, 150])),
    st.tuples(st.just("delta"), st.sampled_from([0.2, 0.35, 0.5])),
    st.tuples(st.just("delta_range"), st.sampled_from([(0.2, 0.45), (0.3, 0.6)])),
    st.tuples(st.just("straddle_width"), st.sampled_from([0.5, -0.5, 0.25, 1.0])),
    st.tuples(st.just("straddle_percent"), st.sampled_from([20, 50])),
)


@st.composite
def follows(draw, kinds, names):
    kind = draw(st.sampled_from(kinds))
    if kind is None:
        return None
    if kind == "lazy":
        return {"kind": "lazy", "leg": draw(st.sampled_from(names))}
    touch = draw(st.booleans()) if kind == "cost" else False
    return {"kind": kind, "times": draw(st.integers(1, 3)), "reverse": draw(st.booleans()), "touch": touch}


@st.composite
def leg(draw, entry, names, *, plain=False, waits=True):
    stop, target = (
        draw(anywhere if draw(st.booleans()) else premium),
        draw(anywhere if draw(st.booleans()) else premium),
    )
    trail = None
    if stop and not stop[0].startswith("spot") and draw(st.booleans()):
        kind, pairs = draw(
            st.sampled_from([("percent", [(3, 2), (5, 5), ("2.5", 8)]), ("points", [(2, 1), (3, "2.5")])])
        )
        every, by = draw(st.sampled_from(pairs))
        trail = {"every": (kind, every), "by": (kind, by)}
    way = draw(st.sampled_from(["market", "market", "momentum", "breakout"])) if waits else "market"
    momentum = draw(signed.filter(bool)) if way == "momentum" else None
    breakout = None
    if way == "breakout":
        ends = st.sampled_from(["high", "low"])
        breakout = {
            "until": entry + draw(st.integers(1, 12)),
            "end": draw(ends),
            "on": draw(st.sampled_from(["strike", "spot"])),
        }
    kinds = [None, "asap", "cost", *(["momentum"] if momentum else []), *(["lazy"] if names else [])]
    return {
        "right": draw(st.sampled_from(["CE", "PE"])),
        "side": draw(st.sampled_from(["sell", "sell", "buy"])),
        "lots": draw(st.integers(1, 3)),
        "expiry": draw(st.sampled_from(["weekly", "weekly", "next_weekly", "monthly", "next_monthly", 1])),
        "strike": draw(strike if draw(st.booleans()) else st.tuples(st.just("otm"), st.integers(-1, 1))),
        "strike_from": draw(st.sampled_from(["cash", "future", "synthetic"])),
        "stop": stop, "target": target, "trail": trail, "momentum": momentum, "breakout": breakout,
        "on_stop": draw(follows(kinds, names)) if stop and not plain else None,
        "on_target": draw(follows(kinds, names)) if target and not plain else None,
    }  # fmt: skip


limit = amounts(
    ("rupees", "400"), ("rupees", "1500.5"), ("percent", "3"), ("percent", "10"), ("spot_points", "15"),
    ("spot_percent", "0.1"),
)  # fmt: skip


@st.composite
def wholes(draw):
    """Settings of the whole strategy; half of them keep to rules of single legs."""
    entry = draw(st.integers(556, 580))
    rich = draw(st.booleans())
    complete = draw(st.integers(0, 4)) == 0
    together = draw(amounts(("percent", "1"), ("points", "-4"), ("percent", "-1"))) if rich else None
    names = draw(st.sampled_from([[], ["a"], ["a", "b"]])) if not complete else []
    lazy = {}
    for k, name in enumerate(reversed(names)):
        lazy[name] = draw(leg(entry, names[len(names) - k :]))
    legs = [draw(leg(entry, names, plain=complete, waits=not together)) for _ in range(draw(st.integers(1, 4)))]
    stop, target = (draw(limit), draw(limit)) if rich else (None, None)
    moving = together or any(one["momentum"] for one in legs)
    again = st.one_of(
        st.none(),
        st.fixed_dictionaries(
            {
                "kind": st.sampled_from(["asap", "momentum"] if moving else ["asap"]),
                "times": st.integers(1, 3),
                "reverse": st.booleans(),
            }
        ),
    )
    trail = None
    if stop and not stop[0].startswith("spot") and draw(st.booleans()):
        trail = draw(
            st.sampled_from(
                [
                    {"every": ("rupees", 200), "by": ("rupees", 150)},
                    {"every": ("percent", "1"), "by": ("percent", "0.75")},
                ]
            )
        )
    lock = draw(
        st.sampled_from([None, None, {"at": 500, "keep": 200}, {"at": 300, "keep": 0, "every": 100, "by": 60}])
    ) if rich else None  # fmt: skip
    return {
        "entry": entry, "exit": entry + draw(st.integers(5, 45)), "legs": legs, "lazy": lazy,
        "patience": draw(st.sampled_from([0, 2, 5])), "stop_on": draw(st.sampled_from(["range", "range", "close"])),
        "square_off": "complete" if complete else "partial",
        "break_even": draw(st.sampled_from([None, None, "all", "with_stop"])),
        "no_reentry_after": draw(st.one_of(st.none(), st.integers(entry + 1, entry + 30))),
        "overall_stop": stop, "overall_target": target, "overall_trail": trail, "lock": lock,
        "overall_momentum": together,
        "on_overall_stop": draw(again) if stop else None, "on_overall_target": draw(again) if target else None,
        "weekdays": draw(st.sampled_from([None] * 6 + [("mon", "wed", "thu", "fri")])),
        "dte": draw(st.sampled_from([None] * 6 + [(0, 1, 3), (2,)])),
        "dte_calendar": draw(st.sampled_from([None] * 6 + [(0, 1, 2)])),
        "vix": draw(st.sampled_from([None] * 6 + [(12, 22)])),
        "gap": draw(st.sampled_from([None] * 8 + [(-0.15, 0.3)])),
        "budget": draw(st.sampled_from([None] * 6 + [(500, 12_000)])),
        **draw(nights),
    }  # fmt: skip


nights = st.sampled_from(
    [{"holding": "intraday", "exit_days": 0, "settle": False}] * 4
    + [
        {"holding": "btst", "exit_days": 0, "settle": False},
        {"holding": "positional", "exit_days": 0, "settle": False},
        {"holding": "positional", "exit_days": 1, "settle": False},
        {"holding": "positional", "exit_days": 0, "settle": True},
    ]
)


def table(pair):
    """A distance of the plain telling as the settings' table."""
    return None if pair is None else {pair[0]: pair[1]}


def written(rule):
    """A leg of the plain telling as the settings have it."""
    name, value = rule["strike"]
    trail = rule["trail"]
    return rule | {
        "strike": {name: value},
        "stop": table(rule["stop"]),
        "target": table(rule["target"]),
        "momentum": table(rule["momentum"]),
        "trail": trail and {key: table(pair) for key, pair in trail.items()},
    }


def params_of(p):
    return {
        **{name: value for name, value in p.items() if name != "fills"},
        "legs": [written(rule) for rule in p["legs"]],
        "lazy": {name: written(rule) for name, rule in p["lazy"].items()},
        "overall_trail": p["overall_trail"] and {key: table(pair) for key, pair in p["overall_trail"].items()},
        **{name: table(p[name]) for name in ("overall_stop", "overall_target", "overall_momentum")},
    }


def told(days, p):
    plain = p | {"no_reentry_after": NEVER if p["no_reentry_after"] is None else p["no_reentry_after"]}
    moment = {"open": 0, "range": 0, "close": MINUTE_NS}
    rows = []
    for trade in manager(days, plain):
        (a, i, entered), (b, j, left) = trade.entry_ts, trade.exit_ts
        expiry, strike, right = trade.contract
        rows.append(
            (
                int(days[a].ts[i]) + moment[entered], trade.entry * days[a].tick, expiry, strike, right, trade.units,
                int(days[b].ts[j]) + moment[left], trade.exit * days[a].tick, trade.reason,
            )
        )  # fmt: skip
    return sorted(rows)


def run_of(days, p, strategy="legs"):
    run = backtest.replay(strategy, days, params=params_of(p), fills=p["fills"], costs=False)
    rows = []
    for row in run.trades.to_dicts():
        rows.append(
            (
                round(row["entry_time"].timestamp()) * 10**9, round(row["entry_price"] * 100),
                (row["expiry"] - days[0].session.replace(year=1970, month=1, day=1)).days, round(row["strike"] * 100),
                ("CE", "PE").index(row["right"]), row["quantity"],
                round(row["exit_time"].timestamp()) * 10**9, round(row["exit_price"] * 100), row["exit_reason"],
            )
        )  # fmt: skip
    return run, sorted(rows)


@pytest.mark.parametrize("fills", ["next_open", "decision_close", "algotest"])
@settings(max_examples=340, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(p=wholes(), seed=st.integers(0, 7), gaps=st.sampled_from([0.0, 0.0, 0.1]))
def test_replay_is_the_plain_telling(fills, p, seed, gaps):
    days = DAYS[seed, 1 if p["holding"] == "intraday" and p["gap"] is None else 3, gaps]
    p = p | {"fills": fills}
    _, rows = run_of(days, p)
    assert rows == told(days, p)
