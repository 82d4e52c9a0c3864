"""Prices, Greeks and implied volatility of one option on numbers; loops over arrays."""
