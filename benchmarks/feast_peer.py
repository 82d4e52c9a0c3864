"""Feast's point-in-time join on the benchmark's rows; run by an interpreter that has feast, not by ours.

``python feast_peer.py FOLDER`` reads ``rows.parquet`` (underlying, event_timestamp, features) and ``questions.parquet``
(underlying, event_timestamp) of the folder and prints seconds, rows and the sum of the first feature as JSON.
"""

import json
import sys
import time
from datetime import timedelta
from pathlib import Path

import pandas as pd


def main(folder):
    from feast import Entity, FeatureStore, FeatureView, Field, FileSource
    from feast.repo_config import RepoConfig
    from feast.types import Float64
    from feast.value_type import ValueType

    rows, asked = folder / "rows.parquet", pd.read_parquet(folder / "questions.parquet")
    names = [name for name in pd.read_parquet(rows).columns if name not in ("underlying", "event_timestamp")]
    store = FeatureStore(
        config=RepoConfig(
            project="bench", provider="local", registry=str(folder / "registry.db"), entity_key_serialization_version=3,
            online_store={"type": "sqlite", "path": str(folder / "online.db")}, offline_store={"type": "duckdb"},
        )
    )  # fmt: skip
    entity = Entity(name="underlying", join_keys=["underlying"], value_type=ValueType.STRING)
    view = FeatureView(
        name="bench", entities=[entity], ttl=timedelta(days=3650), schema=[Field(name=n, dtype=Float64) for n in names],
        source=FileSource(path=str(rows), timestamp_field="event_timestamp"),
    )  # fmt: skip
    store.apply([entity, view])
    start = time.perf_counter()
    found = store.get_historical_features(entity_df=asked, features=[f"bench:{name}" for name in names]).to_df()
    taken = time.perf_counter() - start
    print(json.dumps({"seconds": taken, "rows": len(found), "sum": float(found[names[0]].sum())}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
