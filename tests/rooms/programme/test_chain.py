"""The production line of the shipped programme: whole, tied together, and frank about what nobody published."""

import pytest

from winay.programme.load import load
from winay.programme.locate import find
from winay.programme.unsettled import unsettled


@pytest.fixture(scope="module")
def peru():
    return load(find("pe-dit"))


SHEETS = {
    # programme or agreement: sheets, of which by year
    "MEF": {2024: 66, 2025: 61},
    "MIDIS": {2024: 9},
    "FED": {2026: 29},
}


def test_every_official_sheet_is_there(peru):
    found: dict = {}
    for sheet in peru.sheets.values():
        years = found.setdefault(sheet.sheet.partition("-")[0] if sheet.year != 2026 else "FED", {})
        years[sheet.year] = years.get(sheet.year, 0) + 1
    assert found == SHEETS
    assert sum(sum(years.values()) for years in SHEETS.values()) == 165
    assert len({s.sheet for s in peru.sheets.values() if s.sheet.startswith("MEF")}) == 70


def test_surveys_are_not_computed(peru):
    """ENDES and nothing else is a survey, and no survey's official value comes from records."""
    assert {s.source for s in peru.sheets.values() if s.kind == "survey"} == {"ENDES"}
    assert {s.state for s in peru.sheets.values() if s.kind == "survey"} <= {"awaiting", "series"}
    assert {s.kind for s in peru.sheets.values() if s.sheet.startswith(("AI-", "EI-", "ART-"))} == {"declared"}


def test_definitions_that_changed_are_told(peru):
    changed = {s.sheet for s in peru.sheets.values() if s.changed and s.sheet.startswith("MEF")}
    assert changed >= {"MEF-4478", "MEF-4697", "MEF-4912", "MEF-4913"}


def test_products_have_one_entity_each_of_many(peru):
    codes = peru.products
    assert sum("/" not in code for code in codes) == 22
    assert sum("/" in code for code in codes) == 89
    assert len({product.entity for product in codes.values()}) >= 9
    assert {level for product in codes.values() for level in product.levels} == {"GN", "GR", "GL"}


def test_every_division_leads_up_to_the_final_result(peru):
    def ends(name: str) -> set[str]:
        links = peru.results[name].leads_to
        return {end for link in links for end in ends(link.to)} if links else {name}

    lost = [
        code
        for code, product in peru.products.items()
        if "/" in code and {end for link in product.leads_to for end in ends(link.to)} != {"FINAL"}
    ]
    assert lost == []
    assert [name for name in peru.results if name[0] == "R" and name[1:].isdigit()] == [f"R{n}" for n in range(1, 8)]


def test_everything_has_both_languages(peru):
    assert [
        row for row in unsettled(peru) if row["open"] == "no words" and row["part"] in ("products", "results", "sheets")
    ] == []


OPEN = [
    ("results", "R7", "not measured"),
    ("results", "acompanamiento", "no evidence"),
    ("products", "PE/filiacion", "no source"),
    ("products", "PE/filiacion", "inferred"),
    ("sheets", "MEF-4655@2025", "awaiting"),
    ("rules", "MIDIS2024", "proposed"),
]
SETTLED = [
    ("results", "R3", "not measured"),
    ("sheets", "MEF-4934@2025", "awaiting"),
    ("products", "3033255", "no source"),
]


def test_what_nobody_published_is_listed(peru):
    rows = {(row["part"], row["key"], row["open"]) for row in unsettled(peru)}
    assert [row for row in OPEN if row not in rows] == []
    assert [row for row in SETTLED if row in rows] == []
