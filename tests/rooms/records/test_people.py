"""Who is who, where they live, and what changes with places: spec rows (official-readings, section 1)."""

import datetime as dt
from collections.abc import Callable

import numpy as np
import pytest

from tests.rooms.records.conftest import child, load_samples, visit
from winay.programme.load import Programme
from winay.records import link
from winay.records.as_of import Known, known_by
from winay.records.link import Decision
from winay.records.load import Report
from winay.workspace.folder import Workspace

TODAY = dt.date(2026, 10, 31)
Deliver = Callable[..., Report]


def received(known: Known, peru: Programme) -> list[dict[str, object]]:
    """Services but the entry in the registry, which the registry itself proves."""
    entered = peru.service_numbers["padron-inscripcion"]
    return [row for row in known.services.to_pylist() if row["service"] != entered]


def children(known: Known, *columns: str) -> list[tuple[object, ...]]:
    rows = known.subjects.filter([k == "child" for k in known.subjects["kind"].to_pylist()])
    return [tuple(row.values()) for row in rows.select(list(columns)).to_pylist()]


@pytest.mark.parametrize(
    ("rows", "count", "why"),
    [
        (
            [child("P1", NU_CNV="9900000001"), child("P2", NU_CNV="9900000002")],
            2,
            "twins: one birth, one mother, two certificates",
        ),
        ([child("P1", PRENOMBRE_MENOR="LUZ"), child("P2", PRENOMBRE_MENOR="LUZ")], 2, "homonyms in one district"),
        (
            [child("P1", NU_CNV="9900000001"), child("P2", NU_CNV="9900000001", NU_DNI_MENOR="00770001")],
            1,
            "one certificate, later a DNI",
        ),
        (
            [child("P1", PRENOMBRE_MENOR="RN"), child("P2", PRENOMBRE_MENOR="RN")],
            2,
            "newborns without a name are not one",
        ),
        ([child("P1")], 1, "no document at all"),
        ([child("P1", NU_DNI_MENOR="00770001"), child("P2", NU_DNI_MENOR="00770001")], 1, "two rows with one DNI"),
    ],
)
def test_who_is_one_person(
    deliver: Deliver, ws: Workspace, peru: Programme, rows: list[dict[str, str]], count: int, why: str
) -> None:
    deliver("padron", rows)
    assert known_by(ws, peru, TODAY).subjects.num_rows == count, why


def test_the_row_with_a_dni_wins(deliver: Deliver, ws: Workspace, peru: Programme) -> None:
    """Reading 1.2: an old row in another district and a newer one with DNI are one child, who lives where the DNI says.
    An attribute that the better row lacks comes from the other."""
    old = child("P1", place="150101", NU_CNV="9900000001", TI_SEGURO_MENOR="1", FE_MODI_REGISTRO="2026-09-01")
    new = child("P2", place="030105", NU_CNV="9900000001", NU_DNI_MENOR="00770001")
    deliver("padron", [old, new])
    known = known_by(ws, peru, TODAY)
    assert children(known, "document", "insurance") == [("DNI", "SIS")]
    assert [row["place"] for row in known.residences.to_pylist()] == ["030105"]


def test_records_of_both_documents_are_of_one_child(deliver: Deliver, ws: Workspace, peru: Programme) -> None:
    """Reading 1.1: a dose under the certificate's number and one under the DNI."""
    deliver("padron", [child("P1", NU_CNV="9900000001", NU_DNI_MENOR="00770001")])
    deliver("his-pacientes", "Id_Paciente;Id_Tipo_Documento;Numero_Documento\n1;6;9900000001\n2;1;00770001\n")
    deliver("his", [visit("1", "2026-06-09", "90723", "1"), visit("2", "2026-08-08", "90723", "2")])
    services = received(known_by(ws, peru, TODAY), peru)
    assert {(row["subject"], str(row["day"])) for row in services} == {(0, "2026-06-09"), (0, "2026-08-08")}


def test_a_corrected_dni(deliver: Deliver, ws: Workspace, peru: Programme) -> None:
    """The wrong number stops naming the child from the day its correction is known."""
    deliver(
        "his-pacientes", "Id_Paciente;Id_Tipo_Documento;Numero_Documento\n1;1;00770001\n2;1;00770002\n", on="2026-06-01"
    )
    deliver("his", [visit("1", "2026-06-10", "90723", "1"), visit("2", "2026-06-11", "90723", "2")], on="2026-06-30")
    deliver("padron", [child("P1", NU_DNI_MENOR="00770001")], on="2026-06-01", name="a.csv")
    deliver(
        "padron", [child("P1", NU_DNI_MENOR="00770002", FE_MODI_REGISTRO="2026-07-15")], on="2026-08-01", name="b.csv"
    )
    told = {
        str(day): {str(row["day"]) for row in received(known_by(ws, peru, day), peru)}
        for day in (dt.date(2026, 7, 1), dt.date(2026, 8, 1))
    }
    assert told == {"2026-07-01": {"2026-06-10"}, "2026-08-01": {"2026-06-11"}}


def test_a_foreign_document_names_a_mother(ws: Workspace, peru: Programme) -> None:
    """Her pregnancy is there, without DNI; she lives where the certificate says, in the programme's own code."""
    load_samples(ws, peru, ["cnv", "lugares"])
    known = known_by(ws, peru, TODAY)
    first = known.subjects.to_pylist()[0]
    assert (first["kind"], first["mother_document"], first["mother_home_country"]) == ("pregnancy", None, "PE")
    assert known.residences.to_pylist()[0]["place"] == "030102"


def test_a_move_ends_a_residence(deliver: Deliver, ws: Workspace, peru: Programme) -> None:
    """The older row of the registry is replaced, but where the child lived before stays true."""
    deliver("padron", [child("P1", place="010101")], on="2026-05-01", name="a.csv")
    deliver("padron", [child("P1", place="030101", FE_MODI_REGISTRO="2026-08-10")], on="2026-09-01", name="b.csv")
    spells = [(r["place"], str(r["since"]), str(r["until"])) for r in known_by(ws, peru, TODAY).residences.to_pylist()]
    assert spells == [("010101", "2026-04-10", "2026-08-09"), ("030101", "2026-08-10", "None")]
    before = known_by(ws, peru, dt.date(2026, 8, 31)).residences.to_pylist()
    assert [(r["place"], r["until"]) for r in before] == [("010101", None)]


def test_people_decide(deliver: Deliver, ws: Workspace, peru: Programme) -> None:
    """A join makes one person, a split two; both hold from their day, until undone."""
    deliver(
        "padron",
        [child("P1"), child("P2"), child("P3", NU_CNV="9900000001"), child("P4", NU_CNV="9900000001")],
        on="2026-05-01",
    )
    one, two, three, four = (int(n) for n in ws.vault.pseudonyms("padron", ["P1", "P2", "P3", "P4"]))
    since, undone = dt.date(2026, 6, 1), dt.date(2026, 8, 1)
    join, split = Decision("join", one, two, since, undone), Decision("split", three, four, since)
    counts = [known_by(ws, peru, day, [join, split]).subjects.num_rows for day in (dt.date(2026, 5, 31), since, undone)]
    assert counts == [3, 3, 4]
    assert known_by(ws, peru, since, [join]).subjects.num_rows == 2
    shared = int(ws.vault.pseudonyms("cnv", ["9900000001"])[0])
    members = known_by(ws, peru, since, [split]).members.to_pylist()
    owner = {row["person"]: row["subject"] for row in members}
    assert owner[three] == owner[shared] != owner[four], "the split one takes only what it alone names"


def test_components_of_many() -> None:
    """A chain of a million identifiers is one person, whatever the order of its edges."""
    nodes = np.arange(10**6)
    edges = np.random.default_rng(5).permutation(nodes[:-1])
    assert set(link.components(nodes, edges, edges + 1).tolist()) == {0}
    assert len(set(link.components(nodes, edges[:0], edges[:0]).tolist())) == 10**6


def test_likeness_only_proposes() -> None:
    """A name written in two ways is proposed; twins and strangers are not."""
    names = [("ANA LUCIA", "QUISPE"), ("BETO", "MAMANI"), ("CARLA", "ROJAS"), ("DORIS", "HUAMAN"), ("ELMER", "FLORES")]
    people = [
        (
            n,
            {
                "names": a,
                "surname": b,
                "second_surname": "PRUEBA",
                "birth": f"2026-04-{n + 10}",
                "sex": "F",
                "place": "010101",
                "mother": f"0088000{n}",
            },
        )
        for n, (a, b) in enumerate(names)
    ]
    people.append((9, people[0][1] | {"names": "ANA LUSIA"}))
    found = link.proposals(people)
    assert [(p.a, p.b) for p in found] in ([(0, 9)], [(9, 0)])
    assert found[0].alike["names"] in (("ANA LUCIA", "ANA LUSIA"), ("ANA LUSIA", "ANA LUCIA"))


def test_a_code_of_another_system_is_the_district_in_force(deliver: Deliver, ws: Workspace, peru: Programme) -> None:
    """RENIEC's 240999 named one district until June and its successor since: homes are placed by the day known. Codes
    of our own system stay as they were delivered: the tree of each month is the engine's."""
    deliver(
        "lugares",
        "ubigeo,reniec,region,provincia,distrito,desde,hasta,predecesores\n"
        "010109,240999,A,B,VIEJO,,2026-06-30,\n010191,240999,A,B,VIEJO,2026-07-01,,010109\n",
        on="2026-05-01",
    )
    mother = {"NU_CNV": "9900000001", "FE_NACIDO": "2026-04-10", "TIP_DOC_MADRE": "1", "NU_DOC_MADRE": "00880001"}
    home = {"CONT_DOM_MADRE": "92", "PAIS_DOM_MADRE": "33", "DPTO_DOM_MADRE": "24", "PROV_DOM_MADRE": "09"}
    deliver("cnv", [mother | home | {"DIST_DOM_MADRE": "99"}], on="2026-05-01")
    deliver("padron", [child("P1", place="010109")], on="2026-05-01")
    for day, told in ((dt.date(2026, 6, 30), "010109"), (dt.date(2026, 7, 1), "010191")):
        assert [r["place"] for r in known_by(ws, peru, day).residences.to_pylist()] == ["010109", told]


def test_loaded_places_win_over_the_shipped_ones(ws: Workspace, peru: Programme) -> None:
    """Column by column: the file says the quintile, the shipped table still says the altitude."""
    before = {r["place"]: r for r in known_by(ws, peru, TODAY).places.to_pylist()}
    load_samples(ws, peru, ["lugares"])
    after = {r["place"]: r for r in known_by(ws, peru, TODAY).places.to_pylist()}
    assert after["010101"]["quintile_regional_40"] == 5
    assert after["010101"]["altitude"] == before["010101"]["altitude"] is not None
    assert len(after) == len(before)
