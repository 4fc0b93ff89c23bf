"""Another country is other data: its own files, person number, places, months and language, and not one line of Python."""

import json
from datetime import date

import pytest

from winay.cli.app import run

COUNTIES = """county;county_name;state;state_name;remote
C001;Lowmere;S1;Westreach;N
C002;Highmere;S1;Westreach;Y
C003;Saltby;S2;Eastreach;N
"""
ROLL = """health_no;name;born;sex;county
AA000001;Invented One;10/05/2025;g;C001
AA000002;Invented Two;10/05/2025;b;C001
AA000003;Invented Three;31/05/2025;g;C002
AA000004;Invented Four;02/05/2025;b;C003
"""
WHOLE = {0: ["BCG", "HEPB0"], 42: ["DTPHHI", "PCV13", "RV1"], 70: ["DTPHHI", "PCV13", "RV1"], 98: ["DTPHHI", "PCV13"]}


def doses() -> str:
    """The first child has everything; the second no measles; the third everything; the fourth nothing."""
    lines = ["health_no;given_on;clinic;vaccine"]
    for number, birth, measles in (
        ("AA000001", date(2025, 5, 10), "15/02/2026"),
        ("AA000002", date(2025, 5, 10), None),
        ("AA000003", date(2025, 5, 31), "01/03/2026"),
    ):
        for age, vaccines in WHOLE.items():
            day = date.fromordinal(birth.toordinal() + age).strftime("%d/%m/%Y")
            lines += [f"{number};{day};K1;{vaccine}" for vaccine in vaccines]
        lines += [f"{number};{measles};K1;MR"] if measles else []
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def sandara(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sandara")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WINAY_LANG", "en")
        patch.setenv("WINAY_KEY_FILE", str(folder / "key"))
        patch.chdir(folder)
        assert run(["init", "ws", "--programme", "sandara-vaccines"]) == 0
        for source, text in (("counties", COUNTIES), ("roll", ROLL), ("doses", doses())):
            (folder / f"{source}.csv").write_text(text)
            assert run(["load", source, f"{source}.csv", "--known-on", "2026-06-10", "-w", "ws"]) == 0
        assert run(["evaluate", "--on", "2026-05-31", "--known-on", "2026-06-10", "-w", "ws"]) == 0
    return folder


def answered(sandara, monkeypatch, capsys, *line: str):
    monkeypatch.chdir(sandara)
    monkeypatch.setenv("WINAY_KEY_FILE", str(sandara / "key"))
    monkeypatch.setenv("WINAY_LANG", "en")
    capsys.readouterr()
    assert run([*line, "-w", "ws", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_its_figures_come_by_its_own_levels(sandara, monkeypatch, capsys):
    """Four children reach their first birthday in May 2026; the one of 31 May on that day. Two of them completed."""
    rows = answered(sandara, monkeypatch, capsys, "figures", "FULL", "--by", "county", "--period", "2026-05")
    counted = {row["place"]: (row["numerator"], row["denominator"]) for row in rows}
    assert counted == {"C001": (1, 2), "C002": (1, 1), "C003": (0, 1)}
    (nation,) = answered(sandara, monkeypatch, capsys, "figures", "FULL", "--by", "nation", "--period", "2026-05")
    assert (nation["numerator"], nation["denominator"]) == (2, 4)


def test_its_people_are_told_by_its_own_number(sandara, monkeypatch, capsys):
    line = ("subjects", "FULL", "--period", "2026-05", "--verdict", "missing", "--identities")
    rows = answered(sandara, monkeypatch, capsys, *line)
    assert {row["document"]: row["components"]["measles-1"] for row in rows} == {
        "AA000002": "missing",
        "AA000004": "missing",
    }
