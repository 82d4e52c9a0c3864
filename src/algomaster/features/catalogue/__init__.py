"""The hand-written catalogue: one file a family, one entry a feature."""
