"""Compiled steps and the contract they keep. Numbers only: no frames, no settings objects, no clock."""
