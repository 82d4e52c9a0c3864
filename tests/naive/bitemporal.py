"""The point-in-time join, question by question and row by row."""

import math

MINUTE_US = 60_000_000


def answer(question, written, *, as_of, tolerance, width):
    """Give (avail_ts or None, values) of a question.

    ``question`` is (underlying, moment in µs) or has a None; ``written`` holds (underlying, event_ts, known_ts,
    sequence, values), everything in µs; ``as_of`` is a time in µs or None.
    """
    underlying, moment = question
    best = None
    for name, event, known, sequence, values in written:
        if name != underlying or moment is None or event + MINUTE_US > moment:
            continue
        if as_of is not None and known > as_of:
            continue
        if best is None or (event, sequence) > best[:2]:
            best = (event, sequence, values)
    if best is None or (tolerance is not None and moment - best[0] - MINUTE_US > tolerance):
        return None, [math.nan] * width
    return best[0] + MINUTE_US, best[2]
