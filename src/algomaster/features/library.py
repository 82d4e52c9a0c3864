"""Every feature in one visible table, the presets, and the kernels they are made of."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Final

from algomaster.core.errors import CatalogueError
from algomaster.core.registry import Catalogue
from algomaster.features.catalogue import (
    alpha158,
    chain,
    clock,
    cross,
    microstructure,
    momentum,
    price,
    surface,
    trend,
    volatility,
    volume,
)
from algomaster.features.definition import Feature

__all__ = ["CATALOGUE", "choose", "enter_own", "get", "kernels", "names", "preset"]

CATALOGUE: Final[Catalogue[Feature]] = Catalogue("feature")
_PRESETS: Final[dict[str, tuple[str, ...]]] = {}

_ALGO170: Final[tuple[tuple[Feature, ...], ...]] = (
    price.FEATURES,
    trend.FEATURES,
    momentum.FEATURES,
    volatility.FEATURES,
    volume.FEATURES,
    microstructure.FEATURES,
    chain.FEATURES,
    surface.FEATURES,
    clock.FEATURES,
    cross.FEATURES,
)
for _family in (*_ALGO170, alpha158.FEATURES):
    for _feature in _family:
        CATALOGUE.add(_feature.name, _feature)
_PRESETS["algo170"] = tuple(feature.name for family in _ALGO170 for feature in family)
_PRESETS["alpha158"] = tuple(feature.name for feature in alpha158.FEATURES)
_BUILT_IN: Final = frozenset(CATALOGUE)


def get(name: str) -> Feature:
    """Give the feature of that name.

    Raises
    ------
    CatalogueError
        There is none; the message names the nearest.
    """
    return CATALOGUE[name]


def names() -> list[str]:
    """Give the names of all features."""
    return list(CATALOGUE)


def preset(name: str) -> list[str]:
    """Give the names of a preset: "algo170" or "alpha158".

    Raises
    ------
    CatalogueError
        There is no such preset.
    """
    if name not in _PRESETS:
        raise CatalogueError(f"There is no preset named {name!r}.", hint=f"There are: {', '.join(_PRESETS)}.")
    return list(_PRESETS[name])


def choose(wanted: str | Iterable[str]) -> tuple[str, ...]:
    """Give the names that are meant: a list of features, or the name of a feature or preset.

    Raises
    ------
    CatalogueError
        One does not exist.
    ValueError
        None is asked for, or one twice.
    """
    if isinstance(wanted, str):
        wanted = _PRESETS.get(wanted, (wanted,))
    chosen = tuple(get(name).name for name in wanted)
    if not chosen:
        raise ValueError("names: expected at least one feature, got none")
    twice = sorted({name for name in chosen if chosen.count(name) > 1}) if len(set(chosen)) < len(chosen) else []
    if twice:
        raise ValueError(f"names: expected each feature once, got twice: {', '.join(twice)}")
    return chosen


@functools.cache
def kernels() -> tuple[Callable[..., None], ...]:
    """Give every kernel that the built-in features use: what the machine is compiled for."""
    found = frozenset().union(*(CATALOGUE[name].kernels for name in _BUILT_IN))
    return tuple(sorted(found, key=lambda each: (each.__module__, each.__name__)))


def enter_own(feature: Feature) -> None:
    """Enter a user's feature, in the place of an earlier one of its name.

    Raises
    ------
    CatalogueError
        The name is that of a built-in feature.
    """
    if feature.name in _BUILT_IN:
        raise CatalogueError(f"{feature.name!r} is a built-in feature.", hint="Choose another name.")
    CATALOGUE.replace(feature.name, feature)
