"""A load that fails at any of its writes leaves nothing half done, and the same command finishes the work."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rooms.records.conftest import DELIVERED, SAMPLES, load_samples
from winay.core.problems import WinayError
from winay.programme.load import Programme
from winay.records.as_of import known_by
from winay.records.load import load
from winay.workspace import faults
from winay.workspace.folder import Workspace

POINTS = [point for point in faults.POINTS if not point.startswith(("folder", "snapshots"))]
SCRIPT = """
import datetime as dt, sys
from pathlib import Path
from winay.programme.locate import programme
from winay.records.load import load
from winay.workspace.folder import open_workspace
load(open_workspace(sys.argv[1]), programme("pe-dit"), "padron", [Path(sys.argv[2])], dt.date(2026, 10, 1))
"""


@pytest.mark.parametrize("point", POINTS)
def test_a_full_disk_at_any_step(ws: Workspace, peru: Programme, monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    faults.reset()
    monkeypatch.setenv("WINAY_FAULT", point)
    with pytest.raises((WinayError, OSError)):
        load_samples(ws, peru, ["padron"])
    monkeypatch.delenv("WINAY_FAULT")
    assert ws.ledger.loads() == []
    assert known_by(ws, peru, DELIVERED).subjects.num_rows == 0
    assert load_samples(ws, peru, ["padron"])[0].total("accepted") == 4
    assert known_by(ws, peru, DELIVERED).subjects.num_rows == 4


@pytest.mark.parametrize("point", ["lake.append.log", "ledger.finish"])
def test_a_killed_load_is_finished_by_the_same_command(ws: Workspace, peru: Programme, point: str) -> None:
    command = [sys.executable, "-c", SCRIPT, str(ws.path), str(SAMPLES / "padron_nominal.csv")]
    killed = os.environ | {"WINAY_FAULT": point, "WINAY_FAULT_KIND": "kill"}
    root = str(Path(__file__).parents[3])
    assert subprocess.run(command, env=killed, cwd=root, check=False).returncode == -9
    assert ws.ledger.loads() == []
    two = [subprocess.Popen(command, cwd=root) for _ in range(2)]  # and two at once are one after the other
    assert [process.wait() for process in two] == [0, 0]
    assert len(ws.ledger.loads()) == 1
    assert known_by(ws, peru, DELIVERED).subjects.num_rows == 4
    assert load(ws, peru, "padron", [SAMPLES / "padron_nominal.csv"], DELIVERED).files[0].status == "already"
