"""From verdicts to figures: subjects counted by place and month, every level, one tree a day."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import ibis
import numpy as np
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
    """`counted` rows, summed for every level of the tree that stands on the month's judging day.

    One row a place, month and key, with `level`; who lives in no known place counts at the root only.
    """
    days = {str(month): day for month, day in zip(calendar.months, _judged(calendar), strict=True)}
    pairs = rows.select(["place", "month"]).group_by(["place", "month"]).aggregate([])
    above = [
        {"place": place, "month": month, "up": up}
        for place, month in zip(pairs["place"].to_pylist(), pairs["month"].to_pylist(), strict=True)
        for up in (tree.ancestors(tree.on(place, days[month])) or [tree.root or ""])
    ]
    lifted = pa.Table.from_pylist(above, pa.schema({"place": pa.string(), "month": pa.string(), "up": pa.string()}))
    rows = rows.set_column(0, "place", rows["place"].fill_null(""))
    lifted = lifted.set_column(0, "place", lifted["place"].fill_null(""))
    joined = rows.join(lifted, ["place", "month"], join_type="inner").drop_columns(["place"])
    summed = joined.group_by(["up", "month", *keys]).aggregate([(count, "sum") for count in COUNTS])
    summed = summed.rename_columns([_plain(name) for name in summed.column_names])
    levels = [tree.places[code].level if code in tree.places else "" for code in summed["place"].to_pylist()]
    return summed.append_column("level", pa.array(levels, pa.string()))


def _plain(name: str) -> str:
    return "place" if name == "up" else name.removesuffix("_sum")


def _judged(calendar: Calendar) -> list[date]:
    return [day_of(day) for day in calendar.days]


def bit(calendar: Calendar, month: str) -> int:
    """The number of a month's bit. Raises ValueError for a month outside the calendar."""
    return [str(m) for m in calendar.months].index(month)


def with_reporting(
    figures: pa.Table, reported: pa.Table, providers: pa.Table, calendar: Calendar, tree: Tree
) -> pa.Table:
    """Adds `reporting` of `facilities`: how many of those that ever reported delivered something for the month.

    reported: provider, month (its first day). A silent facility is not a failed service: the figure says so itself.
    """
    homes = dict(zip(providers["provider"].to_pylist(), providers["place"].to_pylist(), strict=True))
    active = {p for p in reported["provider"].to_pylist() if p in homes}
    days = {str(month): day for month, day in zip(calendar.months, _judged(calendar), strict=True)}
    known = {(month, place): 0 for month in days for place in tree.places}
    heard = dict(known)
    heard_of = [str(Month.of(day)) for day in reported["month"].to_pylist()]
    pairs = set(zip(reported["provider"].to_pylist(), heard_of, strict=True))
    for month, day in days.items():
        for provider in active:
            for place in tree.ancestors(tree.on(homes[provider], day)):
                known[month, place] += 1
                heard[month, place] += (provider, month) in pairs
    rows = list(zip(figures["month"].to_pylist(), figures["place"].to_pylist(), strict=True))
    figures = figures.append_column("reporting", pa.array(np.array([heard.get(row, 0) for row in rows], np.int32)))
    return figures.append_column("facilities", pa.array(np.array([known.get(row, 0) for row in rows], np.int32)))
