"""The first line of a file against the declared columns: which delimiter, which column is which."""

import csv
from pathlib import Path

from winay.core.problems import nearest
from winay.programme.sources import Source
from winay.records.readers.opening import Limits, refuse

EXTRA = "_"
"""Columns of our own (exports of refused records) begin with this and are never unknown."""
_OTHERS = [",", ";", "\t", "|"]


def plain(name: str) -> str:
    return name.strip().casefold()


def split(line: str, delimiter: str) -> list[str]:
    return next(iter(csv.reader([line], delimiter=delimiter)), [])


def delimiter(path: Path, line: str, source: Source) -> str:
    """The declared delimiter under which most columns are found. Raises when another one fits better."""
    names = {plain(name) for column in source.columns for name in column.names}
    scores = {
        d: sum(plain(cell) in names for cell in split(line, d)) for d in dict.fromkeys([*source.delimiters, *_OTHERS])
    }
    best = max(scores, key=lambda d: scores[d])
    if best not in source.delimiters and scores[best] > 1:
        expected = " ".join(map(repr, source.delimiters))
        hint = "save the file again with that separator, or add it to `delimiters` of the source"
        raise refuse(
            path, "columns are separated by {mark}", "one of {declared}", hint, 1, mark=repr(best), declared=expected
        )
    return max(source.delimiters, key=lambda d: scores[d])


def columns(path: Path, cells: list[str], source: Source, limits: Limits) -> tuple[list[str], list[str]]:
    """The declared name of each column of the file (an unknown one gets a name of its own), and the unknown ones.

    Raises for doubled columns, and for one that is needed and not there, with the nearest name that is.
    """
    if len(cells) > limits.columns:
        count, limit = len(cells), limits.columns
        raise refuse(path, "the file has {count} columns", "at most {limit}", "", 1, count=count, limit=limit)
    known = {plain(name): column.name for column in source.columns for name in column.names}
    found = [known.get(plain(cell)) or (cell if cell.startswith(EXTRA) else f"\0{n}") for n, cell in enumerate(cells)]
    strange = [cell for cell, name in zip(cells, found, strict=True) if name[0] == "\0"]
    missing = [name for name in source.used if name not in found and not source.by_name[name].optional]
    if missing:
        close = nearest(missing[0], strange)
        facts: dict[str, object] = {"all": ", ".join(missing), "name": missing[0], "close": close}
        hint = 'is "{close}" meant? call it {name}' if close else "the first line must have the names of the columns"
        raise refuse(path, "these columns are missing: {all}", "", hint, 1, **facts)
    if doubled := [name for name in dict.fromkeys(found) if found.count(name) > 1]:
        raise refuse(
            path, 'the column "{name}" is there twice', "", "delete the one that is not it", 1, name=doubled[0]
        )
    return found, strange
