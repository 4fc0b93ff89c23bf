"""Programmes and histories made up by Hypothesis: the engine equals the reference on all of them."""
