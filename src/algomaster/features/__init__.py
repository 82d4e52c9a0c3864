"""Features: one kernel each, over history and bar by bar the same bits; and the store that keeps them."""

from typing import TYPE_CHECKING

from algomaster.core.lazy import attach

if TYPE_CHECKING:
    from algomaster.features.batch import compute
    from algomaster.features.chain_rows import Snapshots, chain_inputs, snapshot_row
    from algomaster.features.definition import Feature
    from algomaster.features.library import get, names, preset
    from algomaster.features.own import define, feature
    from algomaster.features.stepping import Online, online
    from algomaster.features.verification import Verdict, verify

__all__ = [
    "Feature", "Online", "Snapshots", "Verdict", "chain_inputs", "compute", "define", "feature", "get", "names",
    "online", "preset", "snapshot_row", "verify",
]  # fmt: skip

__getattr__, __dir__ = attach(
    __name__,
    {
        "Feature": "algomaster.features.definition",
        "Online": "algomaster.features.stepping",
        "Snapshots": "algomaster.features.chain_rows",
        "chain_inputs": "algomaster.features.chain_rows",
        "Verdict": "algomaster.features.verification",
        "compute": "algomaster.features.batch",
        "define": "algomaster.features.own",
        "feature": "algomaster.features.own",
        "get": "algomaster.features.library",
        "names": "algomaster.features.library",
        "online": "algomaster.features.stepping",
        "preset": "algomaster.features.library",
        "snapshot_row": "algomaster.features.chain_rows",
        "verify": "algomaster.features.verification",
    },
)
