"""Benchmarks: each claim of speed as a ratio against something measured in the same run."""
