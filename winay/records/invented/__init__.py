"""Invented ministry files: a programme's declarations read backwards, for its demo.

`demo.yaml` says what people are like, what happens to them and which files tell of it; the standards say when something
is owed, the services by which items it is proved, the sources what a file looks like: no country is written in Python.
"""

from winay.records.invented.deliveries import Delivery, invent

__all__ = ["Delivery", "invent"]
