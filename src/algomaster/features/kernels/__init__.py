"""Compiled steps of features: each advances its rows of the tape from one bar to another, one bar or a thousand."""
