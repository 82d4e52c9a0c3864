"""The feature store: views built over history, answered at a point in time, advanced live, checked and watched."""

from typing import TYPE_CHECKING

from algomaster.core.lazy import attach

if TYPE_CHECKING:
    from algomaster.features.store.building import Built, materialize
    from algomaster.features.store.drifting import Drift, drift
    from algomaster.features.store.joining import get_historical
    from algomaster.features.store.latest import LatestRow, LatestRows, RowPlace, get_online
    from algomaster.features.store.parity import Parity, check
    from algomaster.features.store.profiles import Profile, statistics
    from algomaster.features.store.recording import LiveDay
    from algomaster.features.store.remembering import History
    from algomaster.features.store.table import Table
    from algomaster.features.store.view import View, open_view, saved_views

__all__ = [
    "Built", "Drift", "History", "LatestRow", "LatestRows", "LiveDay", "Parity", "Profile", "RowPlace", "Table", "View",
    "check", "drift", "get_historical", "get_online", "materialize", "open_view", "saved_views", "statistics",
]  # fmt: skip

__getattr__, __dir__ = attach(
    __name__,
    {
        "Built": "algomaster.features.store.building",
        "Drift": "algomaster.features.store.drifting",
        "History": "algomaster.features.store.remembering",
        "LatestRow": "algomaster.features.store.latest",
        "LatestRows": "algomaster.features.store.latest",
        "LiveDay": "algomaster.features.store.recording",
        "Parity": "algomaster.features.store.parity",
        "Profile": "algomaster.features.store.profiles",
        "RowPlace": "algomaster.features.store.latest",
        "Table": "algomaster.features.store.table",
        "View": "algomaster.features.store.view",
        "check": "algomaster.features.store.parity",
        "drift": "algomaster.features.store.drifting",
        "get_historical": "algomaster.features.store.joining",
        "get_online": "algomaster.features.store.latest",
        "materialize": "algomaster.features.store.building",
        "open_view": "algomaster.features.store.view",
        "saved_views": "algomaster.features.store.view",
        "statistics": "algomaster.features.store.profiles",
    },
)
