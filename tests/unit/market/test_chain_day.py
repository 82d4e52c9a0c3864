import dataclasses

import numpy as np
import pytest

from algomaster import backtest
from algomaster.core.errors import DataError
from algomaster.market import ChainDay, Days
from hand_made import random_day


def test_a_day_survives_the_disk_and_is_mapped(tmp_path):
    day = random_day(4)
    day.save(tmp_path / "day")
    again = ChainDay.open_folder(tmp_path / "day")
    assert isinstance(again.close, np.memmap)
    assert again.fingerprint == day.fingerprint
    params = {"entry": "09:20", "exit": "09:50"}
    assert (
        backtest.replay("straddle", again, params=params).digest
        == backtest.replay("straddle", day, params=params).digest
    )


def test_the_fingerprint_follows_every_field():
    day = random_day(4)
    prints = {day.fingerprint}
    for field in dataclasses.fields(day):
        value = getattr(day, field.name)
        if isinstance(value, np.ndarray) and value.size:
            other = value.copy()
            other.flat[0] += 1
            prints.add(dataclasses.replace(day, **{field.name: other}).fingerprint)
    arrays = [f for f in dataclasses.fields(day) if getattr(getattr(day, f.name), "size", 0)]
    assert len(prints) == len(arrays) + 1


def test_shapes_are_checked():
    day = random_day(4)
    with pytest.raises(ValueError, match=r"ChainDay.close: expected a C-contiguous array of shape"):
        dataclasses.replace(day, close=day.close[..., :-1])


@pytest.mark.parametrize("name", ["close", "spot", "score"])
def test_kinds_of_numbers_are_checked(name):
    day = random_day(4)
    with pytest.raises(ValueError, match=f"ChainDay.{name}: expected .+ got .+ float32"):
        dataclasses.replace(day, **{name: getattr(day, name).astype(np.float32)})


def test_a_session_is_read_only_from_its_first_run_on():
    day = random_day(4)
    day.close[0, 0, 0, 0] = 7
    backtest.replay("straddle", day)
    with pytest.raises(ValueError, match="read-only"):
        day.close[0, 0, 0, 0] = 8


def test_days_are_of_one_underlying_and_in_order():
    first, second = random_day(1), random_day(2)
    days = Days([first, second])
    assert (len(days), days.underlying, days[1]) == (2, "NIFTY", second)
    assert isinstance(days[:1], Days)
    assert days.fingerprint != days[:1].fingerprint
    with pytest.raises(DataError, match="out of order"):
        Days([second, first])
    with pytest.raises(DataError, match="one underlying"):
        Days([first, dataclasses.replace(second, underlying="BANKNIFTY")])
