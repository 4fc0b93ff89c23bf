"""A broken programme is told at once, each problem at its file and line, in the reader's language."""

import pytest

from winay.core.problems import WinayError
from winay.programme.load import load

FILES = {
    "programme.yaml": """
programme: small
name: { es: Pequeño, en: Small }
levels: [country]
subjects: { child: { name: { es: niña, en: child } } }
attributes: { weight: { type: decimal }, altitude: { type: decimal, of: place } }
rules: { R1: { name: R1, in_force: { since: 2024-01-01 } } }
entities: { E1: { name: E1 } }
""",
    "services.yaml": """
bcg: { code: 90585 }
again: { is: bcg }
""",
    "standards.yaml": """
- standard: bcg
  rules: R1
  service: bcg
  legal: { confidence: proposed }
  deliveries: [ { by: 1m }, { from: 2m, gaps: [ { since: 1, from: 4w } ] } ]
- standard: later
  service: bcg
  legal: { confidence: proposed }
  deliveries: [ { from: 1m, gaps: [ { since: bcg/2, from: 1d } ] } ]
""",
    "indicators.yaml": """
- indicator: I
  rules: R1
  name: I
  kind: milestone
  age: 12m
  who: { attribute: weight, below: 2500, missing: out }
  met: { received: bcg/1 }
  legal: { sheet: S, confidence: official }
""",
    "products.yaml": "- { product: P, name: P, entity: E1, leads_to: { to: R, strength: proposed } }\n",
    "results.yaml": """
- { result: F, level: final, name: F, open: nobody measures it, legal: { confidence: proposed } }
- result: R
  level: immediate
  name: R
  indicators: [ S, I ]
  leads_to: { to: F, strength: weak, legal: { study: X, confidence: third-party } }
  legal: { confidence: proposed }
""",
    "sheets.yaml": """
- { sheet: S, year: 2025, name: S, scope: result, result: R, kind: computed, state: computed, indicator: I@R1,
    source: X, reach: country, unit: "%" }
- { sheet: S, year: 2024, name: S, scope: result, result: R, kind: survey, state: awaiting,
    source: X, reach: country, unit: "%", why: W, needs: N }
""",
    "sources.yaml": """
source: births
name: B
file: b.csv
purpose: B
owed_by: E1
legal: { confidence: proposed }
retention: 5y
columns: [ id, { name: kind, values: { 1: a } } ]
key: [ id ]
writes: [ { table: people, row: { person: { identifier_from: kind, of: id } } } ]
""",
}
BROKEN = {
    "a service": (
        "standards.yaml",
        "service: bcg\n  legal",
        "service: bcgg\n  legal",
        "standards.yaml:2",
        '"bcgg"',
        '"bcg"',
    ),
    "a rule version": ("indicators.yaml", "rules: R1", "rules: R2", "indicators.yaml:2", '"R2"', "versión"),
    "a delivery": ("indicators.yaml", "bcg/1", "bcg/3", "indicators.yaml:8", "entregas de 1 a 2"),
    "another's delivery": ("standards.yaml", "bcg/2", "bcg/9", "standards.yaml:10", "entregas de 1 a 2"),
    "an attribute": (
        "indicators.yaml",
        "attribute: weight",
        "attribute: place.weight",
        "indicators.yaml:7",
        '"weight"',
    ),
    "an entity": ("products.yaml", "E1", "E2", "products.yaml:1", '"E2"'),
    "who owes a file": ("sources.yaml", "owed_by: E1", "owed_by: E3", "sources.yaml:2", '"E3"'),
    "a column": ("sources.yaml", "of: id", "of: idd", "sources.yaml:11", '"idd"', '"id"'),
    "a kind left open": ("sources.yaml", ", values: { 1: a }", "", "sources.yaml:2", '"kind"', "`values`"),
    "a result": ("products.yaml", "to: R,", "to: RR,", "products.yaml:1", '"RR"', '"R"'),
    "a measure": ("results.yaml", "[ S, I ]", "[ S, J ]", "results.yaml:3", '"J"', "ficha o indicador"),
    "a sheet's product": ("sheets.yaml", "result: R, kind: s", "product: Q, kind: s", "sheets.yaml:4", '"Q"'),
    "a sheet's indicator": ("sheets.yaml", "I@R1", "I@R2", "sheets.yaml:2", '"I@R1"'),
    "a computed sheet": ("sheets.yaml", "indicator: I@R1,", "", "sheets.yaml:2", "`indicator`"),
    "a sheet that waits": ("sheets.yaml", ", needs: N", "", "sheets.yaml:4", "`needs`"),
    "no evidence": ("results.yaml", ", legal: { study: X, confidence: third-party }", "", "results.yaml:7", "estudio"),
    "no measure": ("results.yaml", "  indicators: [ S, I ]\n", "", "results.yaml:3", "`open`"),
    "no end": ("results.yaml", "level: final", "level: specific", "results.yaml:2", "`leads_to`"),
    "nothing below": ("results.yaml", "level: immediate", "level: final", "results.yaml:3", "`leads_to`"),
    "no product": (
        "products.yaml",
        ", leads_to: { to: R, strength: proposed }",
        "",
        "results.yaml:3",
        'al resultado "R"',
    ),
    "an idle indicator": (
        "indicators.yaml",
        "- indicator: I\n",
        "- { indicator: K, rules: R1, name: K, kind: milestone, age: 1m, met: { received: bcg },\n"
        "    legal: { sheet: S, confidence: official } }\n- indicator: I\n",
        "indicators.yaml:2",
        '"K@R1"',
    ),
    "a circle of results": (
        "results.yaml",
        "to: F,",
        "to: R,",
        "results.yaml:3",
        "R -> R",
    ),
    "a circle": ("services.yaml", "code: 90585", "is: again", "services.yaml:2", "bcg -> again -> bcg"),
    "a circle of standards": (
        "standards.yaml",
        "since: 1, ",
        "since: later/1, ",
        "standards.yaml:2",
        "bcg -> later -> bcg",
    ),
    "no basis": (
        "standards.yaml",
        "  legal: { confidence: proposed }\n  deliveries: [ { f",
        "  deliveries: [ { f",
        "later",
        "legal",
    ),
    "defined twice": ("standards.yaml", "standard: later", "standard: bcg", "standards.yaml:7", "dos veces"),
    "an age": ("indicators.yaml", "age: 12m", "age: 12x", "indicators.yaml:2", "no es una edad"),
    "a choice": ("indicators.yaml", "missing: out", "missing: maybe", "indicators.yaml:7", "'in', 'out'"),
    "a list as a key": ("services.yaml", "bcg: {", "? [a, b]\n: {", "services.yaml:2", "una clave"),
    "a key nobody knows": ("services.yaml", "code:", "coode:", "services.yaml:2", '"coode"', '"code"'),
}


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_it_loads(folder):
    assert [*load(folder).indicators] == ["I@R1"]


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_wrong_and_where(folder, case, monkeypatch):
    monkeypatch.setenv("WINAY_LANG", "es")
    name, right, wrong, *said = BROKEN[case]
    text = (folder / name).read_text()
    assert text.count(right) == 1 or case in ("a service", "no basis")
    (folder / name).write_text(text.replace(right, wrong, 1))
    with pytest.raises(WinayError) as error:
        load(folder)
    assert [words for words in said if words not in str(error.value)] == [], str(error.value)


def test_all_at_once(folder):
    (folder / "services.yaml").write_text("bcg: { coode: 1 }\nother: { is: 7, lab: { a: b } }\n")
    (folder / "products.yaml").write_text("- { name: P }\n")
    with pytest.raises(WinayError) as error:
        load(folder)
    assert {str(problem.at.file).rpartition("/")[2] for problem in error.value.problems} == {
        "services.yaml",
        "products.yaml",
    }
    assert len(error.value.problems) >= 3
