"""Orders become fills, fills become cash and positions: one code for sweep, replay, paper and live. Numbers only."""
