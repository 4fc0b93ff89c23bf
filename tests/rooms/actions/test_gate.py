"""Nobody sees people but through the gate, and each look is written down."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from winay.actions import gate
from winay.actions.gate import ANALYST, KEEPER, Caller, operator, tables
from winay.actions.opening import made, opened
from winay.core.problems import WinayError
from winay.decisions import database
from winay.decisions.models import Look, looks


@pytest.fixture
def ws(tmp_path):
    made(tmp_path / "ws", "pe-dit", tmp_path / "key")
    return opened(tmp_path / "ws")


def written(ws):
    return [(x.n, x.who, x.purpose, x.what, x.places, x.names, x.how_many) for x in Look.objects.using(database(ws))]


def test_a_look_is_written_when_the_tables_are_left(ws):
    """Who, why, what, where, and how many were shown; also when what was done with them failed."""
    ana = Caller("ana", ANALYST)
    with tables(ws, ana, "visits", what="due 2026-05-31", places=["030101"]) as people:
        assert people.known(date(2026, 5, 31)).subjects.num_rows == 0
        people.shown(3)
    with pytest.raises(ZeroDivisionError), tables(ws, ana, "audit"):
        1 / 0  # noqa: B018
    assert written(ws) == [
        (1, "ana", "visits", "due 2026-05-31", "030101", False, 3),
        (2, "ana", "audit", "", "", False, 0),
    ]


@pytest.mark.parametrize(
    ("caller", "purpose", "places", "identities"),
    [
        (Caller("ana", KEEPER), " ", [], False),
        (Caller("ana", ANALYST), "visits", [], True),
        (Caller("ana", KEEPER, ("030101",)), "visits", ["030102"], False),
        (Caller("ana", KEEPER, ("030101",)), "visits", [], False),
    ],
    ids=["no purpose", "names for an analyst", "another's place", "everywhere"],
)
def test_who_may_not_gets_nothing_and_nothing_is_written(ws, caller, purpose, places, identities):
    with pytest.raises(WinayError), tables(ws, caller, purpose, places=places, identities=identities):
        pytest.fail("the gate was open")
    assert written(ws) == []


def test_names_are_not_given_unasked(ws):
    with tables(ws, operator(ws), "visits") as people, pytest.raises(WinayError):
        people.identities([1])


@pytest.mark.parametrize("change", [{"who": "eva"}, {"how_many": 0}, {"previous": "0" * 63 + "1"}])
def test_the_first_changed_line_is_found(ws, change):
    """Any value of line 2 changed, or line 2 taken out."""
    for n in range(3):
        with tables(ws, Caller("ana", ANALYST), "visits") as people:
            people.shown(n + 1)
    assert looks.first_broken(database(ws)) is None
    Look.objects.using(database(ws)).filter(n=2).update(**change)
    assert looks.first_broken(database(ws)) == 2
    Look.objects.using(database(ws)).filter(n=2)._raw_delete(database(ws))
    assert looks.first_broken(database(ws)) == 2


def test_lines_cut_off_the_end_are_missed(ws):
    """A file beside the log says how many lines there are; without it nobody would know."""
    for n in range(3):
        looks.add(database(ws), who="ana", role=ANALYST, purpose=str(n), how_many=n)
    Look.objects.using(database(ws)).filter(n__gt=1)._raw_delete(database(ws))
    assert looks.first_broken(database(ws)) == 2
    looks.add(database(ws), who="eva", role=ANALYST, purpose="more", how_many=1)
    looks.add(database(ws), who="eva", role=ANALYST, purpose="more", how_many=1)
    assert looks.first_broken(database(ws)) == 3


def test_looks_at_once_make_one_chain(ws):
    database(ws)
    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(lambda n: looks.add(database(ws), who="ana", role=ANALYST, purpose=str(n), how_many=n), range(20))
        )
    assert (len(written(ws)), looks.first_broken(database(ws))) == (20, None)


def test_a_person_is_named_by_pseudonym_or_document(ws):
    from winay.workspace.vault import show

    person = gate.person(ws, "dni:00140132")
    assert gate.person(ws, show(person).lower()) == person
    with pytest.raises(WinayError):
        gate.person(ws, "00140132")
