"""What arrived and what is owed: each source's deliveries by period, who owes them, by which day, and what is late."""

import datetime as dt
import re
from dataclasses import dataclass

from winay.core.periods import Month
from winay.programme.load import Programme
from winay.programme.sources import Source
from winay.workspace.folder import Workspace
from winay.workspace.ledger import Load


@dataclass(frozen=True)
class Arrival:
    """One period of one source. due: the last day it was owed; late: days after it, until it came or until today."""

    source: str
    owed_by: str | None
    period: Month
    due: dt.date
    loads: tuple[int, ...]
    known: dt.date | None
    late: int


def arrivals(ws: Workspace, programme: Programme, today: dt.date, months: int = 24) -> list[Arrival]:
    """Every period that a source owes, from its first delivery (at most `months` back) to the last one due by today."""
    loads = ws.ledger.loads()
    made = []
    for source in programme.sources.values():
        if source.every == "once" or source.by_day is None:
            continue
        came: dict[Month, list[Load]] = {}
        for load in loads:
            if load.source == source.source:
                came.setdefault(period(source, load), []).append(load)
        month = max(min(came), Month.of(today).before(months)) if came else Month.of(today).before(1)
        while (day := due(source, month)) <= today or month in came:
            mine = came.get(month, [])
            first = min((load.known for load in mine), default=None)
            late = max(0, ((first or today) - day).days)
            made.append(
                Arrival(source.source, source.owed_by, month, day, tuple(load.id for load in mine), first, late)
            )
            month = month.before(-1 if source.every == "month" else -12)
    return made


def period(source: Source, load: Load) -> Month:
    """The month (of a year: its last) that a delivery is about: as its name says, else the one before it was delivered."""
    pattern = re.escape(source.file).replace(r"\{year\}", r"(?P<year>\d{4})").replace(r"\{month\}", r"(?P<month>\d{2})")
    found = re.match(pattern.split(r"\.")[0], load.name)
    told = found.groupdict() if found else {}
    month = Month(int(told["year"]), int(told.get("month", 12))) if "year" in told else Month.of(load.known).before(1)
    return month if source.every == "month" else Month(month.year, 12)


def due(source: Source, month: Month) -> dt.date:
    """The last day on which the period is owed: `by_day` of the month after it, or its last day where it has fewer."""
    following = month.before(-1)
    return min(following.last, following.first + dt.timedelta(days=(source.by_day or 31) - 1))
