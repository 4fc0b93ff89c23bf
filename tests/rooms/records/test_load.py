"""Loading: the accounts always add up, the same again adds nothing, order does not matter."""

import datetime as dt
import gzip
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.rooms.records.conftest import DELIVERED, FILES, SAMPLES, child, load_samples, visit, written
from winay.core.problems import WinayError
from winay.programme.load import Programme
from winay.programme.locate import programme
from winay.records.as_of import Known, known_by
from winay.records.load import Report, load
from winay.workspace.folder import Workspace

TODAY = dt.date(2026, 10, 31)
Deliver = Callable[..., Report]


def people(known: Known) -> list[dict[str, object]]:
    return known.subjects.select(["kind", "birth", "document", "sex", "insurance", "birth_weight"]).to_pylist()


def proven(known: Known, peru: Programme) -> set[tuple[int, str, str]]:
    names = {number: name for name, number in peru.service_numbers.items()}
    rows = known.services.to_pylist()
    return {(row["subject"], names[row["service"]], str(row["day"])) for row in rows}


def days(known: Known) -> list[str]:
    """The days on which somebody received something; the registry itself proves that a child was entered."""
    entered = programme("pe-dit").service_numbers["padron-inscripcion"]
    return sorted({str(row["day"]) for row in known.services.to_pylist() if row["service"] != entered})


def test_the_samples(ws: Workspace, peru: Programme) -> None:
    """Four children of the registry, and the episodes of their three mothers that have a document."""
    for report in load_samples(ws, peru):
        names = [SAMPLES / file.file for file in report.files]
        assert report.total("records") == sum(len(name.read_text("utf-8").splitlines()) - 1 for name in names)
        assert not report.rejected
        assert report.total("accepted") + report.total("refused") + report.total("duplicate") == report.total("records")
        assert report.total("refused") == 0
    known = known_by(ws, peru, TODAY)
    assert people(known) == [
        {
            "kind": "child",
            "birth": dt.date(2026, 1, 15),
            "document": "CNV",
            "sex": "F",
            "insurance": None,
            "birth_weight": 2900,
        },
        {
            "kind": "child",
            "birth": dt.date(2026, 4, 10),
            "document": "DNI",
            "sex": "F",
            "insurance": "SIS",
            "birth_weight": 3100,
        },
        {
            "kind": "child",
            "birth": dt.date(2026, 4, 12),
            "document": "DNI",
            "sex": "M",
            "insurance": "ESSALUD,SIS",
            "birth_weight": 2200,
        },
        {
            "kind": "child",
            "birth": dt.date(2026, 5, 1),
            "document": None,
            "sex": "F",
            "insurance": None,
            "birth_weight": None,
        },
        {
            "kind": "pregnancy",
            "birth": dt.date(2026, 1, 15),
            "document": None,
            "sex": None,
            "insurance": None,
            "birth_weight": 2900,
        },
        {
            "kind": "pregnancy",
            "birth": dt.date(2026, 4, 10),
            "document": None,
            "sex": None,
            "insurance": None,
            "birth_weight": 3100,
        },
        {
            "kind": "pregnancy",
            "birth": dt.date(2026, 4, 12),
            "document": None,
            "sex": None,
            "insurance": None,
            "birth_weight": 2200,
        },
    ]
    assert {row["place"] for row in known.residences.to_pylist()} == {"010101", "010102", "030101", "030102"}
    assert known.exits.to_pylist() == [{"subject": 2, "day": dt.date(2026, 9, 10), "kind": "died"}]
    assert [row["subject"] for row in known.enrolments.to_pylist()] == [0, 1]
    assert (3, "pentavalente", "2026-07-05") in proven(known, peru)
    assert {(1, "pentavalente", "2026-06-10"), (1, "pentavalente", "2026-07-10")} <= proven(known, peru)
    facilities = {(row["provider"], str(row["month"])) for row in known.reported.to_pylist()}
    assert facilities == {
        ("90001", "2026-06-01"),
        ("90002", "2026-06-01"),
        ("90001", "2026-07-01"),
        ("90002", "2026-07-01"),
    }


@pytest.mark.parametrize("seed", range(3))
def test_order_does_not_matter(new: Callable[[str], Workspace], peru: Programme, seed: int) -> None:
    """Any order of the sources gives the same people, homes and services; what has not arrived yet is waited for."""
    order = list(FILES)
    random.Random(seed).shuffle(order)
    first, second = new("first"), new("second")
    load_samples(first, peru)
    load_samples(second, peru, order)
    one, other = known_by(first, peru, TODAY), known_by(second, peru, TODAY)
    for table in ("subjects", "residences", "services", "enrolments", "exits", "members", "reported"):
        assert getattr(one, table).equals(getattr(other, table)), table


def test_rows_wait_for_their_person(deliver: Deliver, ws: Workspace, peru: Programme) -> None:
    report = deliver("his", [visit("1", "2026-06-10", "90723", Id_Establecimiento="99999999")])
    assert report.files[0].waiting == {"person": 1, "provider": 1}
    assert days(known_by(ws, peru, TODAY)) == []
    load_samples(ws, peru, ["padron", "his-pacientes"])
    assert days(known_by(ws, peru, TODAY)) == ["2026-06-10"]


def test_the_same_file_is_the_same_under_any_name_order_and_packing(
    deliver: Deliver, ws: Workspace, peru: Programme
) -> None:
    rows = [visit("1", "2026-06-10", "90723"), visit("2", "2026-07-10", "90723")]
    text = written(peru, "his", rows)
    assert deliver("his", text).total("accepted") == 2
    assert deliver("his", text, name="otro.csv").files[0].status == "already"
    for name, content in {
        "reversed": written(peru, "his", rows[::-1]).encode(),
        "semicolons": written(peru, "his", rows, ";").encode(),
        "packed": gzip.compress(text.encode()),
        "marked": b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(),
    }.items():
        file = deliver("his", content, name=name).files[0]
        assert (file.status, file.accepted, file.duplicate) == ("loaded", 0, 2), name


def test_a_zip_with_one_file(deliver: Deliver, peru: Programme, tmp_path: Path) -> None:
    path = tmp_path / "packed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("his.csv", written(peru, "his", [visit("1", "2026-06-10", "90723")]))
    assert deliver("his", path.read_bytes(), name="visitas_[1].csv").total("accepted") == 1


def test_a_dry_run_tells_the_same_and_changes_nothing(deliver: Deliver, ws: Workspace) -> None:
    rows = [visit("1", "2026-06-10", "90723"), visit("2", "2026-06-31", "90723")]
    dry, done = deliver("his", rows, dry_run=True).files[0], deliver("his", rows).files[0]
    assert (dry.status, dry.load, dry.reasons) == ("dry-run", None, {"not_a_date": 1})
    assert (dry.accepted, dry.refused, dry.waiting) == (done.accepted, done.refused, done.waiting)
    assert len(ws.ledger.loads()) == 1


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_a_newer_version_wins_whichever_comes_first(
    deliver: Deliver, ws: Workspace, peru: Programme, order: list[int]
) -> None:
    """The older version is withdrawn from the day the newer one is known; before that day it is what was known."""
    load_samples(ws, peru, ["padron", "his-pacientes"], dt.date(2026, 6, 1))
    old = ("2026-07-01", [visit("1", "2026-06-10", "90723")])
    new = ("2026-08-01", [visit("1", "2026-06-12", "90723", Fecha_Modificacion="2026-07-20")])
    for number in order:
        day, rows = (old, new)[number]
        deliver("his", rows, on=day, name=f"{number}.csv")
    assert days(known_by(ws, peru, dt.date(2026, 7, 15))) == ["2026-06-10"]
    assert days(known_by(ws, peru, dt.date(2026, 8, 15))) == ["2026-06-12"]


def test_two_versions_that_tie_both_stand(deliver: Deliver, ws: Workspace, peru: Programme) -> None:
    load_samples(ws, peru, ["padron", "his-pacientes"])
    deliver("his", [visit("1", "2026-06-10", "90723")], name="a.csv")
    deliver("his", [visit("1", "2026-06-11", "90723", Fecha_Modificacion="2026-06-10")], name="b.csv")
    assert days(known_by(ws, peru, TODAY)) == ["2026-06-10", "2026-06-11"]


def test_a_month_sent_again_withdraws_what_is_no_longer_in_it(deliver: Deliver, ws: Workspace, peru: Programme) -> None:
    load_samples(ws, peru, ["padron", "his-pacientes"], dt.date(2026, 6, 1))
    june = [visit("1", "2026-06-10", "90723"), visit("2", "2026-06-20", "90713"), visit("3", "2026-07-01", "90681")]
    deliver("his", june, on="2026-07-05")
    report = deliver("his", june[:1], on="2026-08-05", name="again.csv", replaces="2026-06")
    assert (report.files[0].duplicate, report.files[0].withdrawn) == (1, 1)
    assert days(known_by(ws, peru, dt.date(2026, 8, 4))) == ["2026-06-10", "2026-06-20", "2026-07-01"]
    assert days(known_by(ws, peru, dt.date(2026, 8, 5))) == ["2026-06-10", "2026-07-01"]


def test_a_roll_of_a_place_sent_again(deliver: Deliver, ws: Workspace, peru: Programme) -> None:
    roll = [child("P1"), child("P2"), child("P3", place="030101")]
    deliver("padron", roll, on="2026-07-05")
    assert deliver("padron", [child("P1")], on="2026-08-05", name="again.csv", replaces="0101").files[0].withdrawn == 1
    assert known_by(ws, peru, dt.date(2026, 8, 4)).subjects.num_rows == 3
    assert known_by(ws, peru, dt.date(2026, 8, 5)).subjects.num_rows == 2


def test_half_the_usual_size_asks_first(deliver: Deliver) -> None:
    deliver("dni", [{"dni": f"{n:08d}", "fec_emision": "2026-05-01"} for n in range(40)])
    less = [{"dni": f"{n:08d}", "fec_emision": "2026-06-01"} for n in range(19)]
    assert "40" in deliver("dni", less, name="b.csv").rejected[0].told()
    asked: list[str] = []
    assert (
        deliver("dni", less, name="b.csv", confirm=lambda question: not asked.append(question)).total("accepted") == 19
    )
    assert len(asked) == 1


def test_history_known_from_the_day_it_was_keyed(deliver: Deliver, ws: Workspace, peru: Programme) -> None:
    load_samples(ws, peru, ["padron", "his-pacientes"], dt.date(2026, 6, 1))
    deliver(
        "his", [visit("1", "2026-06-10", "90723", Fecha_Registro="2026-07-03")], on="2026-10-01", known_by_keyed=True
    )
    assert days(known_by(ws, peru, dt.date(2026, 7, 2))) == []
    assert days(known_by(ws, peru, dt.date(2026, 7, 3))) == ["2026-06-10"]


def test_wrong_questions_are_told(ws: Workspace, peru: Programme) -> None:
    for source, terms, told in [
        ("hiss", {}, '"his"'),
        ("dni", {"known_by_keyed": True}, "dni"),
        ("dni", {"replaces": "0101"}, "month"),
    ]:
        with pytest.raises(WinayError, match=told):
            load(ws, peru, source, [SAMPLES / "cnv.csv"], DELIVERED, **terms)
