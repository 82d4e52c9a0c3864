"""Settings in bulk are the settings one by one: the same records, the same refusals, whatever the grid."""

import itertools
from typing import Literal, Self, get_args, get_origin

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from pydantic import TypeAdapter, ValidationError, field_validator, model_validator

from algomaster import strategy
from algomaster.backtest.sweeps.gridding import Sets
from algomaster.backtest.sweeps.packing import Settings
from algomaster.core.errors import ConfigError

TRIED = [0, 1, 2, 3, 5, 7, 10, 30, 45, 60, 560, 575, 600, 900, 0.5, 1.5, 25.0, -2, -1, True, False, None, "none", "25%"]
drawn = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


def choices(annotation):
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    return [value for part in get_args(annotation) for value in choices(part)]


def candidates(kind):
    """Values that each setting takes, found by trying."""
    found = {}
    for name, field in kind.model_fields.items():
        adapter = TypeAdapter(field.rebuild_annotation())
        good = []
        for value in [field.default, *choices(field.annotation), *TRIED]:
            try:
                adapter.validate_python(value)
            except ValidationError:
                continue
            if repr(value) not in map(repr, good):
                good.append(value)
        if len(good) > 1:
            found[name] = good
    return found


CANDIDATES = {name: candidates(strategy.get(name).params) for name in strategy.names()}


@pytest.mark.parametrize("name", strategy.names())
@drawn
@given(data=st.data())
def test_records_put_together_are_those_packed_alone(name, data):
    known = CANDIDATES[name]
    varied = data.draw(st.lists(st.sampled_from(sorted(known)), min_size=3, max_size=5, unique=True))
    values = {
        one: data.draw(st.lists(st.sampled_from(known[one]), min_size=2, max_size=4, unique_by=repr)) for one in varied
    }
    sets = [dict(zip(values, combination)) for combination in itertools.product(*values.values())]
    alone = []
    for one in sets:
        try:
            alone.append((one, strategy.get(name).configure(one).pack()))
        except ConfigError:
            continue
    assume(len(alone) > 3)
    found = Settings(strategy.get(name), Sets.of([one for one, _ in alone]))
    assert found.pack(0, len(alone)).tobytes() == b"".join(record.tobytes() for _, record in alone)
    assert found.pack(1, 3).tobytes() == b"".join(record.tobytes() for _, record in alone[1:3])


def test_a_large_grid_is_put_together():
    grid = {"strike": [-1, 0, 1], "width": [0, 1, 2], "stop_pct": [10, 20, None], "entry": ["09:20", "09:30", "09:40"]}
    found = Settings(strategy.get("straddle"), Sets.of(grid))
    assert found._assembly is not None
    assert sorted(map(sorted, (group.names for group in found._assembly._groups))) == [
        ["entry"], ["stop_pct"], ["strike", "width"],
    ]  # fmt: skip


class Odd(strategy.Params):
    """Words that join settings in ways that changing one at a time does not show."""

    low: int = 0
    high: int = 0
    scale: int = 0
    shift: int = 0

    def pack(self):
        record = np.zeros(1, [("both", np.int64), ("least", np.int64), ("far", np.int64)])
        record["both"] = self.scale * self.shift
        record["least"] = min(self.low, self.high)
        record["far"] = 7 if (self.low, self.high, self.scale) == (3, 2, 1) else 0
        return record


def packed(kind, grid):
    sets = Sets.of(grid)
    mine = strategy.Strategy("odd", step=None, params=kind)
    found = Settings(mine, sets)
    return found, b"".join(mine.configure(sets.given(p)).pack().tobytes() for p in range(len(sets)))


GRID = {"low": [0, 1, 2, 3], "high": [0, 1, 2, 3], "scale": [0, 1, 2], "shift": [0, 1, 2, 3, 4]}


def test_settings_of_ones_own_are_packed_one_by_one():
    found, expected = packed(Odd, GRID)
    assert found._assembly is None
    assert found.pack(0, len(found)).tobytes() == expected


def test_interplay_is_noticed_where_it_is_looked_for(monkeypatch):
    monkeypatch.setattr("algomaster.backtest.sweeps.packing._packs_by_word", lambda _: True)
    found, _ = packed(Odd, GRID)
    names = [set(group.names) for group in found._assembly._groups] if found._assembly else []
    assert not names or {"scale", "shift"} in names
    assert not names or any({"low", "high"} <= group for group in names)


class Ordered(strategy.Params):
    """A rule that joins two settings, and one that joins them with a third only sometimes."""

    first: int = 0
    last: int = 10
    limit: int | None = None
    other: float = 0.0

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first >= self.last:
            raise ValueError(f"first {self.first} must come before last {self.last}")
        return self

    @model_validator(mode="after")
    def _limited(self) -> Self:
        if self.first > 5 and self.limit is not None and self._reach() > self.limit:
            raise ValueError("too far")
        return self

    def _reach(self):
        return self.last - self.first

    def pack(self):
        return np.array([(self.first, self.last, self.limit or 0)], [("a", int), ("b", int), ("c", int)])


class Fussy(Ordered):
    @field_validator("other")
    @classmethod
    def _no_thirteen(cls, value, info):
        if value == 13 and info.data["first"] == 1:
            raise ValueError("unlucky")
        return value


small = st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True)


@drawn
@given(
    first=small, last=small, limit=st.lists(st.sampled_from([None, 1, 3]), min_size=1, max_size=3, unique=True),
    kind=st.sampled_from([Ordered, Fussy]),
)  # fmt: skip
def test_what_one_set_is_refused_for_the_grid_is_too(first, last, limit, kind):
    mine = strategy.Strategy("mine", step=None, params=kind)
    sets = Sets.of({"other": [0.0, 13.0], "first": first, "last": last, "limit": limit})
    refused = []
    for p in range(len(sets)):
        try:
            mine.configure(sets.given(p))
        except ConfigError as problem:
            refused.append(str(problem))
    if refused:
        with pytest.raises(ConfigError) as told:
            Settings(mine, sets)
        assert str(told.value) in refused
    else:
        found = Settings(mine, sets)
        assert (found._each is None) == (kind is Ordered)
        alone = b"".join(mine.configure(sets.given(p)).pack().tobytes() for p in range(len(sets)))
        assert found.pack(0, len(sets)).tobytes() == alone


def test_a_grid_is_its_list_written_out():
    grid = {"entry": ["09:20", "09:30"], "stop_pct": [10, None, 20]}
    listed = [dict(zip(grid, one)) for one in itertools.product(*grid.values())]
    as_grid, as_list = (Settings(strategy.get("straddle"), Sets.of(each, {"lots": 2})) for each in (grid, listed))
    assert as_grid.content_hash == as_list.content_hash
    assert as_grid.shown("entry").to_list() == ["09:20"] * 3 + ["09:30"] * 3
    assert as_list.shown("stop_pct").to_list() == [10.0, None, 20.0] * 2
    assert as_grid.shared()["target_pct"] is None
    other = Settings(strategy.get("straddle"), Sets.of(listed[::-1], {"lots": 2}))
    assert other.content_hash != as_list.content_hash


def test_settings_left_to_their_default():
    found = Settings(strategy.get("straddle"), Sets.of([{"stop_pct": 10}, {"lots": 3}, {"stop_pct": None}]))
    assert found.shown("stop_pct").to_list() == [10.0, 25.0, None]
    assert found.shown("lots").to_list() == [1, 3, 1]
    expected = [strategy.get("straddle").configure(one).pack().tobytes() for one in ({"stop_pct": 10}, {"lots": 3})]
    assert found.pack(0, 2).tobytes() == b"".join(expected)


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        ({"stop_pct": [10, "soon"]}, "stop_pct"),
        ({"nothing": [1]}, "there is no parameter of straddle 'nothing'"),
        ({"entry": ["09:20", "15:20"], "exit": ["15:15"]}, "must come before exit"),
        ([{"entry": "09:20"}, {"entyr": "09:20"}], "entyr"),
    ],
)
def test_what_cannot_be_is_refused(grid, said):
    with pytest.raises(ConfigError, match=said):
        Settings(strategy.get("straddle"), Sets.of(grid))
