"""The declared sources: who owes each, until when, what came, what is late."""

import re
from datetime import date
from typing import Any

from winay.actions.opening import promised
from winay.core.periods import Month, months_back
from winay.workspace import Workspace


def sources(ws: Workspace, on: date) -> list[dict[str, Any]]:
    """One row a source: source, name, owed_by, every, by_day, file, loads, records, last, late, columns."""
    programme, done = promised(ws), ws.ledger.loads()
    result = []
    for name, source in programme.sources.items():
        loads = [load for load in done if load.source == name]
        entity = programme.head.entities.get(source.owed_by or "")
        row: dict[str, Any] = {
            "source": name,
            "name": str(source.name),
            "owed_by": str(entity.name) if entity else None,
        }
        row |= {"every": source.every, "by_day": source.by_day, "file": source.file, "loads": len(loads)}
        row["records"] = sum(load.counts.get("accepted", 0) for load in loads)
        row["last"] = max((load.known for load in loads), default=None)
        monthly = source.every == "month" and source.by_day
        row["late"] = late(source.file, source.by_day or 0, [load.name for load in loads], on) if monthly else []
        result.append(row | {"columns": [column.name for column in source.columns]})
    return result


def late(file: str, by_day: int, names: list[str], on: date) -> list[str]:
    """The months owed by `on`, since the first that came, of which no file came; a file's name tells its month."""
    form = (
        re.escape(file.rsplit(".", 1)[0])
        .replace(r"\{year\}", r"(?P<year>\d{4})")
        .replace(r"\{month\}", r"(?P<month>\d\d?)")
    )
    told = [found.groupdict() for name in names if (found := re.match(form, name))]
    came = {Month(int(month["year"]), int(month["month"])) for month in told if "month" in month}
    owed = months_back(Month.of(on).before(1 if on.day > by_day else 2).first)
    return [str(month) for month in owed if came and min(came) < month and month not in came]
