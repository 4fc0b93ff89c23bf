"""Who people are is sealed; outside, a person is a keyed number."""

import hmac
import sqlite3
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from winay.core.problems import WinayError
from winay.workspace import Workspace, create, open_workspace, sealed
from winay.workspace.vault import CHUNK, parse, show

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
    key = sealed.derived(ws.vault.key, b"winay pseudonyms")
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
    assert ws.vault.identity(ana) == {"kind": "dni", "value": "1", "name": "Ana María", "telephone": "9"}
    assert ws.vault.identity(5) == {}
    assert (ws.vault.erase(ana), ws.vault.erase(ana)) == (True, False)
    assert ws.vault.identity(ana) == {}
    assert ws.vault.identity(bea)["name"] == "Bea"


def test_a_pseudonym_that_stands_for_someone_else_is_found_and_nothing_is_kept(ws: Workspace) -> None:
    ana, bea = ws.vault.pseudonyms("dni", ["1", "2"])
    ws.vault.put([("dni", "1", {"name": "Ana"})], DAY)
    with sqlite3.connect(ws.vault.path / "identities.sqlite") as db:
        db.execute("update people set rest = rest + 1 where person = ?", (int(ana),))
    db.close()
    with pytest.raises(WinayError, match=f"pseudonym {show(ana)} would stand for two"):
        ws.vault.put([("dni", "2", {"name": "Bea"}), ("dni", "1", {"name": "Ana"})], LATER)
    assert ws.vault.identity(bea) == {}


@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1, 2 * CHUNK + 7])
def test_delivered_bytes_come_back(ws: Workspace, tmp_path: Path, size: int) -> None:
    file = tmp_path / "visits_[1].csv"
    content = np.random.default_rng(size).bytes(size)
    file.write_bytes(content)
    sha256 = ws.vault.keep(file)
    assert ws.vault.keep(file) == sha256
    assert b"".join(ws.vault.delivered(sha256)) == content
    assert ws.vault.deliveries() == [sha256]
    assert (ws.vault.forget(sha256), ws.vault.forget(sha256)) == (True, False)
    with pytest.raises(WinayError, match="not in the vault"):
        next(ws.vault.delivered(sha256))


KEY, ABOUT = b"k" * 32, b"about"
PIECES = list(sealed.seal([b"one", b"two", b"three"], KEY, ABOUT))
CHANGED = {
    "nothing": b"",
    "head only": PIECES[0],
    "last cut off": b"".join(PIECES[:-1]),
    "first taken out": PIECES[0] + b"".join(PIECES[2:]),
    "two exchanged": PIECES[0] + PIECES[2] + PIECES[1] + PIECES[3],
    "one said twice": b"".join(PIECES[:3]) + PIECES[2] + PIECES[3],
    "something added": b"".join(PIECES) + b"\0\0\0\0",
    "cut in a length": b"".join(PIECES)[: -len(PIECES[-1]) + 2],
} | {f"byte {k} flipped": bytes([*w[:k], w[k] ^ 1, *w[k + 1 :]]) for w in [b"".join(PIECES)] for k in range(len(w))}


@pytest.mark.parametrize("change", CHANGED)
def test_a_changed_stream_gives_out_nothing_that_was_not_sealed_there(tmp_path: Path, change: str) -> None:
    file = tmp_path / "stream"
    file.write_bytes(CHANGED[change])
    given: list[bytes] = []
    with pytest.raises(sealed.Damaged), file.open("rb") as stream:
        for chunk in sealed.opened(stream.read, KEY, ABOUT):
            given.append(chunk)
    assert given == [b"one", b"two", b"three"][: len(given)]


def test_a_sealed_value_opens_only_as_what_it_is(ws: Workspace) -> None:
    value = ws.vault.seal(b"Ana", b"row 1")
    assert ws.vault.unseal(value, b"row 1") == b"Ana"
    for wrong, about in [(value, b"row 2"), (value[:-1], b"row 1"), (b"", b"row 1")]:
        with pytest.raises(WinayError, match="damaged"):
            ws.vault.unseal(wrong, about)
