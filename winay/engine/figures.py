"""From verdicts to figures: subjects counted by place and month, at every level, one tree a day."""

import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from winay.core.ages import Age, day_of, days_of
from winay.core.periods import Month
from winay.engine.judging import Calendar
from winay.engine.plan import NO_DAY
from winay.engine.tree import Tree
from winay.engine.units import Units, anchors_of, plan_for
from winay.programme.indicators import Indicator
from winay.programme.load import Programme

COUNTS = {"numerator": "met", "denominator": "denominator", "excluded": "excluded"}
"""What is counted, and the mask of verdicts it is counted from."""
FIGURE = ("place", "indicator", "rules", "month")
JUDGED = ("subject", "place", *COUNTS.values())
NO_SERVICES = pa.schema([("subject", pa.int32()), ("service", pa.int16()), ("day", pa.date32())]).empty_table()
Verdicts = Sequence[tuple[Indicator, pa.Table]]
Signed = tuple[int, pa.Table]
"""Verdicts that are added (1) or taken away (-1)."""


def figures(verdicts: Verdicts, calendar: Calendar, tree: Tree) -> pa.Table:
    """The figures of all indicators at every level, from their verdicts: indicator, rules, and the columns of `counted`.

    Texts are dictionary columns: names are few, figures are many.
    """
    return _figures(verdicts, [1] * len(verdicts), calendar, tree)


def _figures(verdicts: Verdicts, signs: Sequence[int], calendar: Calendar, tree: Tree) -> pa.Table:
    """The figures of all these verdicts, each indicator's added (sign 1) or taken away (-1)."""
    groups: dict[tuple[str, str], list[Signed]] = {}
    for sign, (indicator, rows) in zip(signs, verdicts, strict=True):
        groups.setdefault((indicator.indicator, indicator.rules), []).append((sign, rows))
    of, table = _counted(list(groups.values()), calendar, tree)
    for place, name in enumerate(("indicator", "rules")):
        table = table.add_column(place, name, _texts([key[place] for key in groups], of))
    return table


def counted(rows: pa.Table, calendar: Calendar, tree: Tree, key: str) -> pa.Table:
    """One row a place of any level, month and value of the text column `key`; months without anybody left out.

    rows: verdicts as of verdicts.judged. Columns: place, month, numerator, denominator, excluded, level, provisional, KEY.
    Who lives in no known place counts at the root only.
    """
    value, values = _coded(rows[key])
    of, table = _counted([[(1, rows.filter(pa.array(value == n)))] for n in range(len(values))], calendar, tree)
    return plain(table.append_column(key, _texts(values, of)))


def plain(table: pa.Table) -> pa.Table:
    """The same with texts as texts."""
    coded = [field.name for field in table.schema if pa.types.is_dictionary(field.type)]
    for name in coded:
        table = table.set_column(table.column_names.index(name), name, table[name].cast(pa.string()))
    return table.combine_chunks()


def _counted(groups: Sequence[Sequence[Signed]], calendar: Calendar, tree: Tree) -> tuple[Any, pa.Table]:
    """(the number of the group of each row, the rest of `counted`). What comes to nothing is left out."""
    from winay.engine.masks import count  # brings Numba, which a snapshot's figures do without

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        coded = list(pool.map(lambda group: [_coded(rows["place"]) for _, rows in group], groups))
        places = sorted({place for group in coded for _, used in group for place in used})
        at = {place: n for n, place in enumerate(places)}
        counts = np.zeros((len(places), len(groups), len(calendar.months), len(COUNTS)), np.int32)

        def add_up(group: int) -> None:
            for (sign, rows), (number, used) in zip(groups[group], coded[group], strict=True):
                masks = [rows[mask].to_numpy() for mask in COUNTS.values()]
                count(np.array([at[place] for place in used], np.int64)[number], sign, *masks, counts[:, group])

        list(pool.map(add_up, range(len(groups))))
    ups, lifted = _lifted(counts, places, calendar, tree)
    cells = lifted.reshape(-1, len(COUNTS))
    counted = np.flatnonzero(cells[:, 0] | cells[:, 1] | cells[:, 2])
    up, of, month = np.unravel_index(counted, lifted.shape[:-1])
    levels = [tree.places[code].level if code in tree.places else "" for code in ups]
    table = {
        "place": _texts(ups, up),
        "month": _texts(list(map(str, calendar.months)), month),
        **dict(zip(COUNTS, cells[counted].T.astype(np.int64), strict=True)),
        "level": _texts(levels, up),
        "provisional": np.array([calendar.provisional(m) for m in calendar.months])[month],
    }
    return of, pa.table(table)


def _texts(texts: list[str], at: Any) -> Any:
    coded = pa.array(texts, pa.string()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(coded.indices.to_numpy()[at], coded.dictionary)


def _coded(column: Any) -> tuple[NDArray[np.int32], list[str]]:
    """(the number of each text, the texts)."""
    coded = column if pa.types.is_dictionary(column.type) else column.fill_null("").dictionary_encode()
    coded = coded.chunk(0) if coded.num_chunks == 1 else coded.unify_dictionaries().combine_chunks()
    return coded.indices.to_numpy(), coded.dictionary.to_pylist()


def _lifted(counts: Any, places: list[str], calendar: Calendar, tree: Tree) -> tuple[list[str], Any]:
    """(places of all levels, their counts): each month on the tree that stands on its judging day."""
    from winay.engine.masks import add

    days = [day_of(day) for day in calendar.days]
    eras = tree.eras(tuple(days))
    above = [[tree.above(place, era[0]) or [tree.root or ""] for place in places] for era in eras]
    ups = sorted({up for era in above for some in era for up in some})
    at = {up: n for n, up in enumerate(ups)}
    lifted = np.zeros((len(ups), *counts.shape[1:]), np.int32)
    month = 0
    for era, chains in zip(eras, above, strict=True):
        pairs = np.array([(n, at[up]) for n, chain in enumerate(chains) for up in chain], np.int64).reshape(-1, 2)
        add(pairs, counts, lifted, month, month + len(era))
        month += len(era)
    return ups, lifted


def changed(before: pa.Table, gone: Verdicts, come: Verdicts, calendar: Calendar, tree: Tree) -> pa.Table:
    """The figures that move when some subjects are judged again, with their new counts (zero: nobody is left in them).

    before: as of `figures`, for everybody. gone, come: the old and new verdicts of those subjects alone. What is not
    returned stays as it was; together they equal a full run.
    """
    sides = [
        (sign, (indicator, rows))
        for (indicator, old), (_, new) in zip(gone, come, strict=True)
        if len(old) or len(new)
        for sign, rows in zip((-1, 1), _differing(old.select(JUDGED), new.select(JUDGED)), strict=True)
        if len(rows)
    ]
    moved = _figures([side for _, side in sides], [sign for sign, _ in sides], calendar, tree)
    rows: Any = slice(None)
    for name in FIGURE:  # place first, which most rows are not of
        number, names = _coded(before[name])
        shared = np.isin(names, _coded(moved[name])[1])[number[rows]]
        rows = np.flatnonzero(shared) if isinstance(rows, slice) else rows[shared]
    here = before.select([*FIGURE, *COUNTS]).take(pa.array(rows))
    keys = _keys(pa.concat_tables([here, moved.select(here.column_names)]))
    row = np.zeros(keys.max(initial=0) + 1, np.int32)  # of `moved`, counted from 1, by key
    row[keys[len(here) :]] = np.arange(1, len(moved) + 1)
    same = np.flatnonzero(row[keys[: len(here)]])
    at = row[keys[same]] - 1
    for count in COUNTS:
        total = moved[count].to_numpy().copy()
        total[at] += here[count].to_numpy()[same]
        moved = moved.set_column(moved.column_names.index(count), count, pa.array(total))
    return moved


def _differing(old: pa.Table, new: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Old and new verdicts of the same subjects, without those that stay as they were."""
    if not all(old[name].equals(new[name]) for name in ("subject", "place")):
        return old, new  # somebody was born, died or moved
    pairs = [old[name].to_numpy() != new[name].to_numpy() for name in COUNTS.values()]
    moved = pa.array(np.any(pairs, axis=0))
    return old.filter(moved), new.filter(moved)


def _keys(figures: pa.Table) -> NDArray[np.int64]:
    """One number for each figure: what it is of."""
    key = np.zeros(len(figures), np.int64)
    for name in FIGURE:
        number, names = _coded(figures[name])
        key = key * len(names) + number
    return key


def with_reporting(
    figures: pa.Table, reported: pa.Table, providers: pa.Table, calendar: Calendar, tree: Tree
) -> pa.Table:
    """Adds `reporting` of `facilities`: how many of those that ever reported delivered something for the month.

    reported: provider, month (its first day). A silent facility is not a failed service: the figure says so itself.
    """
    homes = dict(zip(providers["provider"].to_pylist(), providers["place"].to_pylist(), strict=True))
    months: dict[str, set[Month]] = {}
    for provider, day in zip(reported["provider"].to_pylist(), reported["month"].to_pylist(), strict=True):
        if provider in homes:
            months.setdefault(provider, set()).add(Month.of(day))
    known: Counter[tuple[str, str]] = Counter()
    heard: Counter[tuple[str, str]] = Counter()
    for provider, told in months.items():
        for month, day in zip(calendar.months, calendar.days, strict=True):
            for place in tree.above(homes[provider], day_of(day)):
                known[str(month), place] += 1
                heard[str(month), place] += month in told
    rows = list(zip(figures["month"].to_pylist(), figures["place"].to_pylist(), strict=True))
    for name, counts in (("reporting", heard), ("facilities", known)):
        figures = figures.append_column(name, pa.array([counts[row] for row in rows], pa.int32()))
    return figures


def with_history(
    figures: pa.Table, programme: Programme, subjects: pa.Table, reported: pa.Table, calendar: Calendar
) -> pa.Table:
    """Adds `history`: `partial` where a figure reads records from before the months without a gap in what was loaded."""
    covered = _covered_from(reported, calendar.on)
    told: dict[tuple[str, str, str], str] = {}
    for indicator in programme.indicators.values():
        if indicator.kind == "episode":
            age = Age(0, _longest(programme, indicator.subject, subjects, calendar.on))
        else:
            age = indicator.age[1] if isinstance(indicator.age, tuple) else indicator.age or Age()
        for month, day in zip(calendar.months, calendar.days, strict=True):
            reads_from = Age(-age.months, -age.days).after(day_of(day), programme.head.month_end)
            whole = covered is not None and covered <= reads_from
            told[indicator.indicator, indicator.rules, str(month)] = "complete" if whole else "partial"
    keys = zip(*(figures[name].to_pylist() for name in ("indicator", "rules", "month")), strict=True)
    return figures.append_column("history", pa.array([told[key] for key in keys], pa.string()))


def _longest(programme: Programme, kind: str, subjects: pa.Table, on: date) -> int:
    """How many days before its end the longest episode of a kind begins."""
    units = Units.of(kind, subjects, NO_SERVICES)
    anchors = anchors_of(plan_for(programme, units, days_of(on)), units)
    return int(np.where(anchors == NO_DAY, 0, units.births[:, None] - anchors).max(initial=0))


def _covered_from(reported: pa.Table, on: date) -> date | None:
    """The first day of the unbroken run of months with records that ends with the month of `on`, or the one before."""
    months = {Month.of(day) for day in reported["month"].to_pylist()}
    month = Month.of(on) if Month.of(on) in months else Month.of(on).before(1)
    if month not in months:
        return None
    while month.before(1) in months:
        month = month.before(1)
    return month.first
