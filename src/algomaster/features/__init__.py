"""Features: one kernel each, over history and bar by bar the same bits; and the store that keeps them."""

from typing import TYPE_CHECKING

from algomaster.core.lazy import attach

if TYPE_CHECKING:
    from algomaster.features.batch import compute
    from algomaster.features.chain_rows import Snapshots, chain_inputs, snapshot_row
    from algomaster.features.companion_columns import companions
    from algomaster.features.definition import Feature
    from algomaster.features.library import get, names, preset
    from algomaster.features.own import define, feature
    from algomaster.features.stepping import Online, online
    from algomaster.features.store import (
        Drift,
        History,
        LiveDay,
        Parity,
        Profile,
        View,
        check,
        drift,
        get_historical,
        get_online,
        materialize,
        open_view,
        saved_views,
        statistics,
    )
    from algomaster.features.verification import Verdict, verify

__all__ = [
    "Drift",
    "Feature",
    "History",
    "LiveDay",
    "Online",
    "Parity",
    "Profile",
    "Snapshots",
    "Verdict",
    "View",
    "chain_inputs",
    "check",
    "companions",
    "compute",
    "define",
    "drift",
    "feature",
    "get",
    "get_historical",
    "get_online",
    "materialize",
    "names",
    "online",
    "open_view",
    "preset",
    "saved_views",
    "snapshot_row",
    "statistics",
    "verify",
]

__getattr__, __dir__ = attach(
    __name__,
    {
        "Drift": "algomaster.features.store",
        "Feature": "algomaster.features.definition",
        "History": "algomaster.features.store",
        "LiveDay": "algomaster.features.store",
        "Online": "algomaster.features.stepping",
        "Parity": "algomaster.features.store",
        "Profile": "algomaster.features.store",
        "Snapshots": "algomaster.features.chain_rows",
        "Verdict": "algomaster.features.verification",
        "View": "algomaster.features.store",
        "chain_inputs": "algomaster.features.chain_rows",
        "check": "algomaster.features.store",
        "companions": "algomaster.features.companion_columns",
        "compute": "algomaster.features.batch",
        "define": "algomaster.features.own",
        "drift": "algomaster.features.store",
        "feature": "algomaster.features.own",
        "get": "algomaster.features.library",
        "get_historical": "algomaster.features.store",
        "get_online": "algomaster.features.store",
        "materialize": "algomaster.features.store",
        "names": "algomaster.features.library",
        "online": "algomaster.features.stepping",
        "open_view": "algomaster.features.store",
        "preset": "algomaster.features.library",
        "saved_views": "algomaster.features.store",
        "snapshot_row": "algomaster.features.chain_rows",
        "statistics": "algomaster.features.store",
        "verify": "algomaster.features.verification",
    },
)
