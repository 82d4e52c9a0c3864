"""Sizing: the kernel equals the plain telling over drawn histories, and keeps to its caps."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from algomaster.strategy.sizing import SIZING_PARAMS, SIZING_STATE, Sized
from algomaster.strategy.steps.sizing import lots_for
from naive.sizing import next_lots

MONDAY = 19_723  # 2024-01-01

amounts = st.sampled_from([None, 2_000.0, 15_000.5, 80_000.0])
policies = st.fixed_dictionaries(
    {
        "sizing": st.sampled_from(["fixed", "martingale", "antimartingale", "fraction", "volatility", "kelly"]),
        "multiplier": st.sampled_from([1.0, 1.5, 2.0, 3.25]),
        "max_steps": st.sampled_from([None, 0, 1, 3, 4]),
        "after_max": st.sampled_from(["stay", "restart"]),
        "reset": st.sampled_from(["win", "recovery", "day", "week", "never"]),
        "max_lots": st.sampled_from([None, None, 1, 7, 50]),
        "daily_loss_limit": amounts,
        "max_loss": amounts,
        "capital": st.sampled_from([50_000.0, 1_000_000.0]),
        "fraction": st.sampled_from([0.5, 2.0, 100.0]),
        "risk_per_lot": st.sampled_from([900.0, 4_321.05]),
        "target_volatility": st.sampled_from([None, 6_000.0]),
        "target_volatility_pct": st.sampled_from([0.4, 2.5]),
        "lookback": st.sampled_from([3, 5, 20]),
        "kelly_fraction": st.sampled_from([0.25, 1.0]),
    }
)
paise = st.integers(-900_000, 1_000_000)
rounds = st.lists(st.tuples(st.sampled_from([0, 0, 1, 3]), st.one_of(st.just(0), paise, paise)), max_size=40)


def asked(policy, history, base, ask=None):
    """Ask for lots round after round; give (session, lots, paise) of each and the lots that the plain telling gives."""
    record = np.zeros(1, np.dtype(SIZING_PARAMS))
    policy.pack_sizing(record[0])
    state = np.zeros(1, np.dtype(SIZING_STATE))
    session, netted, done = MONDAY, 0, []
    for later, pnl in history:
        session += later
        expected = ask(done, session) if ask else None
        lots = int(lots_for(state, record, session, netted, 10_000, base))
        if ask:
            assert lots == expected
        done.append((session, lots, pnl * lots))
        netted += pnl * lots
    return done


@settings(max_examples=600)
@given(policy=policies, history=rounds, base=st.integers(1, 5))
def test_the_kernel_is_the_plain_telling(policy, history, base):
    asked(Sized(**policy), history, base, lambda done, session: next_lots(done, session, base, policy))


@settings(max_examples=200)
@given(policy=policies, history=rounds, base=st.integers(1, 5))
def test_never_above_the_caps_and_never_after_the_limits(policy, history, base):
    done = asked(Sized(**policy), history, base)
    for k, (session, lots, _) in enumerate(done):
        assert 0 <= lots <= (policy["max_lots"] or 10_000)
        lost = -sum(pnl for _, _, pnl in done[:k])
        lost_today = -sum(pnl for day, _, pnl in done[:k] if day == session)
        for limit, so_far in ((policy["max_loss"], lost), (policy["daily_loss_limit"], lost_today)):
            if limit is not None:
                assert lots * policy["risk_per_lot"] * 100 <= max(limit * 100 - so_far, 0) + 1e-6


@given(history=rounds, base=st.integers(1, 5), kind=st.sampled_from(["fixed", "martingale", "antimartingale"]))
def test_the_base_where_nothing_else_is_wanted(history, base, kind):
    policy = Sized(sizing=kind, multiplier=1.0) if kind != "fixed" else Sized()
    assert all(lots == base for _, lots, _ in asked(policy, history, base))


@pytest.mark.parametrize("multiplier", [1.5, 2.0, 3.0])
@pytest.mark.parametrize("kind", ["martingale", "antimartingale"])
def test_after_straight_losses_the_base_times_the_multiplier_to_their_number(kind, multiplier):
    result = -1_000 if kind == "martingale" else 1_000
    policy = Sized(sizing=kind, multiplier=multiplier, max_steps=6, max_lots=700)
    lots = [lots for _, lots, _ in asked(policy, [(0, result)] * 10 + [(0, -result), (0, result)], 4)]
    grown = [int(4 * multiplier ** min(k, 6) + 0.5) for k in range(11)]
    assert lots == [*(min(one, 700) for one in grown), 4]


@pytest.mark.parametrize(
    ("reset", "expected"),
    [
        # results:      lose lose win  lose | lose (next day) | lose (next Monday) | win, win
        ("win", [1, 2, 4, 1, 2, 4, 8, 1]),
        ("day", [1, 2, 4, 1, 1, 1, 2, 1]),
        ("week", [1, 2, 4, 1, 2, 1, 2, 1]),
        ("recovery", [1, 2, 4, 1, 2, 4, 8, 1]),
        ("never", [1, 2, 4, 4, 8, 16, 16, 16]),
    ],
)
def test_when_a_martingale_goes_back(reset, expected):
    history = [(3, -10), (0, -10), (0, 10), (0, -10), (1, -10), (3, -10), (0, 10), (0, 10)]
    assert [lots for _, lots, _ in asked(Sized(sizing="martingale", reset=reset), history, 1)] == expected


def test_recovery_waits_until_the_losses_are_back():
    history = [(0, -100), (0, -100), (0, 30), (0, 30), (0, 30), (0, 5)]  # 1 and 2 lots lose 300, 4 lots win 120 a time
    policy = Sized(sizing="martingale", reset="recovery")
    assert [lots for _, lots, _ in asked(policy, history, 1)] == [1, 2, 4, 4, 4, 1]


def test_a_round_that_netted_nothing_changes_nothing():
    history = [(0, -10), (0, 0), (0, 0), (0, -10), (0, 0)]
    assert [lots for _, lots, _ in asked(Sized(sizing="martingale"), history, 1)] == [1, 2, 2, 2, 4]
