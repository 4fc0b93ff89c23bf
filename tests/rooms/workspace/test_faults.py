"""Wherever a write fails or the process dies, nothing is lost and nothing is there twice."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import pytest

from tests.rooms.workspace.delivery import SCHEMAS, answers, damage, deliver, interrupted
from winay.core.problems import WinayError
from winay.workspace import Workspace, create, disk, open_workspace

BEFORE = "11,2026-01-01,2026-02-01,a\n12,2026-01-02,2026-02-02,b\n"
AFTER = "13,2026-01-03,2026-02-03,c\n14,?,2026-02-03,c\n15,2026-01-05,2026-02-05,d\n"
STEPS = 25
"""Syncs and commits between a delivered file and its snapshot."""


@pytest.fixture
def files(ws: Workspace, tmp_path: Path) -> list[Path]:
    """Two deliveries, of which the workspace has the first."""
    made = _files(tmp_path)
    deliver(ws, made[0])
    return made


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, key_bytes: bytes) -> dict[str, object]:
    """What a workspace answers that nothing happened to."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "key").write_bytes(key_bytes)
    made = create(folder / "ws", key=folder / "key")
    made.lake.declare(SCHEMAS)
    for file in _files(folder):
        deliver(made, file)
    return answers(made)


def _files(folder: Path) -> list[Path]:
    made = [folder / "before.csv", folder / "after.csv"]
    for file, text in zip(made, (BEFORE, AFTER), strict=True):
        file.write_text(text)
    return made


def run(ws: Workspace, file: Path, **environment: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.rooms.workspace.delivery", str(ws.path), str(file)]
    env = {**os.environ, "PYTHONPATH": str(Path.cwd()), **environment}
    return subprocess.Popen(command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def sound(ws: Workspace) -> None:
    """Nothing is damaged, and what a killed run left can be cleared away."""
    for path in (*ws.lake.orphans(), *ws.snapshots.leftovers()):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert not damage(ws)
    assert ws.ledger.loads(done=False) == []


@pytest.mark.parametrize("nth", range(1, STEPS + 1))
def test_a_failing_write_leaves_the_workspace_as_it_was(
    ws: Workspace, files: list[Path], undisturbed: dict[str, object], nth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = answers(ws)
    with monkeypatch.context() as patched:
        patched.setattr(disk, "step", interrupted(nth))
        with pytest.raises(WinayError, match=r"could not write .*: No space left on device"):
            deliver(ws, files[1])
    if not ws.ledger.find(disk.digest(files[1]), "visits"):
        assert answers(ws) == before
    deliver(ws, files[1])
    assert answers(ws) == undisturbed
    sound(ws)


def test_no_step_is_left_out(ws: Workspace, files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[None] = []
    monkeypatch.setattr(disk, "step", lambda: steps.append(None))
    deliver(ws, files[1])
    assert len(steps) == STEPS


@pytest.mark.parametrize("nth", range(1, STEPS + 1))
def test_after_kill_9_the_same_command_finishes_the_work(
    ws: Workspace, files: list[Path], undisturbed: dict[str, object], nth: int
) -> None:
    killed = run(ws, files[1], DIES_AT=str(nth))
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    again = open_workspace(ws.path)
    again.lake.declare(SCHEMAS)
    deliver(again, files[1])
    assert answers(again) == undisturbed
    sound(again)


def test_after_a_kill_at_any_moment_too(ws: Workspace, tmp_path: Path, key_bytes: bytes) -> None:
    """Twenty deliveries killed while they are written, then each of them sent again."""
    seed = int(os.environ.get("WINAY_SEED", "1"))
    print("seed", seed)
    moments = random.Random(seed)
    files = [tmp_path / f"{number}.csv" for number in range(20)]
    for number, file in enumerate(files):
        file.write_text(BEFORE.replace("11,", f"{20 + number},"))
        process = run(ws, file)
        assert process.stdout and process.stdout.readline() == "begun\n"
        time.sleep(moments.uniform(0, 0.4))
        process.kill()
        process.communicate()
    (tmp_path / "key").write_bytes(key_bytes)
    other = create(tmp_path / "undisturbed", key=tmp_path / "key")
    other.lake.declare(SCHEMAS)
    for each in (ws, other):
        assert [deliver(each, file) for file in files]
    assert {**answers(ws), "snapshots": None} == {**answers(other), "snapshots": None}
    sound(ws)


def test_loads_at_once_are_as_one_after_the_other(
    ws: Workspace, files: list[Path], undisturbed: dict[str, object]
) -> None:
    processes = [run(ws, file) for file in (files[1], files[1], files[0])]
    told = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], told
    assert answers(ws) == undisturbed


def test_a_workspace_half_made_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever step it was that failed, until none does."""
    for nth in count(1):
        place = {"path": tmp_path / str(nth), "key": tmp_path / "keys" / f"{nth}"}
        monkeypatch.setattr(disk, "step", interrupted(nth))
        try:
            create(**place)
            break
        except WinayError as error:
            assert "could not write the" in str(error)
        if not (tmp_path / str(nth) / "winay.toml").exists():
            with pytest.raises(WinayError, match="there is no workspace"):
                open_workspace(tmp_path / str(nth))
            assert create(**place).path == tmp_path / str(nth)
    assert nth > 5
