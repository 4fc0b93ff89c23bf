"""A change of policy on loaded histories: the difference of two figures, district by district, and who wins and who loses."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.rooms.records.conftest import written
from winay.actions.figures import figures
from winay.actions.gate import operator
from winay.actions.opening import made, opened, promised
from winay.actions.what_if import compared, what_if
from winay.core.problems import WinayError
from winay.decisions import database
from winay.decisions.models import Look
from winay.programme.load import load as load_programme
from winay.programme.locate import find
from winay.records.load import load

DNI = Path(__file__).parents[3] / "docs" / "dni-30.yaml"
ALONE = """
- indicator: DNI
  rules: FED2024
  name: DNI a tiempo
  kind: cross-section
  age: [0d, 365d]
  met: { up_to_date: dni-60-fed2024 }
  product: PE/dni
  legal: { confidence: proposed }
"""
BORN, ON, KNOWN = date(2025, 6, 1), date(2025, 10, 31), date(2025, 11, 15)
ISSUED = {
    "010101": [10, 30, 45, 60, None],  # of five children 30 days are kept by two, 60 by four
    "010102": [31],
    "030101": [5, 29],
    "030102": [None, 140],
}
"""District -> on which day of its life each child's card was issued."""


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    """A workspace of a programme that also has an indicator on the card alone."""
    folder = tmp_path_factory.mktemp("what-if")
    shutil.copytree(find("pe-dit"), folder / "policy")
    (folder / "policy" / "indicators" / "dni.yaml").write_text(ALONE, "utf-8")
    made(folder / "ws", str(folder / "policy"), folder / "key")
    ws = opened(folder / "ws")
    children = [(place, day) for place, days in ISSUED.items() for day in days]
    people, cards = [], []
    for n, (place, day) in enumerate(children):
        person = {"CO_PADRON_NOMINAL": f"P{n}", "NU_DNI_MENOR": f"{n:08}", "FE_NAC_MENOR": BORN.isoformat()}
        people.append(person | {"CO_UBIGEO_INEI": place, "CO_GENERO_MENOR": "1", "FE_MODI_REGISTRO": BORN.isoformat()})
        if day is not None:
            cards.append({"dni": f"{n:08}", "fec_emision": (BORN + timedelta(day)).isoformat()})
    for source, rows in {"padron": people, "dni": cards}.items():
        (folder / f"{source}.csv").write_text(written(promised(ws), source, rows), "utf-8")
        (loaded,) = load(ws, promised(ws), source, [folder / f"{source}.csv"], KNOWN).files
        assert loaded.accepted == loaded.records == len(rows)
    return ws


def of(told, by, key="DNI@FED2024"):
    return {row["group"]: row for row in told["figures"] if (row["indicator"], row["by"]) == (key, by)}


def test_a_card_by_30_days_and_not_by_60_district_by_district(ws):
    """Each difference is that of the figures by hand, and the sides are the figures that `figures` tells."""
    told = what_if(ws, operator(ws), DNI, ON, KNOWN)
    rows = of(told, "district")
    parts = ("numerator_before", "numerator_after", "denominator_after", "difference", "wins", "loses", "changed")
    assert {place: tuple(row[part] for part in parts) for place, row in rows.items()} == {
        "010101": (4, 2, 5, pytest.approx(-0.4), 0, 2, 2),
        "010102": (1, 0, 1, -1, 0, 1, 1),
        "030101": (2, 2, 2, 0, 0, 0, 0),
        "030102": (0, 0, 2, 0, 0, 0, 0),
    }
    assert told["period"] == "2025-10"
    whole = of(told, "country")["PE"]
    assert (whole["before"], whole["after"], whole["loses"]) == (pytest.approx(0.7), pytest.approx(0.4), 3)
    asked = {"by": "district", "period": "2025-10", "known_on": KNOWN, "on": ON}
    known = figures(ws, operator(ws), "DNI@FED2024", **asked).to_pylist()
    assert {row["place"]: (row["value"], row["denominator"]) for row in known if row["denominator"]} == {
        place: (row["before"], row["denominator_before"]) for place, row in rows.items()
    }
    quintiles = of(told, "quintile_regional_40")
    assert sum(row["loses"] for row in quintiles.values()) == 3
    assert {row["indicator"] for row in told["figures"]} <= {"DNI@FED2024", "MC-02.01@FED2024"}


def test_two_programmes_differ_as_the_change_says(ws, tmp_path):
    """The changed copy is the programme somebody would write; turned round, who lost wins."""
    shutil.copytree(promised(ws).path, tmp_path / "new")
    file = tmp_path / "new" / "standards" / "fed2024.yaml"
    file.write_text(file.read_text("utf-8").replace("- { by: 60d }", "- { by: 30d }"), "utf-8")
    new = load_programme(tmp_path / "new")
    tried, two = what_if(ws, operator(ws), DNI, ON, KNOWN), compared(ws, operator(ws), promised(ws), new, ON, KNOWN)
    assert (two["figures"], two["changes"]) == (tried["figures"], tried["changes"])
    back = of(compared(ws, operator(ws), new, promised(ws), ON, KNOWN), "country")["PE"]
    assert (back["wins"], back["loses"]) == (3, 0)
    assert compared(ws, operator(ws), new, new, ON, KNOWN)["figures"] == []


def test_a_code_that_proves_more_is_read_from_what_was_loaded(ws, tmp_path):
    """Matchers, a new indicator and a removed one; another day of knowing changes both sides."""
    new = ALONE.replace("indicator: DNI", "indicator: OTRO").replace("\n", "\n    ")
    change = tmp_path / "change.yaml"
    change.write_text(
        "change: x\nset:\n  services/dni-emision/code: nada\nadd:\n  indicators:" + new + "\n"
        "remove: indicators/DNI@FED2024\n",
        "utf-8",
    )
    told = what_if(ws, operator(ws), change, ON, KNOWN, "region")
    gone, come = of(told, "region"), of(told, "region", "OTRO@FED2024")
    assert {place: (row["before"], row["after"], row["leaves"]) for place, row in gone.items()} == {
        "01": (pytest.approx(5 / 6), None, 6),
        "03": (pytest.approx(0.5), None, 4),
    }
    assert {place: (row["before"], row["after"], row["enters"]) for place, row in come.items()} == {
        "01": (None, 0, 6),
        "03": (None, 0, 4),
    }
    assert of(what_if(ws, operator(ws), DNI, ON, BORN), "country") == {}


def test_what_cannot_be_grouped_is_said_before_anybody_looks(ws):
    looks = Look.objects.using(database(ws)).count()
    with pytest.raises(WinayError, match="quintile_regional_40"):
        what_if(ws, operator(ws), DNI, ON, KNOWN, "quintile_regional")
    assert Look.objects.using(database(ws)).count() == looks
    what_if(ws, operator(ws), DNI, ON, KNOWN, "sex")
    assert Look.objects.using(database(ws)).latest("n").purpose == "what-if"
