"""`winay try`: the contract that scripts rely on, and the kernel's answer equal to the reference evaluator's."""

import json
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.reference.evaluator import evaluate
from winay.actions.try_standard import try_standard
from winay.programme.schedule import schedule
from winay.programme.standards import Standard
from winay.programme.yaml_text import read, validate

MEASLES = """
month_end: next
grace: 4d
standards:
  - standard: measles
    service: measles
    catch_up: true
    in_sequence: true
    deliveries:
      - { from: 12m, by: 16m - 1d }
      - { valid: 13m - 4d, from: 4y, by: 7y - 1d, gap: 4w, not_owed_when: { age: ">= 7y" } }
"""
TREATMENT = """
- standard: controls
  anchor: { delivery: treatment/1 }
  service: test
  who: { any_of: [ { attribute: weight, below: 2500, missing: out }, { attribute: sex, is: F, missing: in } ] }
  deliveries:
    - { from: 25d, by: 59d, gaps: [ { since: treatment/2, from: 1d } ] }
    - { from: 55d, until: end, gap: 25d }
- standard: treatment
  service: iron
  deliveries: [ { by: 100d }, { from: 30d } ]
"""


def tried(tmp_path, standard, subjects, records, on, **files):
    (tmp_path / "s.yaml").write_text(standard)
    (tmp_path / "S.csv").write_text(subjects)
    (tmp_path / "R.csv").write_text(records)
    return try_standard(tmp_path / "s.yaml", tmp_path / "S.csv", tmp_path / "R.csv", date.fromisoformat(on), "pe-dit")


def test_keys_and_dates(winay):
    """One object a subject and delivery, in the order of S.csv; dates are ISO or null."""
    status, out, _ = winay(
        "try", "penta.yaml", "--subjects", "S.csv", "--records", "R.csv", "--on", "2026-05-31", "--json"
    )
    rows = json.loads(out)
    assert (status, [(row["subject"], row["delivery"]) for row in rows]) == (
        0,
        [("a", 1), ("a", 2), ("b", 1), ("b", 2)],
    )
    assert rows[0] == {
        "subject": "a", "delivery": 1, "received": "2026-03-05", "status": "on_time", "valid": "2026-02-25",
        "from": "2026-02-25", "due": "2026-02-25", "by": "2026-04-30", "until": "2026-04-30",
    }  # fmt: skip
    assert (rows[3]["status"], rows[3]["received"], rows[3]["from"]) == ("due", None, "2026-04-29")


def test_month_end_and_grace_of_the_file(tmp_path):
    """Born on 29 February: twelve months end on 1 March; four days of grace before; who is exempt, not owed, in sequence."""
    rows = tried(tmp_path, MEASLES, "subject;anchor\nx;2024-02-29\n", "subject;date\nx;2025-02-25\n", "2025-06-30")
    assert [(r["received"], r["status"], r["from"]) for r in rows] == [
        (date(2025, 2, 25), "on_time", date(2025, 3, 1)),
        (None, "not_due", date(2028, 2, 29)),
    ]


def test_others_are_evaluated_where_the_first_refers_to_them(tmp_path):
    """Anchored at another standard's delivery; two rows of a subject are episodes; `who` reads the attributes."""
    subjects = "subject,anchor,end,weight,sex\nx,2025-01-01,2025-06-01,2400,M\nx,2025-03-01,,,F\ny,2025-01-01,,3000,M\n"
    iron, test = ["x,2025-01-10", "x,2025-03-02", "x,2025-04-15"], ["x,2025-03-20", "x,2025-05-10", "y,2025-01-05"]
    records = "\n".join(["subject,date,code", *(f"{line},iron" for line in iron), *(f"{line},test" for line in test)])
    rows = tried(tmp_path, TREATMENT, subjects, records, "2025-07-01")
    assert [(r["subject"], r["status"], r["received"], r["valid"], r["until"]) for r in rows] == [
        ("x", "missed", None, date(2025, 3, 3), date(2025, 3, 10)),  # anchored on 10 January, a day after 2 March
        ("x", "on_time", date(2025, 3, 20), date(2025, 3, 6), date(2025, 6, 1)),
        ("x", "missed", None, date(2025, 4, 16), date(2025, 4, 30)),
        ("x", "on_time", date(2025, 5, 10), date(2025, 4, 26), None),
        ("y", "exempt", None, None, None),
        ("y", "exempt", None, None, None),
    ]


def test_a_code_proves_what_a_lone_item_would(tmp_path):
    """The default programme's services by their codes: a matcher that wants something beside it is not satisfied."""
    standard = "- { standard: h, service: hierro-tratamiento-inicio, deliveries: [ { by: 30d } ] }"
    rows = tried(
        tmp_path, standard, "subject,anchor\nx,2026-01-01\n", "subject,date,code\nx,2026-01-05,99199.17\n", "2026-02-01"
    )
    assert rows[0]["received"] is None
    standard = "- { standard: h, service: hierro-inicio, deliveries: [ { by: 30d } ] }"
    rows = tried(
        tmp_path, standard, "subject,anchor\nx,2026-01-01\n", "subject,date,code\nx,2026-01-05,99199.17\n", "2026-02-01"
    )
    assert rows[0]["received"] == date(2026, 1, 5)


OK = "- { standard: a, service: s, deliveries: [ { by: 2m } ] }"
WHO = "- { standard: a, service: s, who: { %s }, deliveries: [ { by: 2m } ] }"
ONE, NONE = "subject,anchor\nx,2026-01-01\n", "subject,date\n"
BAD = {
    "a key nobody knows": (OK.replace("by", "untill"), ONE, NONE, ["s.yaml:1", '"untill"', '"until"']),
    "a standard nobody wrote": (OK.replace("by: 2m", "gaps: [ { since: b/1 } ]"), ONE, NONE, ["s.yaml:1", '"b"']),
    "an empty file": ("", ONE, NONE, ["s.yaml", "ningún esquema"]),
    "no YAML": ("a: [", ONE, NONE, ["s.yaml:", "YAML"]),
    "what `try` cannot ask": (WHO % "event: e", ONE, NONE, ["s.yaml:1", "solo atributos"]),
    "no anchor": (OK, "subject,birth\nx,2026-01-01\n", NONE, ["bad-S.csv:1", "anchor", "subject, birth"]),
    "days of two files": (
        OK,
        "subject,anchor\nx,31/12/2025\n",
        "subject,date\nx,2026-02-30\nz,2026-01-01\n",
        ["bad-S.csv:2 [anchor]", "31/12/2025", "bad-R.csv:2 [date]", "bad-R.csv:3 [subject]"],
    ),
    "a cell too few": (OK, "subject,anchor\nx\n", NONE, ["bad-S.csv:2", "tantas celdas"]),
    "an open quote": (OK, 'subject,anchor\n"x,2026-01-01\n', NONE, ["bad-S.csv", "CSV"]),
    "a century": (OK, "subject,anchor\nx,1926-01-01\n", NONE, ["bad-S.csv", "demasiado lejos"]),
    "no number": (
        WHO % "attribute: w, below: 2500, missing: out",
        "subject,anchor,w\nx,2026-01-01,2.500 g\n",
        NONE,
        ["bad-S.csv:2 [w]", "2.500 g"],
    ),
}


@pytest.mark.parametrize(("standard", "subjects", "records", "told"), BAD.values(), ids=BAD)
def test_bad_files_are_told_by_line(winay, shelf, standard, subjects, records, told):
    """Where, what was found, what was expected; status 1; nothing on stdout."""
    for name, text in (("s.yaml", standard), ("bad-S.csv", subjects), ("bad-R.csv", records)):
        (shelf / name).write_text(text)
    status, out, err = winay("try", "s.yaml", "--subjects", "bad-S.csv", "--records", "bad-R.csv", "--on", "2026-03-01")
    assert (status, out) == (1, "")
    for part in told:
        assert part in err


STANDARDS = [
    "deliveries: [ { from: 2m, by: 4m }, { from: 4m, by: 6m, gap: 4w }, { by: 1y, until: 18m } ] }",
    "match: chain, deliveries: [ { from: 55d, by: 119d }, { by: 147d, until: 189d, gaps: [ { from: 28d, until: 70d } ] } ] }",
    "in_sequence: true, grace: 4d, deliveries: [ { from: 1m, by: 2m }, { by: 5m, gaps: [ { since: 1, from: 40d } ] }, {} ] }",
    "catch_up: true, deliveries: [ { from: 3m, by: 4m }, { from: 9m, by: 1y, not_owed_when: { received: 1, since: 6m } } ] }",
]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(STANDARDS), st.lists(st.integers(0, 500), max_size=6), st.integers(0, 600))
def test_equals_the_reference(tmp_path, standard, ages, on):
    anchor, day = date(2024, 1, 31), date.fromordinal(date(2024, 1, 31).toordinal() + on)
    days = [date.fromordinal(anchor.toordinal() + age) for age in ages]
    found = tried(
        tmp_path,
        "- { standard: a, service: s, " + standard,
        f"subject,anchor\nx,{anchor}\n",
        "subject,date\n" + "".join(f"x,{d}\n" for d in days),
        str(day),
    )
    meant = schedule(validate(Standard, read(tmp_path / "s.yaml")[0], "s.yaml"))
    expected = evaluate(meant, anchor, {"s": days}, day)
    assert [tuple(row.values())[1:] for row in found] == [
        (r.delivery, r.received, r.status, r.valid, r.from_, r.due, r.by, r.until) for r in expected
    ]
