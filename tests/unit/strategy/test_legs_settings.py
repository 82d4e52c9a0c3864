"""What a trader may write for the straddle manager, and what is refused."""

import json
import tomllib
from datetime import time
from pathlib import Path

import pytest

from algomaster import strategy
from algomaster.core.errors import ConfigError
from algomaster.strategy.moves import packed
from algomaster.strategy.steps import manager_table as table

ROOT = Path(__file__).resolve().parents[3]


def configured(**params):
    return strategy.get("legs").configure(params)


def leg(**rules):
    return configured(legs=[{"right": "CE"} | rules]).legs[0]


@pytest.mark.parametrize(
    ("text", "kind", "amount"),
    [
        ("25%", table.PERCENT, 250_000), (" 12.5 % ", table.PERCENT, 125_000), ("30 points", table.POINTS, 3_000),
        ("1pt", table.POINTS, 100), ("spot 0.5%", table.SPOT_PERCENT, 5_000),
        ("spot 50 points", table.SPOT_POINTS, 5_000),
        ({"percent": 25}, table.PERCENT, 250_000), ({"spot_points": 7.5}, table.SPOT_POINTS, 750),
    ],
)  # fmt: skip
def test_distances(text, kind, amount):
    assert packed(leg(stop=text).stop) == (kind, amount)


@pytest.mark.parametrize(
    ("text", "kind", "amount"),
    [
        (5000, table.RUPEES, 500_000), ("5000", table.RUPEES, 500_000), ("2500.5 rupees", table.RUPEES, 250_050),
        ("20%", table.PERCENT, 200_000), ("spot 1%", table.SPOT_PERCENT, 10_000),
    ],
)  # fmt: skip
def test_limits(text, kind, amount):
    assert packed(configured(overall_stop=text).overall_stop) == (kind, amount)


@pytest.mark.parametrize("text", ["none", "None", "off", "", None])
def test_none_switches_a_rule_off(text):
    settings = configured(
        legs=[{"right": "CE", "stop": text, "trail": text, "momentum": text}], overall_stop=text, lock=text
    )
    assert settings.legs[0].stop is settings.legs[0].trail is settings.overall_stop is settings.lock is None


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"stop": 25}, "such as"), ({"stop": "-5%"}, "more than 0"), ({"stop": "soon"}, "such as"),
        ({"stop": "spot 5"}, "such as"), ({"momentum": "0%"}, "anything but 0"),
        ({"momentum": "-100%"}, "less than 100%"),
        ({"strike": "far"}, "ATM+2"), ({"strike": "OTM"}, "ATM+2"),
        ({"strike": {"premium": 5, "delta": 0.3}}, "exactly one"),
        ({"strike": {}}, "exactly one"), ({"strike": {"premium_range": [9, 5]}}, "as low, high"),
        ({"strike": {"delta": 30}}, "less than 1"), ({"right": "XX"}, "'CE' or 'PE'"), ({"lots": 0}, "or equal to 1"),
        ({"trail": {"every": "5%", "by": "5%"}}, "give a stop"),
        ({"stop": "5%", "trail": {"every": "5%", "by": "5 points"}}, "both in percent or both in points"),
        ({"momentum": "5%", "breakout": {"until": "09:45", "end": "high"}}, "cannot be combined"),
        ({"breakout": {"until": "09:20", "end": "high"}}, "must come after entry 09:20"),
        ({"on_stop": "asap"}, "give one"), ({"on_target": "cost"}, "give one"),
        ({"stop": "5%", "on_stop": "momentum"}, "leg's momentum"), ({"stop": "5%", "on_stop": "lazy"}, "names the leg"),
        ({"stop": "5%", "on_stop": {"kind": "lazy", "leg": "b"}}, "no lazy leg 'b'"),
        ({"stop": "5%", "on_stop": {"kind": "asap", "times": 21}}, "or equal to 20"),
        ({"stop": "5%", "on_stop": {"kind": "asap", "touch": True}}, "touch belongs to kind 'cost'"),
        ({"expiry": "daily"}, "weekly"),
    ],
)  # fmt: skip
def test_a_leg_refused_with_what_was_expected(rules, said):
    with pytest.raises(ConfigError) as problem:
        leg(**rules)
    assert said in str(problem.value)
    assert problem.value.exit_code == 3


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"entry": "09:15"}, "the first decision"), ({"entry": "15:15"}, "must come before exit"),
        ({"legs": []}, "at least 1"), ({"legs": [{"right": "CE"}] * 11}, "at most 10"), ({"legs": "CE"}, "JSON"),
        ({"exit_days": 1}, "belong to holding 'positional'"), ({"settle": True}, "belong to holding 'positional'"),
        ({"overall_stop": "30 points"}, "5 rupees"), ({"on_overall_stop": "asap"}, "give one"),
        ({"overall_trail": {"every": 5, "by": 5}}, "give one"), ({"lock": {"at": 5, "keep": 5}}, "must be less"),
        ({"overall_stop": 500, "on_overall_stop": "momentum"}, "overall_momentum, or momentum to a leg"),
        ({"overall_momentum": "5%", "legs": [{"right": "CE", "momentum": "5%"}]}, "takes the place"),
        ({"square_off": "complete", "legs": [{"right": "CE", "stop": "5%", "on_stop": "asap"}]}, "no on_stop"),
        ({"vix": [20, 10]}, "as low, high"), ({"weekdays": ["monday"]}, "'mon'"),
        ({"fils": 1}, "there is no parameter"),
        (
            {"lazy": {"a": {"right": "CE", "stop": "5%", "on_stop": {"kind": "lazy", "leg": "a"}}}},
            "start itself again without end",
        ),
    ],
)  # fmt: skip
def test_refused_with_what_was_expected(params, said):
    with pytest.raises(ConfigError, match=r".") as problem:
        configured(**params)
    assert said in str(problem.value)


RICH = {
    "entry": "09:31",
    "legs": [
        {"right": "C", "stop": "12.345678%", "trail": {"every": "5%", "by": "2%"}, "strike": {"delta": 0.3}},
        {"right": "PE", "breakout": {"until": time(9, 45), "end": "low"}, "strike": "OTM2", "expiry": "monthly"},
        {
            "right": "PE", "target": "30%", "on_target": {"kind": "lazy", "leg": "b"},
            "strike": {"premium_range": [50, 90]},
        },
    ],
    "lazy": {"b": {"right": "CE", "side": "buy", "momentum": "-10 points"}},
    "overall_stop": 5000, "lock": {"at": 3000, "keep": 1000}, "dte": [0, 1], "sizing": "martingale", "max_lots": 4,
}  # fmt: skip


def test_settings_read_back_from_their_json():
    settings = configured(**RICH)
    again = strategy.get("legs").configure(json.loads(json.dumps(settings.model_dump(mode="json"))))
    assert again == settings
    assert again.content_hash() == settings.content_hash()
    assert again.pack().tobytes() == settings.pack().tobytes()


def test_tables_may_come_as_json_text():
    assert configured(legs=json.dumps([{"right": "CE"}])).legs[0].right == "CE"


def test_the_step_sleeps_only_where_held_legs_rest_on_their_orders():
    def quiet(**params):
        return configured(**params).pack()[0]["quiet"]

    assert quiet()
    assert quiet(legs=[{"right": "CE", "stop": "20%", "on_stop": "asap"}], break_even="all")
    assert not quiet(stop_on="close")
    assert not quiet(overall_target=500)
    assert not quiet(lock={"at": 500, "keep": 1})
    assert not quiet(legs=[{"right": "CE", "stop": "spot 1%"}])
    assert not quiet(legs=[{"right": "CE", "stop": "5%", "trail": {"every": "1%", "by": "1%"}}])


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "strategies").glob("*.toml")), ids=lambda path: path.stem)
def test_example_configs_are_right(path):
    job = tomllib.loads(path.read_text("utf-8"))
    assert strategy.get(job["strategy"]).configure(job.get("params", {})).pack().size == 1
