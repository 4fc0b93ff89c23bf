"""A programme against a changed copy of it: told in words, checked at the lines of the change."""

import shutil
from pathlib import Path

import pytest

from winay.core.problems import WinayError
from winay.programme.change import changed
from winay.programme.diff import diff, label, reached
from winay.programme.load import load
from winay.programme.locate import find, programme

DNI = Path(__file__).parents[3] / "docs" / "dni-30.yaml"
MANY = """
change: { en: A new dose }
set:
  standards/penta-fed2024/deliveries/2/gaps/1/until: 80d
  standards/dni-30-fed2026/legal/note/en: Asked for
  packages/menor-12-fed2026/all_of/9: { up_to_date: hoy, name: hoy }
  services/bcg/code/2: "99999"
  products/PE/dni/levels: [GR]
add:
  standards:
    - { standard: hoy, rules: FED2026, service: bcg, deliveries: [ { by: 1d } ], legal: { confidence: proposed } }
remove: [ sources/canonico ]
"""


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("WINAY_LANG", "en")


@pytest.fixture
def tried(tmp_path):
    """A change as text -> the shipped programme under it."""

    def make(text):
        (tmp_path / "change.yaml").write_text(text, "utf-8")
        return changed(programme("pe-dit"), tmp_path / "change.yaml")[1]

    return make


def test_a_window_in_words_and_whom_it_reaches():
    before = programme("pe-dit")
    change, after = changed(before, DNI)
    (row,) = diff(before, after)
    assert str(change.change) == "The identity card is asked for by 30 days of age, not by 60"
    assert (row["name"], row["change"], label(row["what"])) == ("dni-60-fed2024", "changed", "delivery 1")
    assert (row["before"], row["after"]) == (
        "Identity card issued: up to 60 days of age.",
        "Identity card issued: up to 30 days of age.",
    )
    assert reached([row], before, after) == ["MC-02.01@FED2024"]
    assert before.hash != after.hash


def test_each_part_is_told_in_its_words(tried):
    before, after = programme("pe-dit"), tried(MANY)
    rows = {(row["part"], row["name"]): row for row in diff(before, after)}
    told = {key[1]: (row["change"], row["what"], row["before"], row["after"]) for key, row in rows.items()}
    assert told.pop("penta-fed2024")[3].endswith("Between 28 days and 80 days after the last one that counted.")
    assert told.pop("dni-30-fed2026")[1:2] == ("legal",)
    assert told == {
        "bcg": ("changed", "rule", "code 90585, of type D or R", "code 90585 or 99999, of type D or R"),
        "hoy": ("added", "", "", ""),
        "menor-12-fed2026": ("changed", "rule", told["menor-12-fed2026"][2], "  - is up to date with `hoy` (`hoy`)"),
        "canonico": ("removed", "", "", ""),
        "PE/dni": ("changed", "levels", "GN", "GR"),
    }
    keys = reached(list(rows.values()), before, after)
    assert {"MC-02.01@FED2024", "MC-02.01@FED2026", "MC-03.01@FED2026"} <= set(keys)
    assert "MIDIS-29@MIDIS2024" not in keys


def test_words_and_law_reach_nobody(tried):
    quiet = "change: x\nset:\n  standards/dni-60-fed2024/legal/confidence: proposed\n  services/bcg/name/en: Other\n"
    after = tried(quiet)
    rows = diff(programme("pe-dit"), after)
    assert [row["what"] for row in rows] == ["name", "legal"]
    assert reached(rows, programme("pe-dit"), after) == []


def test_the_same_text_elsewhere_is_the_same_programme(tmp_path):
    """Where a rule is written is no difference; what a table of places holds is one."""
    shutil.copytree(find("pe-dit"), tmp_path / "copy")
    assert diff(programme("pe-dit"), load(tmp_path / "copy")) == []
    (tmp_path / "copy" / "reference" / "places.csv.gz").write_bytes(b"")
    (row,) = diff(programme("pe-dit"), load(tmp_path / "copy"))
    assert (row["part"], row["name"]) == ("reference", "places.csv.gz")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("set:\n  x/y: 1", 3, 'no part of the programme is called "x"'),
        ("set:\n  standards/dni-60-fed2042/deliveries/1/by: 30d", 3, 'did you mean "dni-60-fed2024"?'),
        ("set:\n  standards/dni-60-fed2024/deliveries/3/by: 30d", 3, "a number from 1 to 2"),
        ("set:\n  standards/dni-60-fed2024/deliveries/1/by: soon", 3, '"soon" is not an age'),
        ("set:\n  standards/dni-60-fed2024/deliveries/1/bye: 30d", 3, 'did you mean "by"?'),
        ("set:\n  packages/menor-12-fed2024/all_of/1/up_to_date: pent", 3, 'no standard is called "pent"'),
        ("add:\n  standards:\n    - standard: dni-60-fed2024\n      service: x\n      deliveries: [{}]", 4, "defined twice"),
        ("add:\n  norms: []", 3, 'no part of the programme is called "norms"'),
        ("remove:\n  - indicators/MC-02.01", 3, 'no indicator is called "MC-02.01"'),
        ("sets: {}", 2, 'did you mean "set"?'),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_line(tried, text, line, said):
    with pytest.raises(WinayError) as error:
        tried(f"change: x\n{text}\n")
    assert f"change.yaml:{line}: " in str(error.value)
    assert said in str(error.value)


def test_what_still_asks_for_what_was_removed_is_told(tried):
    with pytest.raises(WinayError, match=r"packages\.yaml:\d+: no standard is called"):
        tried("change: x\nremove: standards/dni-60-fed2024\n")
