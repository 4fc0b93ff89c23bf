"""From verdicts to figures: subjects counted by place and month, every level, one tree a day."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from winay.core.ages import day_of
from winay.core.periods import Month
from winay.engine.judging import Calendar
from winay.engine.tree import Tree

COUNTS = ("numerator", "denominator", "excluded")
MASKS = {"numerator": "met", "denominator": "denominator", "excluded": "excluded"}


def counted(rows: pa.Table, calendar: Calendar, keys: Sequence[str] = ()) -> pa.Table:
    """One row a place (as recorded), month and key: numerator, denominator, excluded; months without a cohort left out.

    rows: verdicts as of verdicts.verdicts, with the text columns `keys`.
    """
    names = ["place", *keys]
    text = [rows[name].fill_null("") for name in names]
    here = pc.binary_join_element_wise(*text, "\0") if keys else text[0]
    group = here.combine_chunks().dictionary_encode().indices.to_numpy()
    first = np.zeros(int(group.max(initial=-1)) + 1, np.int64)
    first[group[::-1]] = np.arange(len(group))[::-1]
    groups = rows.select(names).take(pa.array(first))
    masks = {count: rows[mask].to_numpy() for count, mask in MASKS.items()}
    seen = int(np.bitwise_or.reduce(masks["denominator"] | masks["excluded"], initial=0))
    parts = [_none(groups)]
    for m, month in enumerate(calendar.months):
        if not seen >> m & 1:
            continue
        counts = {c: np.bincount(group[(mask >> m & 1) == 1], minlength=len(groups)) for c, mask in masks.items()}
        part = groups.append_column("month", pa.array([str(month)] * len(groups), pa.string()))
        for count in COUNTS:
            part = part.append_column(count, pa.array(counts[count].astype(np.int64)))
        parts.append(part.filter(pa.array(counts["denominator"] + counts["excluded"] > 0)))
    return pa.concat_tables(parts)


def _none(groups: pa.Table) -> pa.Table:
    """No rows, with the columns of `counted`."""
    columns = [pa.field("month", pa.string()), *(pa.field(count, pa.int64()) for count in COUNTS)]
    return pa.schema([*groups.schema, *columns]).empty_table()


def rolled_up(rows: pa.Table, calendar: Calendar, tree: Tree, keys: Sequence[str] = ()) -> pa.Table:
    """`counted` rows, of one indicator or many, summed for every level of the tree that stands on the month's judging day.

    One row a place, month and key, with `level` and `provisional`; who lives in no known place counts at the root only.
    """
    rows = rows.set_column(rows.column_names.index("place"), "place", rows["place"].fill_null(""))
    eras = tree.eras(tuple(_judged(calendar)))
    months = pa.array([str(month) for month in calendar.months])
    era = pa.array([number for number, days in enumerate(eras) for _ in days], pa.int32())
    rows = rows.append_column("era", era.take(pc.index_in(rows["month"], months)))
    pairs = rows.select(["place", "era"]).group_by(["place", "era"]).aggregate([])
    lifted = [
        {"place": place, "era": number, "up": up}
        for place, number in zip(pairs["place"].to_pylist(), pairs["era"].to_pylist(), strict=True)
        for up in tree.above(place, eras[number][0]) or [tree.root or ""]
    ]
    shape = pa.schema([("place", pa.string()), ("era", pa.int32()), ("up", pa.string())])
    joined = rows.join(pa.Table.from_pylist(lifted, shape), ["place", "era"], join_type="inner").drop_columns(["place"])
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
