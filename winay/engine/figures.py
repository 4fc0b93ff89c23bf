"""From verdicts to figures: subjects counted by place and month, every level, one tree a day."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from winay.core.ages import day_of
from winay.core.periods import Month
from winay.engine.judging import Calendar
from winay.engine.tree import Tree

COUNTS = ("numerator", "denominator", "excluded")
MASKS = {"numerator": "met", "denominator": "denominator", "excluded": "excluded"}


def counted(verdicts: Any, calendar: Calendar, keys: Sequence[str] = ()) -> pa.Table:
    """One row a place (as recorded), month and key: numerator, denominator, excluded; months without a cohort left out.

    verdicts: as of verdicts.verdicts, with the `keys` as columns. 72 sums in one pass over the rows.
    """
    months = range(len(calendar.months))
    bits = {
        f"{count}_{m}": ((verdicts[mask] >> ibis.literal(m, "int32")) & ibis.literal(1, "int32")).sum()
        for count, mask in MASKS.items()
        for m in months
    }
    rows = verdicts.group_by("place", *keys).agg(**bits).to_pyarrow()
    parts = []
    for m in months:
        part = rows.select(["place", *keys, *(f"{count}_{m}" for count in COUNTS)])
        part = part.rename_columns(["place", *keys, *COUNTS])
        part = part.append_column("month", pa.array([str(calendar.months[m])] * len(part), pa.string()))
        parts.append(part.filter(pc.greater(pc.add(part["denominator"], part["excluded"]), 0)))
    table = pa.concat_tables(parts)
    for count in COUNTS:
        table = table.set_column(table.column_names.index(count), count, table[count].cast(pa.int64()))
    return table


def rolled_up(rows: pa.Table, calendar: Calendar, tree: Tree, keys: Sequence[str] = ()) -> pa.Table:
    """`counted` rows, of one indicator or many, summed for every level of the tree that stands on the month's judging day.

    One row a place, month and key, with `level` and `provisional`; who lives in no known place counts at the root only.
    """
    rows = rows.set_column(rows.column_names.index("place"), "place", rows["place"].fill_null(""))
    days = dict(zip(map(str, calendar.months), _judged(calendar), strict=True))
    pairs = rows.group_by(["place", "month"]).aggregate([])
    lifted: dict[str, list[str]] = {"place": [], "month": [], "up": []}
    for place, month in zip(pairs["place"].to_pylist(), pairs["month"].to_pylist(), strict=True):
        for up in tree.above(place, days[month]) or [tree.root or ""]:
            for name, value in zip(lifted, (place, month, up), strict=True):
                lifted[name].append(value)
    joined = rows.join(pa.table(lifted), ["place", "month"], join_type="inner").drop_columns(["place"])
    summed = joined.group_by(["up", "month", *keys]).aggregate([(count, "sum") for count in COUNTS])
    summed = summed.rename_columns([_plain(name) for name in summed.column_names])
    levels = [tree.places[code].level if code in tree.places else "" for code in summed["place"].to_pylist()]
    provisional = pc.is_in(
        summed["month"], pa.array([str(m) for m in calendar.months if calendar.provisional(m)], pa.string())
    )
    return summed.append_column("level", pa.array(levels, pa.string())).append_column("provisional", provisional)


def _plain(name: str) -> str:
    return "place" if name == "up" else name.removesuffix("_sum")


def _judged(calendar: Calendar) -> list[date]:
    return [day_of(day) for day in calendar.days]


def with_reporting(
    figures: pa.Table, reported: pa.Table, providers: pa.Table, calendar: Calendar, tree: Tree
) -> pa.Table:
    """Adds `reporting` of `facilities`: how many of those that ever reported delivered something for the month.

    reported: provider, month (its first day). A silent facility is not a failed service: the figure says so itself.
    """
    homes = dict(zip(providers["provider"].to_pylist(), providers["place"].to_pylist(), strict=True))
    days = dict(zip(map(str, calendar.months), _judged(calendar), strict=True))
    months: dict[str, set[str]] = {}
    for provider, day in zip(reported["provider"].to_pylist(), reported["month"].to_pylist(), strict=True):
        if provider in homes:
            months.setdefault(provider, set()).add(str(Month.of(day)))
    known: Counter[tuple[str, str]] = Counter()
    heard: Counter[tuple[str, str]] = Counter()
    for provider, told in months.items():
        for month, day in days.items():
            for place in tree.above(homes[provider], day):
                known[month, place] += 1
                heard[month, place] += month in told
    rows = list(zip(figures["month"].to_pylist(), figures["place"].to_pylist(), strict=True))
    figures = figures.append_column("reporting", pa.array([heard[row] for row in rows], pa.int32()))
    return figures.append_column("facilities", pa.array([known[row] for row in rows], pa.int32()))
