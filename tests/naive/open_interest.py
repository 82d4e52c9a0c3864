"""Open interest by strike as one would work it out by hand, row by row, with dictionaries: the kernels' twin.

Rows are dictionaries of ts (nanoseconds), expiry, strike, right ("CE"/"PE"), price, oi and whatever else a chain shows;
a missing value is None.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

Row = dict[str, Any]
Book = dict[tuple[Any, float, str], Any]


def books(rows: Iterable[Row], column: str) -> dict[int, Book]:
    """Value of a column by contract at each moment."""
    found: dict[int, Book] = defaultdict(dict)
    for row in rows:
        found[row["ts"]]  # a moment without a value is a moment
        if row[column] is not None:
            found[row["ts"]][row["expiry"], row["strike"], row["right"]] = row[column]
    return dict(sorted(found.items()))


def side(book: Book, expiry: Any, right: str) -> dict[float, float]:
    """Values by strike of an expiry's calls or puts (all expiries: None, then they are listed apart)."""
    return {key: value for key, value in book.items() if key[0] == expiry and key[2] == right}


def total(book: Book, expiry: Any, right: str) -> float | None:
    values = [value for key, value in book.items() if expiry in (None, key[0]) and key[2] == right]
    return sum(values) if values else None


def ratio(puts: float | None, calls: float | None) -> float | None:
    return None if puts is None or not calls else puts / calls


def pain(book: Book, expiry: Any, settled: float) -> float:
    paid = 0.0
    for (of, strike, right), oi in book.items():
        if of == expiry:
            paid += oi * max(settled - strike if right == "CE" else strike - settled, 0.0)
    return paid


def max_pain(book: Book, expiry: Any) -> float | None:
    strikes = sorted({key[1] for key in book if key[0] == expiry})
    if not any(value > 0 for key, value in book.items() if key[0] == expiry):
        return None
    return min(strikes, key=lambda strike: (pain(book, expiry, strike), strike))


def wall(book: Book, expiry: Any, right: str) -> tuple[float, float] | None:
    """Strike and size of the largest value above 0, the lowest strike of equals."""
    values = [(value, -key[1]) for key, value in side(book, expiry, right).items() if value > 0]
    if not values:
        return None
    size, strike = max(values)
    return -strike, size


def kind(price: float, price_before: float, oi: float, oi_before: float, price_move: float, oi_move: float) -> str:
    up, down = price - price_before > price_move * price_before, price_before - price > price_move * price_before
    more, fewer = oi - oi_before > oi_move * oi_before, oi_before - oi > oi_move * oi_before
    if up and more:
        return "long_buildup"
    if down and more:
        return "short_buildup"
    if up and fewer:
        return "short_covering"
    if down and fewer:
        return "long_unwinding"
    return "none"


def last_of(found: dict[int, Book], contract: tuple[Any, float, str], after: int, until: int) -> Any:
    """Last value of a contract in (after, until], None without one."""
    values = [book[contract] for ts, book in found.items() if after < ts <= until and contract in book]
    return values[-1] if values else None


def first_of(found: dict[int, Book], contract: tuple[Any, float, str], until: int) -> Any:
    values = [book[contract] for ts, book in found.items() if ts <= until and contract in book]
    return values[0] if values else None
