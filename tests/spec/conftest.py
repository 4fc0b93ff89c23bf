"""A spec: a standard as written, one subject's records, a day, and the table expected of every judge."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from tests.reference.evaluator import Row, evaluate
from winay.core.ages import days_of
from winay.engine.hands import statuses
from winay.engine.plan import compile
from winay.programme.schedule import Schedule, schedule
from winay.programme.standards import Standard
from winay.programme.yaml_text import read, validate

FIRST, LAST = days_of(date(2010, 1, 1)), days_of(date(2030, 12, 31))
Records = dict[str, list[date]]


@pytest.fixture(params=["reference", "engine"])
def spec(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., None]:
    """spec(standard=YAML, born=day, records="day day" or {service: "day day"}, on=day, expect=table).

    The table names its columns in its first line, cells apart by `|`; an empty cell is null. Standards that name no
    service count `visit`.
    """
    judge = {"reference": by_reference, "engine": by_engine}[request.param]

    def check(*, standard: str, born: str, records: str | dict[str, str] = "", on: str, expect: str) -> None:
        file = tmp_path / "standard.yaml"
        file.write_text("standard: spec\nservice: visit\n" + dedent(standard), "utf-8")
        owed = schedule(validate(Standard, read(file), file))
        days = {"visit": records} if isinstance(records, str) else records
        told = judge(
            owed, date.fromisoformat(born), {s: list(map(date.fromisoformat, d.split())) for s, d in days.items()}, on
        )
        header, *rows = [[cell.strip() for cell in line.split("|")] for line in dedent(expect).strip().splitlines()]
        shown = [[str(getattr(row, {"from": "from_"}.get(name, name)) or "") for name in header] for row in told]
        assert shown == rows

    return check


def by_reference(owed: Schedule, born: date, records: Records, on: str) -> list[Row]:
    return evaluate(owed, born, records, date.fromisoformat(on), end=born)


def by_engine(owed: Schedule, born: date, records: Records, on: str) -> list[Row]:
    numbers = {service: number for number, service in enumerate(sorted({*owed.services, *records}))}
    plan = compile([owed], numbers, FIRST, LAST)
    flat = np.array(sorted((numbers[s], days_of(d)) for s in records for d in records[s]), np.int32).reshape(-1, 2)
    births, offsets = np.array([days_of(born)], np.int32), np.array([0, len(flat)])
    services, days = flat[:, 0].astype(np.int16), np.ascontiguousarray(flat[:, 1])
    anchors = np.full((1, len(plan.tracks)), births[0], np.int32)
    day = np.array([days_of(date.fromisoformat(on))], np.int32)
    rows = statuses(plan, births, anchors, offsets, services, days, day).to_pylist()
    hands = ("valid", "from", "due", "by", "until")
    return [Row(row["delivery"], row["received"], row["status"], *(row[hand] for hand in hands)) for row in rows]
