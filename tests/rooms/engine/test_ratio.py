"""A ratio divides counted records by those who have them: an illness again after 15 days or more is another episode."""

from datetime import date

from tests.cases import Case, population
from winay.engine.evaluate import evaluate
from winay.engine.figures import counted
from winay.engine.judging import Calendar
from winay.engine.tree import Tree
from winay.programme.locate import programme


def child(*days: str) -> Case:
    subject = {"kind": "child", "birth": "2024-03-01", "attributes": {"document": "DNI"}}
    records = [{"day": day, "code": "A09X", "type": "D"} for day in days]
    return Case("", "", {"subject": subject, "records": records})


def test_episodes_a_child() -> None:
    """Ten days later it is the same episode, thirty days later another; of the year before nothing counts."""
    peru, on = programme("pe-dit"), date(2026, 5, 31)
    cases = [child("2025-12-20", "2026-02-01", "2026-02-11", "2026-03-03"), child("2026-04-01"), child("2025-11-01")]
    people, records, around = population(peru, dict(enumerate(cases)))
    ((indicator, rows),) = evaluate(
        peru, people, records, around, on, indicators=[peru.indicators["MEF-4813@MEF2025"]], months=5
    )
    assert indicator.kind == "ratio"
    figures = counted(rows.append_column("all", rows["place"]), Calendar.back_from(on, 5), Tree({}), "all").to_pylist()
    told = {}
    for row in figures:
        before = told.get(row["month"], (0, 0))
        told[row["month"]] = before[0] + row["numerator"], before[1] + row["denominator"]
    assert told == {"2026-01": (0, 0), "2026-02": (1, 1), "2026-03": (2, 1), "2026-04": (3, 2), "2026-05": (3, 2)}
