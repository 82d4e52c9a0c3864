"""What can be traded or observed, as structured keys with one canonical text form.

The text form is ``EXCHANGE:NAME``, ``EXCHANGE:NAME<YYMMMDD>FUT`` or ``EXCHANGE:NAME<YYMMMDD>-<strike>-<CE|PE>``, with
the full expiry date, because the short codes of vendors differ between weekly and monthly contracts:
``NSE:NIFTY``, ``NFO:NIFTY26JAN27FUT``, ``NFO:NIFTY26JAN27-24000-CE``. ``str(key)`` writes it, :func:`parse` reads it,
:func:`parse_symbol` reads the symbols of vendors. Standard library only.
"""

from __future__ import annotations

import dataclasses
import re
from datetime import date
from decimal import Decimal
from typing import Final, Literal, TypeAlias

from algomaster.core.errors import DataError
from algomaster.market import facts

__all__ = ["Future", "Index", "Instrument", "Option", "parse", "parse_symbol", "right_code", "right_text"]

Style: TypeAlias = Literal["ddmonyy", "kite", "nse_fo"]

_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKLY_MONTHS: Final = "123456789OND"
_NAME: Final = r"(?P<name>[A-Z][A-Z0-9&_-]*?)"
_STRIKE: Final = r"(?P<strike>\d+(?:\.\d{1,2})?)(?P<right>CE|PE)"
_EXCHANGE = re.compile(r"[A-Z]{2,5}")
_PLAIN_NAME = re.compile(r"[A-Z][A-Z0-9&_-]*")
_DERIVATIVE = re.compile(
    r"(?P<name>[A-Z][A-Z0-9&_-]*)(?P<yy>\d{2})(?P<mon>[A-Z]{3})(?P<dd>\d{2})"
    r"(?:FUT|-(?P<strike>\d+(?:\.\d{1,2})?)-(?P<right>CE|PE))"
)
_DDMONYY = re.compile(rf"{_NAME}(?P<dd>\d{{2}})(?P<mon>[A-Z]{{3}})(?P<yy>\d{{2}})(?:FUT|{_STRIKE})")
_MONTHLY = re.compile(rf"{_NAME}(?P<yy>\d{{2}})(?P<mon>{'|'.join(_MONTHS)})(?:FUT|{_STRIKE})")
_WEEKLY = re.compile(rf"{_NAME}(?P<yy>\d{{2}})(?P<m>[1-9OND])(?P<dd>\d{{2}}){_STRIKE}")


def right_code(right: str | int) -> int:
    """Give +1 for a call and -1 for a put.

    Parameters
    ----------
    right : "CE", "PE", "c", "p", "call", "put" in any case, +1 or -1

    Raises
    ------
    ValueError
        Anything else.
    """
    codes = {"CE": 1, "C": 1, "CALL": 1, "PE": -1, "P": -1, "PUT": -1}
    if isinstance(right, str) and right.upper() in codes:
        return codes[right.upper()]
    if not isinstance(right, str | bool) and right in (1, -1):
        return int(right)
    raise ValueError(f"right: expected CE, PE, c, p, +1 or -1, got {right!r}")


def right_text(right: str | int) -> Literal["CE", "PE"]:
    """Give "CE" or "PE" for a right in any accepted form."""
    return "CE" if right_code(right) == 1 else "PE"


@dataclasses.dataclass(frozen=True, order=True)
class Index:
    """An index (or share) that is observed rather than dated: ``NSE:NIFTY``.

    Attributes
    ----------
    name : str
    exchange : str
    """

    name: str
    exchange: str = "NSE"

    def __post_init__(self) -> None:
        _check_name(self.name, self.exchange)

    def __str__(self) -> str:
        return f"{self.exchange}:{self.name}"


@dataclasses.dataclass(frozen=True, order=True)
class Future:
    """A future: ``NFO:NIFTY26JAN27FUT``.

    Attributes
    ----------
    underlying : str
    expiry : date
    exchange : str
    """

    underlying: str
    expiry: date
    exchange: str = "NFO"

    def __post_init__(self) -> None:
        _check_name(self.underlying, self.exchange)
        _check_expiry(self.expiry)

    def __str__(self) -> str:
        return f"{self.exchange}:{self.underlying}{_date_text(self.expiry)}FUT"


@dataclasses.dataclass(frozen=True, order=True)
class Option:
    """An option: ``NFO:NIFTY26JAN27-24000-CE``.

    Attributes
    ----------
    underlying : str
    expiry : date
    strike : int
        Paise.
    right : int
        +1 call, -1 put; "CE", "PE", "c" and "p" are accepted.
    exchange : str
    """

    underlying: str
    expiry: date
    strike: int
    right: int
    exchange: str = "NFO"

    def __post_init__(self) -> None:
        _check_name(self.underlying, self.exchange)
        _check_expiry(self.expiry)
        if isinstance(self.strike, bool) or not isinstance(self.strike, int) or self.strike <= 0:
            raise ValueError(f"strike: expected a positive whole number of paise, got {self.strike!r}")
        object.__setattr__(self, "right", right_code(self.right))

    def __str__(self) -> str:
        strike = _rupees_text(self.strike)
        return f"{self.exchange}:{self.underlying}{_date_text(self.expiry)}-{strike}-{right_text(self.right)}"


Instrument: TypeAlias = Index | Future | Option


def parse(text: str) -> Instrument:
    """Read the canonical text form.

    Raises
    ------
    DataError
        The text is not of that form.
    """
    exchange, _, rest = text.partition(":")
    match = _DERIVATIVE.fullmatch(rest)
    if match:
        try:
            return _contract(match, _full_date(match), exchange)
        except ValueError as problem:
            raise _unreadable(text, str(problem)) from None
    try:
        return Index(rest, exchange)
    except ValueError as problem:
        raise _unreadable(text, str(problem)) from None


def parse_symbol(text: str, *, style: Style, exchange: str = "NFO") -> Future | Option:
    """Read a vendor's symbol of a future or an option.

    Parameters
    ----------
    text : str
    style : "ddmonyy", "kite" or "nse_fo"
        ``ddmonyy``: BANKNIFTY05JAN2343000CE, the full date.
        ``kite``, and ``nse_fo`` (FinInstrmNm of the UDiFF bhavcopy) alike: weekly NIFTY2161715800CE (year, month as
        1-9, O, N, D, day), monthly NIFTY21JUN15800CE and NIFTY21JUNFUT, whose day comes from the expiry calendar.
    exchange : str

    Raises
    ------
    DataError
        The text is not of that style.
    FactError
        A monthly contract of a month whose expiry is not on record.
    """
    if style not in ("ddmonyy", "kite", "nse_fo"):
        raise ValueError(f"style: expected ddmonyy, kite or nse_fo, got {style!r}")
    symbol = text.strip().upper()
    try:
        if style == "ddmonyy" and (match := _DDMONYY.fullmatch(symbol)):
            return _contract(match, _full_date(match), exchange)
        if style != "ddmonyy" and (match := _MONTHLY.fullmatch(symbol)):
            return _contract(match, _monthly_date(match), exchange)
        if style != "ddmonyy" and (match := _WEEKLY.fullmatch(symbol)):
            month = _WEEKLY_MONTHS.index(match["m"]) + 1
            return _contract(match, date(2000 + int(match["yy"]), month, int(match["dd"])), exchange)
    except ValueError as problem:
        raise _unreadable(text, str(problem)) from None
    raise _unreadable(text, f"not a symbol of style {style}")


def _contract(match: re.Match[str], expiry: date, exchange: str) -> Future | Option:
    if match["strike"] is None:
        return Future(match["name"], expiry, exchange)
    return Option(match["name"], expiry, int(Decimal(match["strike"]) * 100), right_code(match["right"]), exchange)


def _full_date(match: re.Match[str]) -> date:
    if match["mon"] not in _MONTHS:
        raise ValueError(f"there is no month {match['mon']}")
    return date(2000 + int(match["yy"]), _MONTHS.index(match["mon"]) + 1, int(match["dd"]))


def _monthly_date(match: re.Match[str]) -> date:
    year, month = 2000 + int(match["yy"]), _MONTHS.index(match["mon"]) + 1
    return facts.monthly_expiry(match["name"], year, month)


def _unreadable(text: str, why: str) -> DataError:
    return DataError(
        f"Cannot read the symbol {text!r}: {why}.",
        hint="Expected a form such as NFO:NIFTY26JAN27-24000-CE, or a vendor's style by name.",
        text=text,
    )


def _check_name(name: str, exchange: str) -> None:
    if not _EXCHANGE.fullmatch(exchange):
        raise ValueError(f"exchange: expected two to five capital letters, got {exchange!r}")
    if not _PLAIN_NAME.fullmatch(name) or _DERIVATIVE.fullmatch(name):
        raise ValueError(f"name: expected a plain name in capitals such as NIFTY, got {name!r}")


def _check_expiry(expiry: date) -> None:
    if type(expiry) is not date or not 2000 <= expiry.year <= 2099:
        raise ValueError(f"expiry: expected a date of this century, got {expiry!r}")


def _date_text(day: date) -> str:
    return f"{day.year % 100:02d}{_MONTHS[day.month - 1]}{day.day:02d}"


def _rupees_text(paise: int) -> str:
    whole, rest = divmod(paise, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") if rest else str(whole)
