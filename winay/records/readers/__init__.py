"""Bytes of a delivered file -> its records, each with the physical line where it starts."""
