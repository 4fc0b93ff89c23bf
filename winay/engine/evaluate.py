"""One pass for everything: every standard, package, indicator, place level and month (design 6)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from winay.core.ages import Age, day_of, days_of
from winay.core.periods import Month
from winay.engine.figures import counted, rolled_up
from winay.engine.judging import Calendar, JudgingDay, lookback
from winay.engine.plan import NO_DAY
from winay.engine.state import Judge, States, Units, anchors_of, plan_for, state
from winay.engine.tree import Tree
from winay.engine.verdicts import Surroundings, judging, verdicts, wanted_folds, wide
from winay.programme.indicators import Indicator
from winay.programme.load import Programme


@dataclass(frozen=True)
class Task:
    """The indicators that judge one kind of subject on one kind of day: they share a wide table."""

    kind: str
    judged: JudgingDay
    indicators: tuple[Indicator, ...]

    @property
    def name(self) -> str:
        return f"{self.kind}_{self.judged.name}"


def tasks(indicators: Sequence[Indicator]) -> list[Task]:
    kinds = dict.fromkeys(indicator.subject for indicator in indicators)
    return [
        Task(kind, judged, tuple(group))
        for kind in kinds
        for judged, group in judging([i for i in indicators if i.subject == kind]).items()
    ]


def evaluate(
    con: Any,
    programme: Programme,
    subjects: pa.Table,
    services: pa.Table,
    around: Surroundings,
    on: date,
    *,
    indicators: Sequence[Indicator] | None = None,
    months: int = 24,
    on_block: Callable[[int], None] | None = None,
    states: States = state,
) -> Iterator[tuple[Indicator, Any]]:
    """For each indicator its verdicts, one row a subject and place, as an Ibis table of `con` (see verdicts.verdicts).

    subjects, services: as of records.as_of.Known. on: the judging day; its month is provisional unless it has ended.
    states: what computes the masks of the units; everything after that is one expression a verdict, run by `con`.
    """
    calendar = Calendar.back_from(on, months)
    wanted = list(indicators if indicators is not None else programme.indicators.values())
    for kind in dict.fromkeys(i.subject for i in wanted):
        mine = [task for task in tasks(wanted) if task.kind == kind]
        units = Units.of(kind, subjects, services)
        plan = plan_for(programme, units, days_of(on))
        judges = {t.judged: Judge(plan, calendar, t.judged, programme.head.month_end) for t in mine}
        folds = {t.judged: wanted_folds(programme, t.indicators) for t in mine}
        masks = states(units, plan, judges, folds, on_block)
        for task in mine:
            for place in dict.fromkeys(i.place for i in task.indicators):
                name = f"{task.name}_{place.replace(':', '_')}"
                table = wide(con, programme, units, masks[task.judged], around, judges[task.judged], place, name)
                table = table.cache() if hasattr(table, "cache") else table
                for indicator in task.indicators:
                    if indicator.place == place:
                        label = f"{name}_{indicator.key}".replace("@", "_").replace(".", "_").replace("-", "_")
                        yield indicator, verdicts(con, programme, indicator, table, judges[task.judged], label)


def figures(indicator: Indicator, rows: Any, calendar: Calendar, tree: Tree, keys: Sequence[str] = ()) -> pa.Table:
    """The figures of one indicator at every level, from its verdicts."""
    table = rolled_up(counted(rows, calendar, keys), calendar, tree, keys)
    size = len(table)
    provisional = {str(month): calendar.provisional(month) for month in calendar.months}
    table = table.append_column(
        "provisional", pa.array([provisional[m] for m in table["month"].to_pylist()], pa.bool_())
    )
    table = table.add_column(0, "indicator", pa.array([indicator.indicator] * size, pa.string()))
    return table.add_column(1, "rules", pa.array([indicator.rules] * size, pa.string()))


def with_history(
    rows: pa.Table, programme: Programme, indicator: Indicator, known: Any, calendar: Calendar
) -> pa.Table:
    """Adds `history`: `partial` where a figure reads records from before the months without a gap in what was loaded."""
    covered = covered_from(known.reported, calendar.on)
    longest = 0
    if indicator.kind == "episode":
        units = Units.of(indicator.subject, known.subjects, known.services.slice(0, 0))
        plan = plan_for(programme, units, days_of(calendar.on))
        anchors = anchors_of(plan, units)
        longest = int(np.where(anchors == NO_DAY, 0, units.births[:, None] - anchors).max(initial=0))
    age = lookback(indicator, longest)
    back = Age(-age.months, -age.days)
    told = {}
    for month, day in zip(calendar.months, calendar.days, strict=True):
        reads_from = back.after(day_of(day), programme.head.month_end)
        told[str(month)] = "complete" if covered and covered <= reads_from else "partial"
    return rows.append_column("history", pa.array([told[m] for m in rows["month"].to_pylist()], pa.string()))


def covered_from(reported: pa.Table, on: date) -> date | None:
    """The first day of the unbroken run of months with records that ends with the month of `on`, or the one before."""
    months = {Month.of(day) for day in reported["month"].to_pylist()}
    month = Month.of(on) if Month.of(on) in months else Month.of(on).before(1)
    if month not in months:
        return None
    while month.before(1) in months:
        month = month.before(1)
    return month.first
