"""`winay doctor` finds what is wrong, names it, and says what to do."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.rooms.workspace.delivery import SCHEMAS, answers, deliver
from winay.core.problems import WinayError
from winay.core.text import say
from winay.workspace import Workspace, health, open_workspace
from winay.workspace.health import Check

Change = Callable[[Workspace], object]


@pytest.fixture
def loaded(ws: Workspace, tmp_path: Path) -> Workspace:
    file = tmp_path / "visits_[1].csv"
    file.write_text("41414141,2026-01-01,2026-02-01,a\n42424242,?,2026-02-02,b\n")
    ws.snapshots.official(deliver(ws, file), "2026-05")
    return ws


def examined(ws: Workspace) -> dict[str, Check]:
    return {check.name: check for check in health.examine(ws, datetime.now(UTC))}


def flip(path: Path, at: int | None = None) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if at is None else at] ^= 1
    path.write_bytes(content)


def test_all_is_well_in_time(loaded: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    started = time.monotonic()
    checks = examined(loaded)
    assert time.monotonic() - started < 10
    assert len(checks) >= 15
    assert {name: check.state for name, check in checks.items() if check.state != "good"} == {"refused": "attention"}
    meanings = [check.meaning for check in checks.values()]
    monkeypatch.setenv("WINAY_LANG", "es")
    assert not [meaning for meaning in meanings if say(meaning) == meaning]
    assert checks["refused"].remedy


WRONG: dict[str, Change] = {
    "folder": lambda ws: ws.derived.rmdir(),
    "permissions": lambda ws: ws.key_file.chmod(0o644),
    "unfinished": lambda ws: ws.ledger.begin("his", "v.csv", "aa", 1, datetime.now(UTC).date()),
    "log": lambda ws: (ws.lake.path / "items/_delta_log/00000000000000000001.json").unlink(),
    "lake": lambda ws: next(ws.lake.path.glob("items/*.parquet")).unlink(),
    "leftovers": lambda ws: (ws.lake.path / "items" / "000099-0000.parquet").touch(),
    "deliveries": lambda ws: ws.vault.forget(ws.vault.deliveries()[0]),
    "snapshots": lambda ws: (ws.snapshots.path / ws.snapshots.ids()[0]).rename(ws.path / "elsewhere"),
    "ledger": lambda ws: ws.ledger.path.write_bytes(b""),
    "time-zone": lambda ws: _toml(ws, "America/Lima", "America/Limx"),
    "key": lambda ws: (ws.key_file.rename(ws.path / "k"), _toml(ws, str(ws.key_file), str(ws.path / "k"))),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found(loaded: Workspace, name: str) -> None:
    WRONG[name](loaded)
    again = open_workspace(loaded.path)
    check = examined(again)[name]
    assert check.state != "good"
    assert check.remedy or [problem.hint or problem.found for problem in check.problems]
    if check.fixable:
        health.fix(again)
        assert examined(again)[name].state == "good"


def test_a_missing_key_is_told_as_such(loaded: Workspace) -> None:
    loaded.key_file.unlink()
    assert "is not here" in examined(open_workspace(loaded.path))["key"].problems[0].told()


def test_a_clock_that_went_back_is_found(loaded: Workspace) -> None:
    checks = health.examine(loaded, datetime.now(UTC) - timedelta(days=400))
    assert {check.name: check.state for check in checks}["clock"] == "bad"


FLIPPED: dict[str, tuple[Callable[[Workspace], Path], str, str]] = {
    "data": (lambda ws: next(ws.lake.path.glob("items/*.parquet")), "lake", "load 1 (visits_[1].csv), table items"),
    "log": (lambda ws: ws.lake.path / "people/_delta_log/00000000000000000001.json", "lake", "table people"),
    "delivery": (lambda ws: next(ws.vault.path.glob("deliveries/*/*")), "vault", "deliveries/"),
    "snapshot": (lambda ws: next(ws.snapshots.path.glob("*/figures.parquet")), "snapshots", "figures.parquet"),
    "manifest": (lambda ws: next(ws.snapshots.path.glob("*/manifest.json")), "snapshots", "manifest.json"),
}


@pytest.mark.parametrize("kind", FLIPPED)
def test_a_flipped_byte_is_found_and_named(loaded: Workspace, kind: str) -> None:
    path, check, named = FLIPPED[kind]
    flip(path(loaded))
    told = [problem.told() for problem in examined(loaded)[check].problems]
    assert any(named in line for line in told), told


@pytest.mark.parametrize("file", ["ledger.sqlite", "vault/identities.sqlite"])
def test_each_flipped_byte_of_a_database_is_found_or_harms_nothing(loaded: Workspace, file: str) -> None:
    path = loaded.path / file
    before, content = _everything(loaded), path.read_bytes()
    found = 0
    for at in range(16, len(content), 613):
        flip(path, at)
        damaged = loaded.ledger.problems() + [problem for problem in loaded.vault.verify() if problem]
        found += bool(damaged)
        assert damaged or _everything(loaded) == before, f"byte {at}"
        path.write_bytes(content)
    assert found


def _everything(ws: Workspace) -> object:
    people = [int(person) for person in ws.vault.pseudonyms("dni", ["41414141", "42424242"])]
    return answers(ws), [ws.vault.identity(person) for person in people], ws.ledger.officials()


def test_no_clear_identifier_or_name_is_written_anywhere(loaded: Workspace) -> None:
    """Canaries: documents and names of the delivery, searched in everything the workspace wrote."""
    for path in loaded.path.rglob("*"):
        if path.is_file():
            assert not [word for word in (b"41414141", b"42424242", b"Name 4") if word in path.read_bytes()], path


def test_what_cannot_be_read_in_time_is_said(loaded: Workspace) -> None:
    checks = {check.name: check for check in health.examine(loaded, datetime.now(UTC), seconds=0)}
    assert (checks["lake"].state, checks["lake"].facts["done"]) == ("attention", 1)


def test_nothing_is_computed_from_a_damaged_ledger(loaded: Workspace) -> None:
    content = loaded.ledger.path.read_bytes()
    flip(loaded.ledger.path, content.index(b"visits_[1].csv"))
    loaded.lake.declare(SCHEMAS)
    with pytest.raises(WinayError, match="cannot be trusted: id 1"):
        loaded.lake.read(loaded.connect(), "items")


def _toml(ws: Workspace, old: str, new: str) -> None:
    file = ws.path / "winay.toml"
    file.write_text(file.read_text().replace(old, new))
