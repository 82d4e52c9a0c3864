"""What the measures read: a surface, whoever made it, or a chain; and how a caller names one of its expiries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from algomaster.core.errors import PricingError
from algomaster.core.types import FloatArray

if TYPE_CHECKING:
    from algomaster.pricing.chain import Chain

__all__ = ["SurfaceLike", "is_surface", "smile_at", "years_of"]


class SurfaceLike(Protocol):
    """Smiles over time: total implied variance w(k, t) with k = ln(strike/forward), t in years."""

    @property
    def years(self) -> FloatArray:
        """Give the times of the expiries it was fitted to, (E,), ascending."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """Give the names of the expiries, (E,)."""
        ...

    @property
    def spot(self) -> float:
        """Give the spot, NaN if unknown."""
        ...

    def derivatives(self, k: Any, t: Any) -> tuple[Any, Any, Any]:
        """Give w, dw/dk and d2w/dk2, broadcast; NaN outside what is defined."""
        ...

    def forward_at(self, t: Any) -> Any:
        """Give the forward to ``t``."""
        ...

    def discount_at(self, t: Any) -> Any:
        """Give the discount factor to ``t``."""
        ...


def is_surface(source: object) -> bool:
    """Say whether ``source`` is a surface (it has derivatives) and not a chain."""
    return hasattr(source, "derivatives")


def years_of(source: SurfaceLike | Chain, when: float | str) -> tuple[float, str]:
    """Give (years, label) of an expiry named by its label or of a time in years.

    Raises
    ------
    ValueError
        No expiry has the label, or the time is not a positive number.
    """
    if isinstance(when, str):
        if when not in source.labels:
            raise ValueError(f"expiry: expected one of {', '.join(source.labels)}, got {when!r}")
        return float(source.years[source.labels.index(when)]), when
    years = float(when)
    if not 0.0 < years < np.inf:
        raise ValueError(f"t: expected a positive number of years, got {when!r}")
    near = np.flatnonzero(np.abs(source.years - years) <= 1e-12 * years)
    return years, source.labels[near[0]] if near.size else f"{years:.4f} y"


def smile_at(surface: SurfaceLike, t: float) -> tuple[float, float]:
    """Give forward and total variance at the money of one time.

    Raises
    ------
    PricingError
        The surface has no smile there.
    """
    forward = float(surface.forward_at(t))
    w = float(np.asarray(surface.derivatives(0.0, t)[0]))
    if not (forward > 0.0 and 0.0 < w < np.inf):
        raise PricingError(
            f"The surface has no smile at t = {t:.6g}: forward {forward:.6g}, total variance at the money {w:.6g}.",
            hint=f"It was fitted to {float(surface.years[0]):.4g} to {float(surface.years[-1]):.4g} years.",
            t=t,
        )
    return forward, w
