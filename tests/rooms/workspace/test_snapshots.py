"""What was computed is frozen, named by what it is, and never changed."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from winay.core.problems import WinayError
from winay.workspace import Workspace

MADE_OF = {"programme": "p", "ledger": "l", "on": "2026-05-31", "known": "2026-06-15", "engine": "1"}


def freeze(ws: Workspace, value: int = 1) -> str:
    with ws.snapshots.draft() as folder:
        pq.write_table(pa.table({"value": [value]}), folder / "figures.parquet")
        return ws.snapshots.freeze(folder, MADE_OF)


def test_the_same_figures_are_the_same_snapshot(ws: Workspace) -> None:
    number = freeze(ws)
    assert freeze(ws) == number != freeze(ws, 2)
    opened = ws.snapshots.open_snapshot(number[:5])
    assert opened.read(ws.connect(), "figures").value.execute().tolist() == [1]
    assert opened.manifest["on"] == "2026-05-31"
    assert ws.snapshots.open_snapshot().id != number
    assert ws.snapshots.leftovers() == []


def test_a_snapshot_says_what_it_was_made_of(ws: Workspace) -> None:
    with ws.snapshots.draft() as folder, pytest.raises(KeyError, match="ledger, engine"):
        ws.snapshots.freeze(folder, {"programme": "p", "on": "", "known": ""})
    assert (ws.snapshots.ids(), ws.snapshots.leftovers()) == ([], [])


def test_one_is_official_for_a_period(ws: Workspace) -> None:
    first, second = freeze(ws, 1), freeze(ws, 2)
    assert ws.snapshots.open_snapshot(first).official is None
    assert ws.snapshots.official(first, "2026-05").official == "2026-05"
    assert ws.snapshots.open_snapshot("2026-05").id == first
    with pytest.raises(WinayError, match="has an official snapshot already"):
        ws.snapshots.official(second, "2026-05")
    ws.snapshots.official(second, "2026-05", replace=True)
    assert ws.snapshots.open_snapshot("2026-05").id == second


def test_pruning_spares_official_cited_and_newest(ws: Workspace) -> None:
    was_official, official, cited, old, newest = (freeze(ws, value) for value in range(5))
    ws.snapshots.official(was_official, "2026-05")
    ws.snapshots.official(official, "2026-05", replace=True)
    assert ws.snapshots.prune(cited=[cited]) == [old]
    assert set(ws.snapshots.ids()) == {was_official, official, cited, newest}


@pytest.mark.parametrize("name", ["no", "", "../lake"])
def test_a_snapshot_that_is_not_there_is_told_so(ws: Workspace, name: str) -> None:
    with pytest.raises(WinayError, match="no snapshot"):
        ws.snapshots.open_snapshot(name)
    with pytest.raises(WinayError, match="there is no snapshot yet"):
        ws.snapshots.open_snapshot()


DAMAGE = {
    "a byte of a file": lambda path: _flip(path / "figures.parquet"),
    "a byte of the manifest": lambda path: _flip(path / "manifest.json"),
    "a file gone": lambda path: (path / "figures.parquet").unlink(),
    "a file more": lambda path: (path / "more.parquet").touch(),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found_and_cannot_become_official(ws: Workspace, damage: str) -> None:
    number = freeze(ws)
    assert ws.snapshots.verify() == []
    DAMAGE[damage](ws.snapshots.path / number)
    (problem,) = ws.snapshots.verify()
    assert number in problem.told()
    with pytest.raises(WinayError):
        ws.snapshots.official(number, "2026-05")


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
