"""Done is what the ledger says; a load left half-way is taken up again."""

import threading
from datetime import date

import pytest

from winay.core.problems import WinayError
from winay.workspace import Workspace
from winay.workspace.ledger import Ledger, Refused

DAY = date(2026, 6, 1)


def test_a_load_is_done_when_it_is_finished(ws: Workspace) -> None:
    load = ws.ledger.begin("his", "visits.csv", "aa", 10, DAY)
    assert (ws.ledger.loads(), ws.ledger.find("aa", "his")) == ([], None)
    done = ws.ledger.finish(load.id, {"records": 3, "accepted": 2, "refused": 1})
    assert ws.ledger.loads() == [done]
    assert (ws.ledger.find("aa", "his"), ws.ledger.find("aa", "padron")) == (done, None)


def test_accepted_refused_and_duplicate_add_up(ws: Workspace) -> None:
    load = ws.ledger.begin("his", "visits.csv", "aa", 10, DAY)
    with pytest.raises(ValueError, match="do not add up"):
        ws.ledger.finish(load.id, {"records": 4, "accepted": 2, "refused": 1})
    assert ws.ledger.loads() == []


def test_a_load_left_unfinished_is_forgotten_and_begun_anew(ws: Workspace) -> None:
    other = ws.ledger.begin("padron", "p.csv", "aa", 10, DAY)
    first = ws.ledger.begin("his", "v.csv", "aa", 10, DAY)
    ws.ledger.refuse(first.id, [Refused("v.csv", 2, "day", "no day", "a day")], ws.vault.seal)
    second = ws.ledger.begin("his", "another name.csv", "aa", 10, DAY)
    ws.ledger.finish(second.id, {})
    assert [load.id for load in ws.ledger.loads()] == [second.id]
    assert ws.ledger.loads(done=False) == [other]
    assert second.id > first.id
    assert list(ws.ledger.refused()) == []
    with pytest.raises(ValueError, match="not open"):
        ws.ledger.finish(first.id, {})


def test_the_digest_is_of_what_was_delivered_not_of_its_order(ws: Workspace, tmp_path: object) -> None:
    other = Ledger(ws.path / "other.sqlite")
    other.create()
    for ledger, order in ((ws.ledger, ["aa", "bb"]), (other, ["bb", "aa"])):
        for sha256 in order:
            ledger.finish(ledger.begin("his", "v.csv", sha256, 10, DAY).id, {})
    assert ws.ledger.digest() == other.digest()
    assert ws.ledger.digest([1]) != ws.ledger.digest()


def test_a_refused_record_keeps_what_it_said_sealed_until_a_later_load_accepts_it(ws: Workspace) -> None:
    load = ws.ledger.begin("his", "v.csv", "aa", 10, DAY)
    ws.ledger.refuse(
        load.id, [Refused("v.csv", 7, "day", "no day", "a day", "31/02", "Ana Quispe;31/02\udcff")], ws.vault.seal
    )
    assert list(ws.ledger.refused()) == []
    ws.ledger.finish(load.id, {})
    (closed,) = ws.ledger.refused()
    (opened,) = ws.ledger.refused(source="his", unseal=ws.vault.unseal)
    assert (closed.line, closed.column, closed.found, closed.raw) == (7, "day", "", "")
    assert (opened.found, opened.raw) == ("31/02", "Ana Quispe;31/02\udcff")
    assert b"Ana" not in ws.ledger.path.read_bytes()
    corrected = ws.ledger.begin("his", "corrected.csv", "bb", 10, DAY)
    ws.ledger.finish(corrected.id, {}, corrected=[opened.id])
    assert list(ws.ledger.refused()) == []


def test_one_writer_at_a_time_and_the_other_is_told_who(ws: Workspace) -> None:
    refused: list[str] = []

    def another() -> None:
        try:
            with Ledger(ws.ledger.path).lock("loading cnv", wait=0.05):
                pass
        except WinayError as error:
            refused.append(str(error))

    with ws.ledger.lock("loading his"), ws.ledger.lock("again, in the same run"):
        thread = threading.Thread(target=another)
        thread.start()
        thread.join()
    assert "another run is writing" in refused[0]
    assert "loading his" in refused[0]
    assert "nothing was changed" in refused[0]
    another()
    assert len(refused) == 1


def test_a_full_disk_is_not_told_as_damage(ws: Workspace) -> None:
    with (
        pytest.raises(WinayError, match="could not write the ledger: database or disk is full"),
        ws.ledger._file.writing() as db,
    ):
        db.execute(f"pragma max_page_count = {db.execute('pragma page_count').fetchone()[0]}")
        db.execute("create table more (a)")


def test_names_of_files_may_be_anything(ws: Workspace) -> None:
    load = ws.ledger.begin("his", "año '\udcff\".csv", "aa", 10, DAY)
    assert ws.ledger.finish(load.id, {}).name == "año '\ufffd\".csv"
    assert ws.ledger.problems() == []
