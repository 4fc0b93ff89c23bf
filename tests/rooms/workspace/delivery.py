"""A small delivery from file to snapshot, as a library and as a program that can be killed.

python -m tests.rooms.workspace.delivery WORKSPACE FILE
"""

import csv
import errno
import os
import signal
import sys
from collections.abc import Callable
from datetime import date
from importlib.abc import MetaPathFinder
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from winay.core.problems import Problem
from winay.workspace import Workspace, disk, open_workspace
from winay.workspace.ledger import Refused

KNOWN = date(2026, 6, 1)
_LINEAGE = [("load", pa.int32()), ("line", pa.int32()), ("known", pa.date32())]
SCHEMAS = {
    "people": pa.schema([("person", pa.int64()), ("birth", pa.date32()), *_LINEAGE]),
    "items": pa.schema([("person", pa.int64()), ("day", pa.date32()), ("code", pa.string()), *_LINEAGE]),
}


def deliver(ws: Workspace, file: Path) -> str:
    """Load `document,birth,day,code` lines (a birth that is no day is refused) and freeze their number. Returns its id."""
    with ws.ledger.lock("delivering"):
        sha256 = ws.vault.keep(file)
        if not ws.ledger.find(sha256, "visits"):
            _load(ws, file, sha256)
        items = sum(pq.read_metadata(file).num_rows for file in ws.lake.files("items"))
        with ws.snapshots.draft() as folder:
            pq.write_table(pa.table({"items": [items]}), folder / "figures.parquet")
            made_of = {"programme": "p", "ledger": ws.ledger.digest(), "on": "2026-06-01", "known": "2026-06-01"}
            return ws.snapshots.freeze(folder, {**made_of, "engine": "1"})


def _load(ws: Workspace, file: Path, sha256: str) -> None:
    load = ws.ledger.begin("visits", file.name, sha256, file.stat().st_size, KNOWN)
    rows = list(enumerate(csv.reader(file.read_text().splitlines()), start=1))
    good = [(line, row) for line, row in rows if row[1] != "?"]
    bad = [(line, row) for line, row in rows if row[1] == "?"]
    person = ws.vault.pseudonyms("dni", [row[0] for _, row in good])
    ws.vault.put([("dni", row[0], {"name": f"Name {row[0]}"}) for _, row in good], KNOWN)
    lineage = {"load": [load.id] * len(good), "line": [line for line, _ in good], "known": [KNOWN] * len(good)}
    births, days = ([date.fromisoformat(row[k]) for _, row in good] for k in (1, 2))
    ws.lake.append("people", pa.table({"person": person, "birth": births, **lineage}), load.id)
    codes = [row[3] for _, row in good]
    ws.lake.append("items", pa.table({"person": person, "day": days, "code": codes, **lineage}), load.id)
    told = [Refused(file.name, line, "birth", "no day", "a day", row[1], ",".join(row)) for line, row in bad]
    ws.ledger.refuse(load.id, told, ws.vault.seal)
    ws.ledger.finish(load.id, {"records": len(rows), "accepted": len(good), "refused": len(bad), "duplicate": 0})


def read(ws: Workspace, table: str) -> list[dict[str, Any]]:
    """The rows of a table, in an order of their own, without the number of their load."""
    con = ws.connect(threads=1)
    rows = con.to_pyarrow(ws.lake.read(con, table)).drop_columns(["load"]).to_pylist()
    return sorted(rows, key=repr)


def answers(ws: Workspace) -> dict[str, Any]:
    """All that can be asked of a workspace."""
    return {
        "digest": ws.ledger.digest(),
        "loads": sorted(
            (load.source, load.name, load.sha256, dict(load.counts).values().__repr__()) for load in ws.ledger.loads()
        ),
        "rows": {table: read(ws, table) for table in SCHEMAS},
        "refused": sorted(
            (row.file, row.line, row.found, row.raw) for row in ws.ledger.refused(unseal=ws.vault.unseal)
        ),
        "snapshots": sorted(ws.snapshots.ids()),
    }


def interrupted(nth: int, kill: bool = False) -> Callable[[], None]:
    """In the place of `disk.step`: the nth time, the disk is full or the process dies."""
    passed = count(1)

    def step() -> None:
        if next(passed) == nth:
            if kill:
                os.kill(os.getpid(), signal.SIGKILL)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return step


def damage(ws: Workspace) -> list[Problem]:
    """All that the workspace finds wrong with itself."""
    found = [*ws.ledger.problems(), *ws.lake.verify(), *ws.vault.verify(), *ws.snapshots.verify()]
    return [problem for problem in found if problem]


class WithoutPandas(MetaPathFinder):
    """pyarrow would take a second of every process to import pandas, and not use it."""

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        if name == "pandas":
            raise ImportError(name)


if __name__ == "__main__":
    sys.meta_path.insert(0, WithoutPandas())
    opened = open_workspace(sys.argv[1])
    opened.lake.declare(SCHEMAS)
    print("begun", flush=True)
    disk.step = interrupted(int(os.environ.get("DIES_AT", "0")), kill=True)
    print(deliver(opened, Path(sys.argv[2])))
