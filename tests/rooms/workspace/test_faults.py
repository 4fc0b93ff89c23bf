"""Wherever a write fails or the process dies, nothing is lost and nothing is there twice."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.rooms.workspace.delivery import SCHEMAS, answers, damage, deliver
from winay.core.problems import WinayError
from winay.workspace import Workspace, create, faults, open_workspace
from winay.workspace.faults import POINTS

BEFORE = "11,2026-01-01,2026-02-01,a\n12,2026-01-02,2026-02-02,b\n"
AFTER = "13,2026-01-03,2026-02-03,c\n14,?,2026-02-03,c\n15,2026-01-05,2026-02-05,d\n"
ON_THE_WAY = [point for point in POINTS if point != "folder.create"]


@pytest.fixture
def files(ws: Workspace, tmp_path: Path) -> list[Path]:
    """Two deliveries, of which the workspace has the first."""
    made = _files(tmp_path)
    deliver(ws, made[0])
    faults.reset()
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
    assert ws.ledger.loads("started") == []


@pytest.mark.parametrize("point", ON_THE_WAY)
def test_a_failing_write_leaves_the_workspace_as_it_was(
    ws: Workspace, files: list[Path], undisturbed: dict[str, object], point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = answers(ws)
    faults.reset()
    monkeypatch.setenv("WINAY_FAULT", point)
    with pytest.raises(WinayError, match=r"could not write .*: No space left on device"):
        deliver(ws, files[1])
    monkeypatch.delenv("WINAY_FAULT")
    if not point.startswith("snapshots"):
        assert answers(ws) == before
    deliver(ws, files[1])
    assert answers(ws) == undisturbed
    sound(ws)


@pytest.mark.parametrize(
    "point", [*ON_THE_WAY, "lake.append.log:2", "lake.append.sync:2", "disk.name:2", "disk.name:3"]
)
def test_after_kill_9_the_same_command_finishes_the_work(
    ws: Workspace, files: list[Path], undisturbed: dict[str, object], point: str
) -> None:
    killed = run(ws, files[1], WINAY_FAULT=point, WINAY_FAULT_KIND="kill")
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    again = open_workspace(ws.path)
    again.lake.declare(SCHEMAS)
    deliver(again, files[1])
    assert answers(again) == undisturbed
    sound(again)


def test_after_a_kill_at_any_moment_too(ws: Workspace, files: list[Path], undisturbed: dict[str, object]) -> None:
    seed = int(os.environ.get("WINAY_SEED", "1"))
    print("seed", seed)
    moments = random.Random(seed)
    for _ in range(5):
        process = run(ws, files[1])
        time.sleep(moments.uniform(0.2, 0.9))
        process.kill()
        process.communicate()
    deliver(ws, files[1])
    assert answers(ws) == undisturbed
    sound(ws)


def test_loads_at_once_are_as_one_after_the_other(
    ws: Workspace, files: list[Path], undisturbed: dict[str, object]
) -> None:
    processes = [run(ws, file) for file in (files[1], files[1], files[0])]
    told = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], told
    assert answers(ws) == undisturbed


def test_a_workspace_half_made_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faults.reset()
    monkeypatch.setenv("WINAY_FAULT", "folder.create")
    with pytest.raises(WinayError, match="could not write the workspace"):
        create(tmp_path / "a", key=tmp_path / "k")
    with pytest.raises(WinayError, match="there is no workspace"):
        open_workspace(tmp_path / "a")
    assert create(tmp_path / "a", key=tmp_path / "k").path == tmp_path / "a"
