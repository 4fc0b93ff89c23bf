"""Invented ministry files: a programme's declarations read backwards, for its demo.

`demo.yaml` says how often and how late, the standards when something is owed, the services by which items it is proved,
the sources what a file looks like: no country is written in Python. Same programme, seed and day: the same bytes.
"""

from winay.records.invented.deliveries import Deliveries, invent

__all__ = ["Deliveries", "invent"]
