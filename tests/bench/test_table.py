"""The sorted table: whole subjects in each row group, every subject in one block."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.w1 import table


def rows(subjects: list[int]) -> pa.Table:
    days = pa.array(range(len(subjects)), pa.int32()).cast(pa.date32())
    return pa.table([pa.array(subjects, pa.int32()), pa.array([3] * len(subjects), pa.int16()), days], table.SCHEMA)


def spans(path: Path, subjects: int, **asked: int) -> list[tuple[int, int, list[int], int]]:
    return table.each_block(path, subjects, lambda b: (b.low, b.high, b.offsets.tolist(), len(b.days)), **asked)


FIRST, SECOND, LAST = (0, 2, [0, 2, 2], 2), (2, 5, [0, 4, 4, 4], 4), (5, 8, [0, 1, 3, 3], 3)


@pytest.mark.parametrize(
    ("parts", "blocks"),
    [
        ([9], [(0, 5, [0, 2, 2, 6, 6, 6], 6), LAST]),
        ([2, 7], [FIRST, SECOND, LAST]),
        ([2, 4, 0, 3], [FIRST, SECOND, LAST]),
    ],
)
def test_subjects_stay_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: list[int], blocks: list[object]
) -> None:
    """A group of three records or a little more ends where a subject does; no subject is in two."""
    monkeypatch.setattr(table, "ROWS", 3)
    owners = rows([0, 0, 2, 2, 2, 2, 5, 6, 6])
    stops = np.cumsum(parts)
    table.write(tmp_path / "s.parquet", [owners.slice(stop - n, n) for stop, n in zip(stops, parts, strict=True)])
    assert pq.read_table(tmp_path / "s.parquet").equals(owners)
    assert spans(tmp_path / "s.parquet", 8) == blocks


def test_some_subjects_need_some_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "ROWS", 2)
    table.write(tmp_path / "s.parquet", [rows([0, 0, 1, 1, 2, 2])])
    assert [span[:2] for span in spans(tmp_path / "s.parquet", 3, low=1, high=2)] == [(1, 2)]


def test_nobody_has_a_record(tmp_path: Path) -> None:
    table.write(tmp_path / "s.parquet", [])
    assert spans(tmp_path / "s.parquet", 2) == [(0, 2, [0, 0, 0], 0)]
