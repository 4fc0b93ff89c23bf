"""One pass for everything: every standard, package, indicator and month (design 6)."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any

import pyarrow as pa

from winay.core.ages import days_of
from winay.engine.conditions import Asked
from winay.engine.fold import Fold, Judge
from winay.engine.judging import Calendar, JudgingDay, judging_day
from winay.engine.masks import cohort
from winay.engine.plan import Plan
from winay.engine.spread import masks_of
from winay.engine.stories import routes_fit
from winay.engine.units import Units, plan_for
from winay.engine.verdicts import Surroundings, asked_by, chosen, judged, nobody, wide
from winay.programme.criteria import Criterion
from winay.programme.indicators import Indicator
from winay.programme.load import Programme


def evaluate(
    programme: Programme,
    subjects: pa.Table,
    services: pa.Table,
    around: Surroundings,
    on: date,
    *,
    indicators: Sequence[Indicator] | None = None,
    months: int = 24,
    con: Any = None,
    on_block: Callable[[int], None] | None = None,
) -> Iterator[tuple[Indicator, pa.Table]]:
    """For each indicator its verdicts, one row a subject and place, in order (columns: verdicts.judged).

    subjects, services: as of records.as_of.Known. on: the judging day; its month is provisional unless it has ended.
    con: Spark (workspace.spark), whose processes then judge; without it blocks are judged side by side on all cores.
    """
    calendar = Calendar.back_from(on, months)
    wanted = list(programme.indicators.values() if indicators is None else indicators)
    for kind in dict.fromkeys(i.subject for i in wanted):
        units = Units.of(kind, subjects, services)
        if programme.head.subjects[kind].episodes:
            units = replace(units, chosen=chosen(units, calendar))
        plan, mine = plan_for(programme, units, days_of(on)), [i for i in wanted if i.subject == kind]
        work = partial(_verdicts, programme, plan, around, calendar, mine, con)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            parts = []
            for block, found in pool.map(work, [units] if con else units.blocks()):
                parts.append(found)
                if on_block:
                    on_block(block)
        for indicator in mine:
            some = [part[indicator.key] for part in parts if indicator.key in part]
            yield indicator, pa.concat_tables(some or [nobody(programme, indicator, units)])


@dataclass(frozen=True)
class _Task:
    """Indicators that judge on one day and count in one place, and what they ask."""

    judge: Judge
    place: str
    indicators: list[Indicator]
    asked: dict[Asked, Criterion]


def _tasks(programme: Programme, plan: Plan, calendar: Calendar, indicators: Sequence[Indicator]) -> list[_Task]:
    groups: dict[tuple[JudgingDay, str], list[Indicator]] = {}
    for indicator in indicators:
        groups.setdefault((judging_day(indicator), indicator.place), []).append(indicator)
    tasks = []
    for (day, place), mine in groups.items():
        asked = asked_by(programme, tuple(i.key for i in mine))
        folds = [name for name in asked if isinstance(name, Fold)]
        tasks.append(_Task(Judge(plan, calendar, day, programme.head.month_end, folds), place, mine, asked))
    return tasks


def _concerns(indicator: Indicator, programme: Programme, units: Units, calendar: Calendar) -> bool:
    """Whether somebody of a block is ever in its cohort, by age or episode alone."""
    births, month_end = units.birthdays, programme.head.month_end
    when = judging_day(indicator).when(births, calendar, month_end)
    return bool(cohort(indicator, births, calendar, when, month_end).any())


def _verdicts(
    programme: Programme,
    plan: Plan,
    around: Surroundings,
    calendar: Calendar,
    indicators: Sequence[Indicator],
    con: Any,
    units: Units,
) -> tuple[int, dict[str, pa.Table]]:
    """(how many subjects, the verdicts by the key of each indicator in whose cohort some of them are) of a block."""
    tasks = _tasks(programme, plan, calendar, [i for i in indicators if _concerns(i, programme, units, calendar)])
    if not tasks:
        return len(units), {}
    units = replace(units, fits=routes_fit(programme, plan, units, around, calendar.on))
    found: dict[str, pa.Table] = {}
    received = masks_of(con)(units, plan, [task.judge for task in tasks])
    for task, folds in zip(tasks, received, strict=True):
        rows = wide(programme, units, folds, around, task.judge, task.place, task.asked, task.indicators)
        found |= {i.key: judged(programme, i, rows, calendar.all, con) for i in task.indicators}
    return len(units), found
