"""What looks like a slip is remarked on at its line, and is no error."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from winay.programme.load import load
from winay.programme.remarks import remarks

WHOLE = Path(__file__).parents[2] / "generated" / "whole"
ON = date(2026, 1, 1)
STANDARD = (
    "- { standard: X, rules: R1, product: P1, service: c, legal: { confidence: proposed }, deliveries: [ %s ] }\n"
)
ADDED = {
    "two days running": ("standards.yaml", STANDARD % "{ by: 60d }, { from: 50d, by: 90d }", "1 to 2 overlap"),
    "a slip of a day": ("standards.yaml", STANDARD % "{ by: 59d }, { from: 61d, by: 90d }", "1 days lie between"),
    "a line left out": (
        "standards.yaml",
        STANDARD % "{ by: 29d }, { from: 30d, by: 59d }, { from: 90d, by: 119d }",
        "30 days lie between deliveries 2 and 3",
    ),
    "closed before it opens": ("standards.yaml", STANDARD % "{ from: 60d, until: 30d }", "`from` (60d) comes after"),
    "clocks that never meet": (
        "standards.yaml",
        STANDARD % "{ from: 60d, by: 90d }, { by: 100d, gaps: [ { since: 1, from: 41d } ] }",
        "no record can ever be delivery 2",
    ),
    "a chain too short": (
        "standards.yaml",
        STANDARD.replace("service: c", "service: c, match: chain")
        % "{ from: 60d, by: 90d }, { from: 121d, by: 130d, gaps: [ { until: 30d } ] }",
        "no record can ever be delivery 2",
    ),
    "an unknown code": ("services.yaml", "  x: { code: A12 }\n", 'writes the code "A12"'),
    "an unknown type": ("services.yaml", "  x: { code: A1, type: Q }\n", 'writes the type "Q"'),
    "a service nothing uses": ("services.yaml", "  x: { code: A1 }\n", 'no rule uses "x"'),
    "an event nothing uses": ("events.yaml", "  x: { service: a }\n", 'no rule uses "x"'),
    "a sheet nothing computes": (
        "sheets.yaml",
        "- { sheet: I2, year: 2025, name: T, scope: result, result: R, kind: computed, state: awaiting, source: X,"
        ' reach: country, unit: "%", why: W, needs: N }\n',
        "name one of: I2@R1",
    ),
}
MEANT = (
    "{ by: 59d }, { from: 60d, by: 90d }",  # they touch
    "{ by: 60d }, { from: 50d, by: 90d, gap: 1d }",  # they overlap, and say how
    "{ by: 30d }, { from: 60d, by: 90d }",  # far apart, and no row
    "{ from: 1m, until: 30d }",  # reached in February
)


def told(folder: Path, on: date = ON) -> list[str]:
    return [remark.told() for remark in remarks(load(folder), on)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("WINAY_LANG", "en")
    return Path(shutil.copytree(WHOLE, tmp_path / "whole"))


def test_nothing_to_remark(folder):
    assert told(folder) == []


@pytest.mark.parametrize("case", ADDED)
def test_a_slip(folder, case):
    name, text, said = ADDED[case]
    lines = len((folder / name).read_text().splitlines())
    with (folder / name).open("a") as file:
        file.write(text)
    assert any(f"{name}:{lines + 1}: " in remark and said in remark for remark in told(folder)), told(folder)


@pytest.mark.parametrize("deliveries", MEANT)
def test_no_slip(folder, deliveries):
    with (folder / "standards.yaml").open("a") as file:
        file.write(STANDARD % deliveries)
    assert told(folder) == []


def test_one_record_for_two_services(folder):
    with (folder / "services.yaml").open("a") as file:
        file.write("  x: { code: [A1] }\n  y: { code: [A2, A1] }\n  z: { code: [A1], lab: '1' }\n")
    with (folder / "standards.yaml").open("a") as file:
        file.write(STANDARD.replace("service: c,", "") % "{ service: x }, { service: y }, { service: z }")
    assert [remark.splitlines()[0].partition(": ")[2] for remark in told(folder)] == [
        'one record with the code "A1" proves each of: x, y'
    ]


def test_rules_past_their_date(folder):
    """On the last day they hold; the day after, the headline and the last indicator of a product are told."""
    assert told(folder, date(2030, 12, 31)) == []
    assert told(folder, date(2031, 1, 1)) == []  # I1 has days of its own, and none ends it
    text = (folder / "indicators.yaml").read_text().replace("  in_force: { since: 2024-01-01 }\n", "")
    (folder / "indicators.yaml").write_text(text)
    assert len([remark for remark in told(folder, date(2031, 1, 1)) if "have ended" in remark]) == 3
