"""What was changed, cut short or lost is found and named, and nothing is computed from it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.rooms.workspace.delivery import SCHEMAS, answers, damage, deliver
from winay.core.problems import WinayError
from winay.workspace import Workspace, open_workspace


@pytest.fixture
def loaded(ws: Workspace, tmp_path: Path) -> Workspace:
    file = tmp_path / "visits_[1].csv"
    file.write_text("41414141,2026-01-01,2026-02-01,a\n42424242,?,2026-02-02,b\n")
    ws.snapshots.official(deliver(ws, file), "2026-05")
    assert damage(ws) == []
    return ws


def flip(path: Path, at: int | None = None) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if at is None else at] ^= 1
    path.write_bytes(content)


FILES: dict[str, tuple[Callable[[Workspace], Path], str]] = {
    # kind      one of them                                                         named as
    "data": (lambda ws: next(ws.lake.path.glob("items/*.parquet")), "load 1 (visits_[1].csv), table items"),
    "log": (lambda ws: next(ws.lake.path.glob("people/_delta_log/*")), "load 1 (visits_[1].csv), table people"),
    "delivery": (lambda ws: next(ws.vault.path.glob("deliveries/*/*")), "deliveries/"),
    "snapshot": (lambda ws: next(ws.snapshots.path.glob("*/figures.parquet")), "figures.parquet"),
    "manifest": (lambda ws: next(ws.snapshots.path.glob("*/manifest.json")), "manifest.json"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_flipped_byte_is_found_and_named(loaded: Workspace, kind: str) -> None:
    path, named = FILES[kind]
    flip(path(loaded))
    told = [problem.told() for problem in damage(loaded)]
    assert any(named in line for line in told), told


LOST: dict[str, tuple[Callable[[Workspace], Path], str]] = {
    "data": (lambda ws: next(ws.lake.path.glob("items/*.parquet")), "table items, is missing"),
    "log": (lambda ws: next(ws.lake.path.glob("people/_delta_log/*")), "table people, is missing"),
    "ledger": (lambda ws: ws.ledger.path, "the ledger cannot be trusted"),
    "identities": (lambda ws: ws.vault.path / "identities.sqlite", "the vault cannot be trusted"),
    "snapshot": (lambda ws: ws.snapshots.path / ws.snapshots.ids()[0], "the official snapshot of 2026-05"),
}


@pytest.mark.parametrize("kind", LOST)
def test_what_is_gone_is_found_and_named(loaded: Workspace, kind: str) -> None:
    path, named = LOST[kind]
    path(loaded).rename(loaded.path.parent / "elsewhere")
    try:
        told = [problem.told() for problem in damage(open_workspace(loaded.path))]
    except WinayError as error:
        told = [problem.told() for problem in error.problems]
    assert any(named in line for line in told), told
    assert (loaded.path / "ledger.sqlite").exists() == (kind != "ledger")  # and is not made anew


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
    return answers(ws), ws.vault.identities(people), ws.ledger.officials()


def test_no_clear_identifier_or_name_is_written_anywhere(loaded: Workspace) -> None:
    """Canaries: documents and names of the delivery, searched in everything the workspace wrote."""
    for path in loaded.path.rglob("*"):
        if path.is_file():
            assert not [word for word in (b"41414141", b"42424242", b"Name 4") if word in path.read_bytes()], path


def test_nothing_is_computed_from_a_damaged_ledger(loaded: Workspace) -> None:
    content = loaded.ledger.path.read_bytes()
    flip(loaded.ledger.path, content.index(b"visits_[1].csv"))
    loaded.lake.declare(SCHEMAS)
    with pytest.raises(WinayError, match="the ledger cannot be trusted: loads, 1"):
        loaded.ledger.finished()
    flip(loaded.ledger.path, content.index(b"000001.parquet"))
    with pytest.raises(WinayError, match="cannot be trusted"):
        loaded.lake.read(loaded.connect(), "items")
