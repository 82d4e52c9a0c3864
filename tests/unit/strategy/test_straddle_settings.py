"""What a trader may write for the settings of a straddle, and what is refused."""

from datetime import time

import numpy as np
import pytest

from algomaster import strategy
from algomaster.core.errors import CatalogueError, ConfigError
from algomaster.strategy.steps import legs


def configured(**params):
    return strategy.get("straddle").configure(params)


def row(**params):
    return configured(**params).pack()[0]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("entry", "09:20", 560), ("entry", "9:20", 560), ("entry", "09:20:00", 560), ("entry", 560, 560),
        ("entry", time(9, 20), 560), ("strikes", np.int64(43000), (43000, 43000)),
        ("stop_pct", "25", 25.0), ("stop_pct", "12.5%", 12.5), ("stop_pct", "none", None), ("stop_pct", None, None),
        ("strike", "ATM", 0), ("strike", "atm+2", 2), ("strike", "ATM-1", -1), ("strike", 3, 3),
        ("strikes", "44000,43000", (44000, 43000)), ("strikes", "PE:43000,CE:44000", (44000, 43000)),
        ("strikes", {"PE": 43000, "CE": "44000"}, (44000, 43000)), ("strikes", [44000, 43000], (44000, 43000)),
        ("strikes", "43000", (43000, 43000)), ("strikes", 43000, (43000, 43000)), ("strikes", "none", None),
        ("lots", "3", 3), ("side", "buy", "buy"),
    ],
)  # fmt: skip
def test_accepted(name, text, value):
    assert getattr(configured(**{name: text}), name) == value


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("entry", "25:00", "such as 09:20"), ("entry", "noon", "such as 09:20"), ("entry", 5000, "less than 1440"),
        ("stop_pct", -5, "or equal to 0.0001"), ("stop_pct", 0.00001, "or equal to 0.0001"),
        ("stop_pct", "nan", "finite"), ("strikes", "15800.004", "whole paise"), ("entry", True, "such as 09:20"),
        ("stop_pct", "a lot", "valid number"), ("strike", "OTM", "ATM+k"), ("strikes", {"CE": 1}, "both rights"),
        ("strikes", "1,2,3", "at most 2"), ("strikes", "-5", "greater than 0"), ("lots", 0, "or equal to 1"),
        ("lots", 1.5, "integer"), ("side", "hold", "'sell' or 'buy'"), ("fills", "x", "there is no parameter"),
    ],
)  # fmt: skip
def test_refused_with_what_was_expected(name, text, said):
    with pytest.raises(ConfigError) as problem:
        configured(**{name: text})
    assert said in str(problem.value)
    assert name in str(problem.value)
    assert problem.value.exit_code == 3


def test_no_decision_comes_before_the_first_bar_has_closed():
    assert configured(entry="09:16").entry == 556
    with pytest.raises(ConfigError, match=r"entry 09:15: the first decision of a session is at 09:16"):
        configured(entry="09:15")


def test_the_exit_comes_after_the_entry():
    with pytest.raises(ConfigError, match=r"entry 15:15 must come before exit 15:15"):
        configured(entry="15:15")


def test_the_leg_table():
    table = row(strike="ATM+1", width=2, stop_pct=20, target_pct=12.5, lots=3, strike_at="fill", stop_on="close")
    assert table["n_legs"] == 2
    assert table["steps"][:2].tolist() == [3, -1]
    assert table["right"][:2].tolist() == [0, 1]
    assert table["side"][:2].tolist() == [-1, -1]
    assert table["stop_ppm"][:2].tolist() == [200_000, 200_000]
    assert table["target_ppm"][:2].tolist() == [125_000, 125_000]
    assert (table["strike_at"], table["stop_on"]) == (legs.AT_FILL, legs.ON_CLOSE)


def test_settings_read_back_from_their_json():
    settings = configured(entry="09:31", strike="ATM-2", stop_pct=None, strikes="44000,43000")
    again = strategy.get("straddle").configure(settings.model_dump(mode="json"))
    assert again == settings
    assert again.content_hash() == settings.content_hash()
    assert configured(entry="09:32").content_hash() != configured(entry="09:33").content_hash()


def test_the_catalogue():
    assert {"straddle", "strangle"} <= set(strategy.names())
    with pytest.raises(CatalogueError, match="Did you mean 'straddle'"):
        strategy.get("stradle")


def test_a_users_settings_pack_to_numbers():
    class Mine(strategy.Params):
        lots: int = 2
        bias: float = 0.5
        fast: bool = True

    packed = Mine().pack()
    assert packed[0]["lots"] == 2
    assert packed[0]["bias"] == 0.5
    assert packed[0]["fast"] == 1

    class Wordy(strategy.Params):
        mood: str = "calm"

    with pytest.raises(ConfigError, match="pack"):
        Wordy().pack()
