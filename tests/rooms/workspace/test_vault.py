"""Who people are is sealed; outside, a person is a keyed number."""

import hmac
import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from winay.core.problems import WinayError
from winay.workspace import Workspace, create, open_workspace
from winay.workspace.vault import CHUNK, derived, parse, show

DAY, LATER = date(2026, 6, 1), date(2026, 7, 1)
NUMBERS = [(0, "0000000000000"), (31, "000000000000Z"), (2**63 - 1, "7ZZZZZZZZZZZZ")]


@pytest.mark.parametrize(("person", "text"), NUMBERS)
def test_a_pseudonym_is_thirteen_characters_for_people(person: int, text: str) -> None:
    assert show(person) == text
    assert parse(text) == person
    assert parse(f" {text[:4]}-{text[4:]} ".lower().replace("0", "o")) == person


@pytest.mark.parametrize("text", ["", "123", "8000000000000", "U000000000000", "00000000000000"])
def test_what_is_no_pseudonym_is_told_so(text: str) -> None:
    with pytest.raises(WinayError, match="is not the number of a person"):
        parse(text)


def test_pseudonyms_are_the_first_bits_of_a_keyed_digest(ws: Workspace) -> None:
    key = derived(ws.vault.key, b"winay pseudonyms")
    full = hmac.digest(key, b"dni:00140132", "sha256")
    (person,) = ws.vault.pseudonyms("dni", ["00140132"])
    assert person == int.from_bytes(full[:8], "big") >> 1
    assert ws.vault.pseudonyms("cnv", ["00140132"]) != person
    assert ws.vault.pseudonyms("dni", []).dtype == np.int64


def test_without_the_key_no_list_of_numbers_finds_anyone(ws: Workspace, tmp_path: Path) -> None:
    other = create(tmp_path / "other", key=tmp_path / "other.key")
    everyone = [f"{number:08d}" for number in range(2000)]
    assert not set(ws.vault.pseudonyms("dni", everyone)) & set(other.vault.pseudonyms("dni", everyone))


def test_another_key_is_told_as_such(ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = create(tmp_path / "other", key=tmp_path / "other.key").key_file
    (tmp_path / "no.key").write_text("ñ")
    for file, said in [
        (wrong, "key of another workspace"),
        (tmp_path / "gone.key", "is not here"),
        (tmp_path / "no.key", "not a key"),
    ]:
        monkeypatch.setenv("WINAY_KEY_FILE", str(file))
        with pytest.raises(WinayError, match=said):
            open_workspace(ws.path).vault.pseudonyms("dni", ["1"])


def test_identities_are_put_many_read_one_and_erased(ws: Workspace) -> None:
    ana, bea = ws.vault.pseudonyms("dni", ["1", "2"])
    ws.vault.put([("dni", "1", {"name": "Ana"}), ("dni", "2", {"name": "Bea"})], DAY)
    ws.vault.put([("dni", "1", {"name": "Ana María", "telephone": "9"})], LATER)
    ws.vault.put([("dni", "1", {"name": "Ana"})] * 2, DAY)
    known = ws.vault.identities([ana, bea, 5])
    assert known[ana] == {"kind": "dni", "value": "1", "name": "Ana María", "telephone": "9"}
    assert known.keys() == {ana, bea}
    assert (ws.vault.erase(ana), ws.vault.erase(ana)) == (True, False)
    assert ws.vault.identities([ana, bea]) == {bea: {"kind": "dni", "value": "2", "name": "Bea"}}


def test_a_pseudonym_that_stands_for_someone_else_is_found_and_nothing_is_kept(ws: Workspace) -> None:
    ana, bea = ws.vault.pseudonyms("dni", ["1", "2"])
    ws.vault.put([("dni", "1", {"name": "Ana"})], DAY)
    with sqlite3.connect(ws.vault.path / "identities.sqlite") as db:
        db.execute("update identities set rest = rest + 1 where person = ?", (int(ana),))
    db.close()
    with pytest.raises(WinayError, match="one pseudonym would stand for two"):
        ws.vault.put([("dni", "2", {"name": "Bea"}), ("dni", "1", {"name": "Ana"})], LATER)
    assert ws.vault.identities([bea]) == {}


@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1, 2 * CHUNK + 7])
def test_delivered_bytes_come_back(ws: Workspace, tmp_path: Path, size: int) -> None:
    file = tmp_path / "visits_[1].csv"
    content = np.random.default_rng(size).bytes(size)
    file.write_bytes(content)
    sha256 = ws.vault.keep(file)
    assert ws.vault.keep(file) == sha256
    assert b"".join(ws.vault.delivered(sha256)) == content
    assert ws.vault.deliveries() == [sha256]
    ws.vault._kept(sha256).unlink()
    with pytest.raises(WinayError, match="not in the vault"):
        next(ws.vault.delivered(sha256))


CHANGES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "everything gone": lambda pieces: [],
    "last cut off": lambda pieces: pieces[:-1],
    "first taken out": lambda pieces: pieces[1:],
    "two exchanged": lambda pieces: [pieces[1], pieces[0], pieces[2]],
    "one said twice": lambda pieces: [*pieces[:2], *pieces[1:]],
    "something added": lambda pieces: [*pieces, b"\0\0\0\0"],
    "cut in a length": lambda pieces: [*pieces[:2], pieces[2][:2]],
}


@pytest.fixture
def small(ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, list[bytes]]:
    """A kept delivery of three chunks: its file, and the pieces it is made of."""
    monkeypatch.setattr("winay.workspace.vault.CHUNK", 5)
    (tmp_path / "small").write_bytes(b"one  two  three")
    kept = ws.vault._kept(ws.vault.keep(tmp_path / "small"))
    content, pieces = kept.read_bytes(), []
    while content:
        end = 4 + int.from_bytes(content[:4], "big")
        pieces.append(content[:end])
        content = content[end:]
    assert len(pieces) == 3
    return kept, pieces


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_delivery_gives_out_nothing_that_was_not_sealed_there(
    ws: Workspace, small: tuple[Path, list[bytes]], change: str
) -> None:
    kept, pieces = small
    _told_as_damaged(ws, kept, b"".join(CHANGES[change](pieces)))


def test_a_delivery_with_any_byte_flipped_is_told_so(ws: Workspace, small: tuple[Path, list[bytes]]) -> None:
    kept, pieces = small
    whole = b"".join(pieces)
    for at in range(len(whole)):
        _told_as_damaged(ws, kept, bytes([*whole[:at], whole[at] ^ 1, *whole[at + 1 :]]))


def test_a_delivery_under_the_name_of_another_is_told_so(ws: Workspace, small: tuple[Path, list[bytes]]) -> None:
    kept, pieces = small
    _told_as_damaged(ws, kept.with_name(kept.name[:-1] + ("0" if kept.name[-1] != "0" else "1")), b"".join(pieces))


def _told_as_damaged(ws: Workspace, kept: Path, content: bytes) -> None:
    kept.write_bytes(content)
    chunks: list[bytes] = []
    with pytest.raises(WinayError, match=rf"{kept.name}: what is sealed here is damaged"):
        for chunk in ws.vault.delivered(kept.name):
            chunks.append(chunk)
    assert chunks == [b"one  ", b"two  ", b"three"][: len(chunks)]


def test_a_sealed_value_opens_only_as_what_it_is(ws: Workspace) -> None:
    value = ws.vault.seal(b"Ana", b"row 1")
    assert ws.vault.unseal(value, b"row 1") == b"Ana"
    for wrong, about in [(value, b"row 2"), (value[:-1], b"row 1"), (b"", b"row 1")]:
        with pytest.raises(WinayError, match="damaged"):
            ws.vault.unseal(wrong, about)
