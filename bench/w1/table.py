"""The derived table of services in the order the engine reads: by subject, service, day; whole subjects a row group."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from winay.workspace.disk import staged

SCHEMA = pa.schema([("subject", pa.int32()), ("service", pa.int16()), ("day", pa.date32())])
ROWS = 500_000
"""Records a row group, a little more or less: one is read for one changed subject, and fits a processor's cache."""
Result = TypeVar("Result")


@dataclass(frozen=True)
class Block:
    """The subjects [low, high) and their records: offsets [high - low + 1] into services and days (since 1970-01-01)."""

    low: int
    high: int
    offsets: NDArray[np.int64]
    services: NDArray[np.int16]
    days: NDArray[np.int32]


def write(path: Path, parts: Iterable[pa.Table]) -> None:
    """Write subject, service, day: parts of whole subjects that end to end are sorted by all three; whole or not at all."""
    with staged(path) as draft, pq.ParquetWriter(draft, SCHEMA, compression="snappy") as out:
        for part in parts:
            owners = part["subject"].to_numpy()
            begins = np.append(np.flatnonzero(np.diff(owners, prepend=-1)), len(owners))
            about = np.append(np.arange(0, len(owners), ROWS), len(owners))
            for start, stop in pairwise(np.unique(begins[np.searchsorted(begins, about)])):
                out.write_table(part.slice(start, stop - start).cast(SCHEMA), row_group_size=stop - start)


def each_block(
    path: Path,
    subjects: int,
    work: Callable[[Block], Result],
    *,
    low: int = 0,
    high: int | None = None,
    threads: int = 2,
) -> list[Result]:
    """What `work` makes of each block that holds one of the subjects [low, high), in order; read by several threads.

    subjects: how many there are, those without records included. Every subject is in one block.
    """
    mine = threading.local()

    def one(group: tuple[int, int, int]) -> Result:
        if not hasattr(mine, "file"):
            mine.file = pq.ParquetFile(path)
        return work(_read(mine.file, *group))

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, _borders(path, subjects, low, subjects if high is None else high)))


def _borders(path: Path, subjects: int, low: int, high: int) -> list[tuple[int, int, int]]:
    """(row group, first subject, subject after the last) of the groups asked for; -1 where there are no records at all."""
    data = pq.read_metadata(path)
    firsts = [data.row_group(group).column(0).statistics.min for group in range(data.num_row_groups)]
    starts = [0, *firsts[1:], subjects] if firsts else [0, subjects]
    spans = zip(range(len(firsts)) if firsts else [-1], starts[:-1], starts[1:], strict=True)
    return [(group, first, after) for group, first, after in spans if first < high and after > low]


def _read(file: Any, group: int, low: int, high: int) -> Block:
    rows = file.read_row_group(group, use_threads=False) if group >= 0 else SCHEMA.empty_table()
    owners, services, days = (column.combine_chunks() for column in rows.columns)
    offsets = np.searchsorted(owners.to_numpy(), np.arange(low, high + 1, dtype=np.int32)).astype(np.int64)
    return Block(low, high, offsets, services.to_numpy(), days.view(pa.int32()).to_numpy())
