"""A strategy that does what a timetable says: every order the contract knows, at any bar, sleeping in between."""

import numpy as np
from pydantic import ConfigDict

from algomaster import strategy
from algomaster.strategy.steps import contract as desk

ROWS = 12
ENTER, CLOSE, STOP_TO, TARGET_TO, KEEP = range(1, 6)
FIELDS = (
    "bar", "action", "leg", "instrument", "quantity", "kind", "price", "stop_ppm", "target_ppm", "stop_ticks",
    "target_ticks",
)  # fmt: skip
PARAMS = np.dtype([(name, np.int64, (ROWS,)) for name in FIELDS])


class Timetable(strategy.Params):
    """``rows``: one tuple an action, in order of their bars; see FIELDS."""

    model_config = ConfigDict(frozen=True)
    rows: tuple[tuple[int, ...], ...] = ()

    def pack(self):
        record = np.zeros(1, PARAMS)
        record[0]["bar"][:] = 1 << 40
        for k, row in enumerate(self.rows):
            for name, value in zip(FIELDS, row, strict=True):
                record[0][name][k] = value
        return record


@strategy.step
def follow(state, params, day, i, book):
    p = params[0]
    following = day.ts.size
    for k in range(ROWS):
        if p["bar"][k] > i:
            following = min(following, p["bar"][k])
        if p["bar"][k] != i:
            continue
        leg = p["leg"][k]
        if p["action"][k] == ENTER:
            instrument = desk.future(book) if p["instrument"][k] < 0 else p["instrument"][k]
            desk.enter_with(
                book, i, instrument, p["quantity"][k], p["kind"][k], p["price"][k], p["stop_ppm"][k],
                p["target_ppm"][k], p["stop_ticks"][k], p["target_ticks"][k],
            )  # fmt: skip
        elif leg < book.counts[desk.N_LEGS]:
            if p["action"][k] == CLOSE:
                desk.close(book, i, leg, desk.SIGNAL)
            elif p["action"][k] == STOP_TO:
                desk.move_stop(book, i, leg, p["price"][k], desk.TRAIL)
            elif p["action"][k] == TARGET_TO:
                desk.move_target(book, i, leg, p["price"][k], desk.LOCK)
            elif p["action"][k] == KEEP:
                desk.hold_overnight(book, leg)
    desk.sleep(book, following)


TIMETABLE = strategy.Strategy("timetable", step=follow, params=Timetable)
