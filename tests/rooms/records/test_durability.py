"""A load that fails at any of its writes leaves nothing half done, and the same command finishes the work."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.rooms.records.conftest import DELIVERED, SAMPLES, load_samples
from tests.rooms.workspace.delivery import interrupted
from winay.core.problems import WinayError
from winay.programme.load import Programme
from winay.records.as_of import known_by
from winay.records.load import load
from winay.workspace import disk
from winay.workspace.folder import Workspace

STEPS = 35
"""Syncs and commits of a load, its own commit the last."""
DERIVED = 2
"""After it: services are brought up to the load, and made again whenever they are missing."""
SCRIPT = """
import datetime as dt, sys
from pathlib import Path
from tests.rooms.workspace.delivery import interrupted
from winay.programme.locate import programme
from winay.records.load import load
from winay.workspace import disk, open_workspace
disk.step = interrupted(int(sys.argv[3]), kill=True)
load(open_workspace(sys.argv[1]), programme("pe-dit"), "padron", [Path(sys.argv[2])], dt.date(2026, 10, 1))
"""


@pytest.mark.parametrize("nth", range(1, STEPS + 1))
def test_a_full_disk_at_any_step(ws: Workspace, peru: Programme, monkeypatch: pytest.MonkeyPatch, nth: int) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(disk, "step", interrupted(nth))
        with pytest.raises(WinayError):
            load_samples(ws, peru, ["padron"])
    assert ws.ledger.loads() == []
    assert known_by(ws, peru, DELIVERED).subjects.num_rows == 0
    assert load_samples(ws, peru, ["padron"])[0].total("accepted") == 4
    assert known_by(ws, peru, DELIVERED).subjects.num_rows == 4


def test_no_step_is_left_out(ws: Workspace, peru: Programme, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[None] = []
    monkeypatch.setattr(disk, "step", lambda: steps.append(None))
    load_samples(ws, peru, ["padron"])
    assert len(steps) == STEPS + DERIVED


@pytest.mark.parametrize("nth", [5, STEPS])
def test_a_killed_load_is_finished_by_the_same_command(ws: Workspace, peru: Programme, nth: int) -> None:
    """While it writes the lake, and before its last commit."""
    command = [sys.executable, "-c", SCRIPT, str(ws.path), str(SAMPLES / "padron_nominal.csv")]
    root = str(Path(__file__).parents[3])
    assert subprocess.run([*command, str(nth)], cwd=root, check=False).returncode == -9
    assert ws.ledger.loads() == []
    two = [subprocess.Popen([*command, "0"], cwd=root) for _ in range(2)]  # and two at once are one after the other
    assert [process.wait() for process in two] == [0, 0]
    assert len(ws.ledger.loads()) == 1
    assert known_by(ws, peru, DELIVERED).subjects.num_rows == 4
    assert load(ws, peru, "padron", [SAMPLES / "padron_nominal.csv"], DELIVERED).files[0].status == "already"
