"""The momentum strategy on hand-made bars: what it buys, when it leaves; what its settings accept."""

import pytest

from algomaster import backtest, strategy
from algomaster.core.errors import ConfigError
from algomaster.strategy.sizing import Sized
from algomaster.strategy.steps.ranking import BUILDUPS, buildup
from hand_made import bars, blank, flat_index

BASE = {
    "start": "09:40", "end": "09:40", "exit": "10:10", "minutes": 10, "min_value": None, "stop_pct": None,
    "max_spread_pct": None,
}  # fmt: skip


def flat(price):
    return (price, price, price, price)


def quiet(**paths):
    """Every contract stands at 100 rupees, but for those named, such as CE20000=[...]; 60 minutes, index at 20,000."""
    day = flat_index(blank(minutes=60, centre=20_000), 20_000)
    for strike in range(19_900, 20_101, 50):
        for right in ("CE", "PE"):
            path = paths.get(f"{right}{strike}", [100] * 60)
            bars(day, strike, right, [flat(price) for price in path])
    day.volume[:], day.oi[:], day.bid[:], day.ask[:] = 100, 5_000, 1_999, 2_001
    return day


def trades(day, fills="next_open", **params):
    run = backtest.replay("momentum", day, params=BASE | params, fills=fills, costs=False)
    return [
        (f"{row['right']}{row['strike']:g}", row["quantity"], row["entry_price"], row["exit_price"], row["exit_reason"])
        for row in run.trades.sort("leg").to_dicts()
    ]


RISING = [100 + n for n in range(60)]
FALLING = [140 - n for n in range(60)]


def test_the_riser_is_bought_at_the_next_open():
    """The bar that ends at 09:40 is number 24; 09:40 opens at 125, 10:10 at 155."""
    assert trades(quiet(PE20050=RISING, CE19950=FALLING)) == [("PE20050", 50, 125.0, 155.0, "time")]
    assert trades(quiet(PE20050=RISING), fills="decision_close") == [("PE20050", 50, 124.0, 154.0, "time")]


def test_the_faller_with_a_negative_weight():
    weights = {"momentum_weight": -1, "strength_weight": 0, "liquidity_weight": 0}
    assert trades(quiet(PE20050=RISING, CE19950=FALLING), **weights)[0][0] == "CE19950"


def test_of_equals_the_first_contract():
    assert trades(quiet())[0][0] == "CE19900"
    assert trades(quiet(), rights="PE", reach=1)[0][0] == "PE19950"


def test_a_stop_and_a_target_in_ticks():
    """Bought at 125; at 09:45 it opens at 140, a target of 200 ticks of 5 paise stands at 135."""
    path = [*RISING[:30], *[140] * 30]
    assert trades(quiet(PE20050=path), target_ticks=200) == [("PE20050", 50, 125.0, 140.0, "target")]
    path = [*RISING[:30], *[110] * 30]
    assert trades(quiet(PE20050=path), stop_ticks=200) == [("PE20050", 50, 125.0, 110.0, "stop")]


def test_a_trailing_stop_follows_the_close():
    """It rises to 134, where the stop follows at 10 % below, and falls by a rupee a minute: 120.6 is never seen, but
    passed in the gap to 119."""
    path = [*RISING[:35], *[121] * 5, *[119] * 20]
    assert trades(quiet(PE20050=path), trail_pct=10) == [("PE20050", 50, 125.0, 119.0, "trail")]
    sold = trades(quiet(PE20050=path), trail_pct=10, side="sell")
    assert sold == [("PE20050", -50, 125.0, 119.0, "time")]


def test_a_position_is_left_after_so_many_bars():
    assert trades(quiet(PE20050=RISING), hold=5) == [("PE20050", 50, 125.0, 130.0, "time")]


def test_more_than_one_pick_and_no_contract_twice():
    found = trades(quiet(PE20050=RISING), end="09:42", every=1, picks=2, max_positions=5)
    assert len(found) == 5
    assert len({one[0] for one in found}) == 5


def test_a_least_score():
    assert trades(quiet(), min_score=60) == []
    assert len(trades(quiet(PE20050=RISING), min_score=60)) == 1


def test_what_is_left_out():
    thin = quiet(PE20050=RISING)
    thin.volume[0, 3, 1] = 0
    assert trades(thin, min_value=1_000)[0][0] != "PE20050"
    wide = quiet(PE20050=RISING)
    wide.ask[0, 3, 1] = 2_400
    assert trades(wide, max_spread_pct=10)[0][0] != "PE20050"
    cheap = quiet(PE20050=[4] * 10 + [4.5] * 50)
    assert trades(cheap, min_premium=5)[0][0] != "PE20050"


def test_nothing_without_the_index_or_before_enough_bars():
    day = quiet(PE20050=RISING)
    assert trades(day, start="09:20", end="09:20") == []
    day = quiet(PE20050=RISING)
    day.spot[24] = -2147483648
    assert trades(day) == []


def test_martingale_over_the_rounds_of_a_day():
    """The faller is bought again and again: each round loses two rupees a unit, so that the next has twice the lots."""
    run = backtest.replay(
        "momentum", quiet(PE20050=FALLING), costs=False,
        params=BASE | {"start": "09:30", "end": "10:05", "every": 5, "minutes": 3, "max_positions": 1, "hold": 2,
                       "momentum_weight": -1, "strength_weight": 0, "liquidity_weight": 0, "sizing": "martingale",
                       "max_lots": 6, "capital": 1_000.0},
    )  # fmt: skip
    assert run.trades.sort("leg")["lots"].to_list() == [1, 2, 4, 6, 6, 6, 6, 6]
    assert run.trades.sort("leg")["net_pnl"].to_list() == [-100.0 * lots for lots in (1, 2, 4, 6, 6, 6, 6, 6)]
    assert (run.metrics["risk_of_ruin"], run.metrics["risk_of_ruin_se"]) == (1.0, 0.0)
    assert run.notes["note"][-1].startswith("risk of ruin 100.00 %")
    assert "Risk of ruin" in repr(run)


@pytest.mark.parametrize(
    ("change", "oi", "name"),
    [(1, 1, "long_buildup"), (-1, 1, "short_buildup"), (1, -1, "short_covering"), (-1, -1, "long_unwinding"),
     (0, 1, ""), (1, 0, ""), (float("nan"), 1, ""), (1, float("nan"), "")],
)  # fmt: skip
def test_what_open_interest_says(change, oi, name):
    assert BUILDUPS[buildup(float(change), float(oi))] == name


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"start": "09:15"}, "09:16"), ({"start": "11:00", "end": "10:00"}, "in this order"),
        ({"end": "15:20"}, "in this order"), ({"reach": 16}, "less than or equal to 15"),
        ({f"{name}_weight": 0 for name in ("momentum", "volume", "interest", "strength", "liquidity")}, "weight"),
        ({"sizing": "fraction"}, "risk_per_lot"), ({"sizing": "hope"}, "'martingale'"), ({"multiplier": 0.5}, "multi"),
        ({"max_lots": 0}, "max_lots"), ({"capital": "1.001"}, "whole paise"), ({"fraction": 500}, "fraction"),
    ],
)  # fmt: skip
def test_refused(settings, said):
    with pytest.raises(ConfigError, match=said):
        strategy.get("momentum").configure(settings)


def test_written_as_on_the_command_line():
    settings = strategy.get("momentum").configure(
        {"stop_pct": "12.5%", "hold": "30", "trail_ticks": "none", "max_steps": "none", "max_margin": "500000",
         "fraction": "2%", "min_score": "70", "min_premium": "none"}
    )  # fmt: skip
    row = settings.pack()[0]
    assert (row["stop_ppm"], row["hold"], row["trail_ticks"], row["size_steps"]) == (125_000, 30, 0, -1)
    assert (row["size_margin"], row["size_fraction_ppm"], row["least_score_ppm"]) == (50_000_000, 20_000, 700_000)
    assert row["rank_least_price"] == 0
    again = strategy.get("momentum").configure(settings.model_dump(mode="json"))
    assert again.content_hash() == settings.content_hash()


def test_plain_sizing_costs_nothing():
    assert strategy.get("momentum").configure({}).pack()[0]["size_plain"] == 1
    for name, value in (("max_lots", 5), ("max_margin", 1e6), ("daily_loss_limit", 1e4), ("max_loss", 1e5)):
        assert strategy.get("momentum").configure({name: value}).pack()[0]["size_plain"] == 0
    assert issubclass(strategy.get("momentum").params, Sized)
