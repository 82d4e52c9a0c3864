"""Rates of a margin: what the clearing house scans and what it adds. Only the standard library is needed here."""

from __future__ import annotations

import dataclasses
import math
from typing import Final

__all__ = ["MarginRates"]

_SQUARE_ROOT_OF_A_YEAR: Final = math.sqrt(252.0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class MarginRates:
    """Rates of one day as fractions of the underlying's price; the defaults are those of NSE index derivatives in 2026.

    :func:`algomaster.market.facts.margin_rates` gives those of another day, with their sources.

    Attributes
    ----------
    scan : float
        Least price scan range: how far the underlying is moved in the worst ordinary scenario.
    sigmas : float
        The scan range is at least so many daily standard deviations, where these are known.
    vol_scan, vol_share : float
        Volatilities are moved by ``vol_scan`` (0.04 is four points), or by ``vol_share`` of the annual volatility of
        the underlying where that is known and gives more.
    short_minimum : float
        Least risk of a sold option.
    exposure : float
        Exposure margin (extreme loss margin) of sold options and of futures.
    far_exposure : float
        Added for sold options more than 10 % out of the money.
    expiry_exposure : float
        Added for sold options on their last day.
    calendar : float
        Charge for each unit of the underlying that one expiry holds against another.
    calendar_on_expiry : bool
        Whether contracts on their last day still offset later ones.
    sources : tuple of str
        Where each rate was found and how sure we are.

    Raises
    ------
    ValueError
        A rate is not a number from 0 to 1 (``sigmas``: to 100).
    """

    scan: float = 0.093
    sigmas: float = 8.485
    vol_scan: float = 0.04
    vol_share: float = 0.25
    short_minimum: float = 0.0
    exposure: float = 0.02
    far_exposure: float = 0.03
    expiry_exposure: float = 0.02
    calendar: float = 0.0175
    calendar_on_expiry: bool = False
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            most = 100.0 if field.name == "sigmas" else 1.0
            if field.type == "float" and not 0.0 <= value <= most:
                raise ValueError(f"{field.name}: expected a number from 0 to {most:g}, got {value!r}")

    def ranges(self, daily_vol: float | None = None) -> tuple[float, float]:
        """Give the price scan range and the volatility scan range, wider where the market moves more.

        Parameters
        ----------
        daily_vol : float, optional
            Standard deviation of the underlying's daily returns (0.01 is 1 %); without it the least ranges are given.
        """
        if daily_vol is None:
            return self.scan, self.vol_scan
        if not 0.0 <= daily_vol <= 1.0:
            raise ValueError(f"daily_vol: expected a number from 0 to 1 (0.01 is 1 % a day), got {daily_vol!r}")
        wide = min(max(self.scan, self.sigmas * daily_vol), 1.0)
        return wide, max(self.vol_scan, self.vol_share * daily_vol * _SQUARE_ROOT_OF_A_YEAR)
