"""The declared sources: who owes each, until when, what came, what is late."""

import re
from datetime import date
from typing import Any

from winay.actions.opening import promised
from winay.core.periods import Month
from winay.core.text import say
from winay.programme.sources import Source
from winay.workspace import Workspace

LOOK_BACK = 24
"""Months in which a file can be late."""


def sources(ws: Workspace, on: date) -> list[dict[str, Any]]:
    """One row a source: source, name, owed_by, every, by_day, file, loads, records, last, late, columns."""
    programme = promised(ws)
    result = []
    for name, source in programme.sources.items():
        loads = [load for load in ws.ledger.loads() if load.source == name]
        entity = programme.head.entities.get(source.owed_by or "")
        records = sum(load.counts.get("accepted", 0) for load in loads)
        row: dict[str, Any] = {
            "source": name,
            "name": str(source.name),
            "owed_by": str(entity.name) if entity else None,
        }
        row |= {
            "every": say(source.every),
            "by_day": source.by_day,
            "file": source.file,
            "loads": len(loads),
            "records": records,
        }
        row |= {
            "last": max((load.known for load in loads), default=None),
            "late": late(source, [load.name for load in loads], on),
        }
        row["columns"] = [column.name for column in source.columns]
        result.append(row)
    return result


def late(source: Source, names: list[str], on: date) -> list[str]:
    """The months owed by `on`, since the first that came, of which no file has come; a file's name tells its month."""
    if source.every != "month" or source.by_day is None:
        return []
    form = re.escape(source.file).replace(r"\{year\}", r"(?P<year>\d{4})").replace(r"\{month\}", r"(?P<month>\d{1,2})")
    told = [found for name in names if (found := re.match(form.removesuffix(r"\.csv"), name)) and found.groupdict()]
    came = {Month(int(m["year"]), int(m["month"])) for m in told if "month" in m.groupdict()}
    last = Month.of(on).before(1 if on.day > source.by_day else 2)
    owed = [last.before(n) for n in reversed(range(LOOK_BACK))]
    return [str(month) for month in owed if came and month > min(came) and month not in came]
