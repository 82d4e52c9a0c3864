"""The settings of very many parameter sets, checked and turned into the records that steps read.

Checking a million sets one by one takes longer than running them. Where a strategy's settings allow it

1. every distinct value of a setting is checked once;
2. rules that join settings are run once for every combination of those settings that they read, which is observed
   while they run; so a rule on entry and exit sees every pair of the two, whatever else varies;
3. a set is then put together from checked values when its chunk is run, its record from those of few sets
   (:mod:`~algomaster.backtest.sweeps.assembling`) where the strategy is known to allow it.

Settings that may do anything (validators that see other fields, aliases, private attributes) are checked set by set.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl
from pydantic import BaseModel, TypeAdapter, ValidationError

from algomaster.backtest.sweeps.assembling import Assembly, assembly_of
from algomaster.backtest.sweeps.gridding import NOT_GIVEN, Sets
from algomaster.core.config import Config
from algomaster.core.errors import StrategyError
from algomaster.core.types import IntArray, Record
from algomaster.strategy.contract import Params, Strategy

__all__ = ["Settings"]


class Settings:
    """Checked settings of all sets of a sweep.

    Raises
    ------
    ConfigError
        A setting is unknown or impossible, in whichever set.
    """

    def __init__(self, strategy: Strategy, sets: Sets) -> None:
        self._strategy = strategy
        self._sets = sets
        self._first = strategy.configure(sets.given(0))
        self._values: dict[str, list[Any]] = {}
        self._each: list[Params] | None = None
        rules = _rules(strategy)
        if rules is None or not self._checked_by_value() or not self._checked_across(rules):
            self._each = [strategy.configure(sets.given(p)) for p in range(len(sets))]
        self._assembly = self._assembled() if self._each is None and _packs_by_word(strategy) else None

    @property
    def names(self) -> list[str]:
        """Settings that the sets give."""
        return self._sets.names

    def __len__(self) -> int:
        return len(self._sets)

    def pack(self, start: int, stop: int) -> Record:
        """Give the records of the sets ``start`` to ``stop``."""
        if self._each is not None:
            return _joined([one.pack() for one in self._each[start:stop]])
        if self._assembly is None:
            return _joined([one.pack() for one in self._models(range(start, stop))])
        codes = {name: self._codes(name, start, stop) for name in self._assembly.names}
        records = self._assembly.records(codes, stop - start)
        for p in {start, stop - 1}:
            (alone,) = (one.pack() for one in self._models(range(p, p + 1)))
            if alone.tobytes() != records[p - start].tobytes():
                raise StrategyError(
                    f"Settings of strategy {self._strategy.name!r} pack otherwise alone than in a sweep (set {p}).",
                    hint="This is a bug: report it with the grid.",
                )
        return records

    def _assembled(self) -> Assembly | None:
        counts = {name: len(self._values[name]) for name in self.names if self._sets.vary(name)}
        return assembly_of(counts, len(self), lambda name, p: int(self._codes(name, p, p + 1)[0]), self._pack_with)

    def _codes(self, name: str, start: int, stop: int) -> IntArray:
        """Give the number of each set's value; one that is not given has the last, which is the default."""
        column = self._sets.codes(name, start, stop)
        return np.where(column == NOT_GIVEN, len(self._values[name]) - 1, column)

    def _pack_with(self, changed: Mapping[str, int]) -> Record:
        """Pack the first set with some of its settings changed."""
        model = next(self._models(range(1)))
        fields = model.__dict__ | {name: self._values[name][number] for name, number in changed.items()}
        object.__setattr__(model, "__dict__", fields)
        return model.pack()

    def shown(self, name: str) -> pl.Series:
        """Give a setting of all sets as it is written; lists of a few values become text."""
        if self._each is not None:
            return _series(name, [one.model_dump(mode="json")[name] for one in self._each])
        column = self._sets.codes(name)
        values = _series(name, self._written(name))
        return values.gather(np.where(column == NOT_GIVEN, len(values) - 1, column))

    def shared(self) -> dict[str, Any]:
        """Give the settings that no set names."""
        return {k: v for k, v in self._first.model_dump(mode="json").items() if k not in self.names}

    @functools.cached_property
    def content_hash(self) -> str:
        """SHA-256 over the settings of all sets, in their order."""
        if self._each is not None:
            return hashlib.sha256("".join(one.content_hash() for one in self._each).encode()).hexdigest()
        digest = hashlib.sha256(json.dumps(self.shared(), sort_keys=True).encode())
        for name in sorted(self.names):
            written = [json.dumps(value, sort_keys=True) for value in self._written(name)]
            numbers = {text: number for number, text in reversed(list(enumerate(written)))}
            same = np.array([numbers[text] for text in written])
            column = same[self._sets.codes(name)]
            found, begins, places = np.unique(column, return_index=True, return_inverse=True)
            order = np.argsort(begins)  # values are numbered as they come, so that a grid is its list written out
            rank = np.empty(order.size, np.int64)
            rank[order] = np.arange(order.size)
            digest.update(json.dumps([name, *(written[found[k]] for k in order)]).encode())
            digest.update(rank[places].tobytes())
        return digest.hexdigest()

    # --- one value, one combination at a time ----------------------------------------------------------------------

    def _checked_by_value(self) -> bool:
        """Check every distinct value; the last of a setting's values is its default. False where that cannot be."""
        for name in self.names:
            if name not in type(self._first).model_fields:
                self._configure_one_with(name, 0)
                return False
            adapter = _adapter(type(self._first), name)
            checked = []
            for code, value in enumerate(self._sets.values[name]):
                try:
                    checked.append(adapter.validate_python(value))
                except ValidationError:
                    self._configure_one_with(name, code)
                    return False
            column = self._sets.codes(name)
            if (column == NOT_GIVEN).any():
                field = type(self._first).model_fields[name]
                if field.is_required() or field.default_factory is not None:
                    return False
                checked.append(adapter.validate_python(field.default))
            else:
                checked.append(checked[0])
            self._values[name] = checked
        return True

    def _configure_one_with(self, name: str, code: int) -> None:
        """Let the strategy say what is wrong with the first set that has this value."""
        found = np.flatnonzero(self._sets.codes(name) == code)
        self._strategy.configure(self._sets.given(int(found[0])))

    def _checked_across(self, rules: list[Callable[[Any], Any]]) -> bool:
        """Run the rules that join settings on every combination of what they read. False where that cannot be."""
        varying = {name for name in self.names if self._sets.vary(name)}
        for rule in rules:
            known: list[str] = []
            while True:
                more = None
                for p in self._one_of_each(known):
                    read = _read_by(rule, next(self._models(range(p, p + 1))))
                    if read is None:
                        self._strategy.configure(self._sets.given(p))
                        return False
                    more = next(iter(sorted((read & varying) - set(known))), None)
                    if more is not None:
                        break
                if more is None:
                    break
                known.append(more)
        return True

    def _one_of_each(self, names: list[str]) -> list[int]:
        """Give one set for every combination of the values of some settings."""
        key = np.zeros(len(self._sets), np.int64)
        for name in names:
            column = self._sets.codes(name)
            _, key = np.unique(key * (len(self._values[name]) + 1) + column, return_inverse=True)
        return [int(p) for p in np.unique(key, return_index=True)[1]]

    def _models(self, numbers: range) -> Iterator[Params]:
        """Give one model after the other with the settings of those sets: the same object, filled anew."""
        kind = type(self._first)
        model = kind.__new__(kind)
        for attribute in ("__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__"):
            object.__setattr__(model, attribute, getattr(self._first, attribute))
        columns = [
            (name, self._values[name], self._sets.codes(name, numbers.start, numbers.stop).tolist())
            for name in self.names
        ]
        plain = self._first.__dict__
        for k in range(len(numbers)):
            fields = plain.copy()
            for name, values, codes in columns:
                fields[name] = values[codes[k]]
            object.__setattr__(model, "__dict__", fields)
            yield model

    def _written(self, name: str) -> list[Any]:
        adapter = _adapter(type(self._first), name)
        return [adapter.dump_python(value, mode="json") for value in self._values[name]]


def _rules(strategy: Strategy) -> list[Callable[[Any], Any]] | None:
    """Give the rules that join settings, or None where settings can only be checked set by set."""
    kind = strategy.params
    decorated = kind.__pydantic_decorators__
    odd = (
        type(strategy).configure is not Strategy.configure
        or kind.of.__func__ is not Config.of.__func__  # type: ignore[attr-defined]
        or decorated.field_validators
        or decorated.validators
        or decorated.root_validators
        or decorated.field_serializers
        or decorated.model_serializers
        or kind.__private_attributes__
        or kind.model_computed_fields
        or kind.__pydantic_post_init__
        or any(rule.info.mode != "after" for rule in decorated.model_validators.values())
        or any(field.alias or field.validation_alias for field in kind.model_fields.values())
        or _sees_other_fields(kind.__pydantic_core_schema__)
    )
    if odd:
        return None
    rules = [rule.func for rule in decorated.model_validators.values()]
    return rules if all(len(inspect.signature(rule).parameters) == 1 for rule in rules) else None


def _packs_by_word(strategy: Strategy) -> bool:
    """Whether every word of the record follows from few settings: of the catalogue a law of the tests says so."""
    from algomaster.strategy import catalogue

    known = any(catalogue.get(name).params is strategy.params for name in catalogue.names())
    return known or strategy.params.pack is Params.pack


def _sees_other_fields(schema: Any) -> bool:
    """Whether a validator of the schema is given more than its own value."""
    if isinstance(schema, dict):
        if schema.get("type") == "with-info" or schema.get("default_factory_takes_data"):
            return True
        return any(_sees_other_fields(part) for part in schema.values())
    return isinstance(schema, (list, tuple)) and any(_sees_other_fields(part) for part in schema)


@functools.lru_cache(maxsize=1024)
def _adapter(kind: type[Params], name: str) -> TypeAdapter[Any]:
    return TypeAdapter(kind.model_fields[name].rebuild_annotation())


class _Reader:
    """Stands for a model while a rule runs, and notes which fields the rule reads."""

    def __init__(self, model: Params, read: set[str]) -> None:
        self.__dict__["_model"], self.__dict__["_read"] = model, read

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # for isinstance
        return type(self.__dict__["_model"])

    def __getattr__(self, name: str) -> Any:
        model, read = self.__dict__["_model"], self.__dict__["_read"]
        if name in type(model).model_fields:
            read.add(name)
            return getattr(model, name)
        found = inspect.getattr_static(type(model), name)
        if isinstance(found, types.FunctionType) and name not in vars(BaseModel):
            return types.MethodType(found, self)
        if isinstance(found, property) and found.fget is not None and name not in vars(BaseModel):
            return found.fget(self)
        read.update(type(model).model_fields)  # whatever this is, it may look at everything
        return getattr(model, name)


def _read_by(rule: Callable[[Any], Any], model: Params) -> set[str] | None:
    """Run a rule and give the fields it read; None where it objects or does something else than look."""
    read: set[str] = set()
    reader = _Reader(model, read)
    try:
        return read if rule(reader) is reader else None
    except Exception:  # whatever it objects to, it will again where every set is checked by itself, and be told there
        return None


def _joined(records: list[Record]) -> Record:
    layout = records[0].dtype
    if any(one.dtype != layout for one in records):
        return np.concatenate(records)
    if layout.itemsize == 0:  # a strategy without settings
        return np.zeros(len(records), layout)
    return np.frombuffer(b"".join([one.tobytes() for one in records]), layout).copy()


def _series(name: str, values: list[Any]) -> pl.Series:
    if any(isinstance(value, (list, tuple)) for value in values):
        values = [None if value is None else "/".join(map(str, value)) for value in values]
    elif any(isinstance(value, dict) for value in values):
        values = [None if value is None else json.dumps(value, sort_keys=True) for value in values]
    return pl.Series(name, values, strict=False)
