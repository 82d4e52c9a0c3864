"""The feature store: views built over history, answered at a point in time, advanced live, checked and watched."""

from typing import TYPE_CHECKING

from algomaster.core.lazy import attach

if TYPE_CHECKING:
    from algomaster.features.store.building import Built, materialize
    from algomaster.features.store.joining import get_historical
    from algomaster.features.store.table import Table
    from algomaster.features.store.view import View, open_view, saved_views

__all__ = ["Built", "Table", "View", "get_historical", "materialize", "open_view", "saved_views"]

__getattr__, __dir__ = attach(
    __name__,
    {
        "Built": "algomaster.features.store.building",
        "Table": "algomaster.features.store.table",
        "View": "algomaster.features.store.view",
        "get_historical": "algomaster.features.store.joining",
        "materialize": "algomaster.features.store.building",
        "open_view": "algomaster.features.store.view",
        "saved_views": "algomaster.features.store.view",
    },
)
