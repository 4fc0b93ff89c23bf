"""Runs of equal rows in sorted columns."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def starts(*columns: Any) -> Rows:
    """The first row of each run: where some column differs from the row before."""
    new = np.ones(len(columns[0]), bool)
    if len(new):
        new[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    return np.flatnonzero(new)


def lasts(*columns: Any) -> Rows:
    """The last row of each run."""
    size = len(columns[0])
    return np.append(starts(*columns)[1:], size) - 1 if size else np.zeros(0, np.int64)


def coded(column: Any) -> Rows:
    """A number for each text, in the order of the texts; null comes first."""
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    words = pc.unique(column).drop_null().sort()
    return np.asarray(pc.fill_null(pc.index_in(column, words), -1)).astype(np.int64)


def first_valid(rows: pa.Table, first: Rows) -> pa.Table:
    """One row a run (given by its first row): in each column the run's first value that is not null."""
    made = {}
    for name in rows.column_names:
        column = rows[name].combine_chunks()
        at = first
        if column.null_count and len(first):
            at = np.minimum.reduceat(
                np.where(np.asarray(column.is_valid()), np.arange(len(column)), len(column)), first
            )
        made[name] = column.take(pa.array(at, mask=at >= np.append(first[1:], len(column)) if len(first) else None))
    return pa.table(made)


def spread(first: Rows, count: Rows) -> tuple[Rows, Rows]:
    """(which, place) for each place of spans `first`, `first` + 1, … of `count` places."""
    which = np.repeat(np.arange(len(count)), count)
    step = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    return which, np.repeat(first, count) + step
