"""Wiñay: the software a country runs an integrated, results-based early-childhood programme on."""
