"""One pass for everything: every standard, package, indicator, place level and month (design 6)."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from winay.core.ages import Age, day_of, days_of
from winay.core.periods import Month
from winay.engine.figures import counted, rolled_up
from winay.engine.judging import Calendar, JudgingDay, lookback
from winay.engine.plan import NO_DAY
from winay.engine.spread import states_of
from winay.engine.state import Judge, Units, anchors_of, plan_for
from winay.engine.stories import routes_fit
from winay.engine.tree import Tree
from winay.engine.verdicts import Surroundings, judging, lay_out, verdicts, wanted_folds, wide
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
) -> Iterator[tuple[Indicator, pa.Table]]:
    """For each indicator its verdicts, one row a subject and place, in order (columns: verdicts.verdicts).

    subjects, services: as of records.as_of.Known. on: the judging day; its month is provisional unless it has ended.
    """
    calendar = Calendar.back_from(on, months)
    wanted = list(indicators if indicators is not None else programme.indicators.values())
    for kind in dict.fromkeys(i.subject for i in wanted):
        mine = [task for task in tasks(wanted) if task.kind == kind]
        units = Units.of(kind, subjects, services)
        plan = plan_for(programme, units, days_of(on))
        units = replace(units, fits=routes_fit(con, programme, units, around, on))
        judges = {t.judged: Judge(plan, calendar, t.judged, programme.head.month_end) for t in mine}
        folds = {t.judged: wanted_folds(programme, t.indicators) for t in mine}
        masks = states_of(con)(units, plan, judges, folds, on_block)
        for task in mine:
            for place in dict.fromkeys(i.place for i in task.indicators):
                here = [i for i in task.indicators if i.place == place]
                name = re.sub(r"\W", "_", f"{task.name}_{place}")
                rows = wide(programme, units, masks[task.judged], around, judges[task.judged], place, here)
                lay_out(con, name, rows)
                for indicator in here:
                    yield indicator, _run(con, programme, indicator, name, calendar.all)


_SQL: dict[tuple[str, str, int, str], str] = {}


def _run(con: Any, programme: Programme, indicator: Indicator, name: str, every: int) -> pa.Table:
    """The verdicts of one indicator over the table called `name`, in order.

    The SQL is kept by programme where the backend takes it: on a few subjects it takes longer to write than to run.
    """
    if con.name == "duckdb":
        key = programme.hash, indicator.key, every, name
        if key not in _SQL:
            _SQL[key] = con.compile(verdicts(programme, indicator, con.table(name), every))
        rows = con.con.sql(_SQL[key]).to_arrow_table()
    else:
        rows = verdicts(programme, indicator, con.table(name), every).to_pyarrow()
    subjects = rows["subject"].to_numpy()
    if bool((subjects[1:] > subjects[:-1]).all()):
        return rows  # DuckDB keeps the order it reads in
    return rows.sort_by([("subject", "ascending"), ("place", "ascending")])


def figures(verdicts: Sequence[tuple[Indicator, pa.Table]], calendar: Calendar, tree: Tree) -> pa.Table:
    """The figures of all indicators at every level, from their verdicts."""
    counts = []
    for indicator, rows in verdicts:
        table = counted(rows, calendar)
        for name, value in (("rules", indicator.rules), ("indicator", indicator.indicator)):
            table = table.add_column(0, name, pa.array([value] * len(table), pa.string()))
        counts.append(table)
    return rolled_up(pa.concat_tables(counts), calendar, tree, ["indicator", "rules"])


def with_history(rows: pa.Table, programme: Programme, known: Any, calendar: Calendar) -> pa.Table:
    """Adds `history`: `partial` where a figure reads records from before the months without a gap in what was loaded."""
    covered = covered_from(known.reported, calendar.on)
    told: dict[tuple[str, str, str], str] = {}
    for indicator in programme.indicators.values():
        longest = _longest(programme, indicator.subject, known, calendar) if indicator.kind == "episode" else 0
        age = lookback(indicator, longest)
        for month, day in zip(calendar.months, calendar.days, strict=True):
            reads_from = Age(-age.months, -age.days).after(day_of(day), programme.head.month_end)
            whole = covered is not None and covered <= reads_from
            told[indicator.indicator, indicator.rules, str(month)] = "complete" if whole else "partial"
    keys = zip(*(rows[name].to_pylist() for name in ("indicator", "rules", "month")), strict=True)
    return rows.append_column("history", pa.array([told[key] for key in keys], pa.string()))


def _longest(programme: Programme, kind: str, known: Any, calendar: Calendar) -> int:
    """How many days before its end the longest episode of a kind begins."""
    units = Units.of(kind, known.subjects, known.services.slice(0, 0))
    anchors = anchors_of(plan_for(programme, units, days_of(calendar.on)), units)
    return int(np.where(anchors == NO_DAY, 0, units.births[:, None] - anchors).max(initial=0))


def covered_from(reported: pa.Table, on: date) -> date | None:
    """The first day of the unbroken run of months with records that ends with the month of `on`, or the one before."""
    months = {Month.of(day) for day in reported["month"].to_pylist()}
    month = Month.of(on) if Month.of(on) in months else Month.of(on).before(1)
    if month not in months:
        return None
    while month.before(1) in months:
        month = month.before(1)
    return month.first
