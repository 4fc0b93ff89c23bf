"""From verdicts to figures: subjects counted by place and month, at every level, one tree a day."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
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
NO_SERVICES = pa.schema([("subject", pa.int32()), ("service", pa.int16()), ("day", pa.date32())]).empty_table()
Verdicts = Sequence[tuple[Indicator, pa.Table]]


def figures(verdicts: Verdicts, calendar: Calendar, tree: Tree) -> pa.Table:
    """The figures of all indicators at every level, from their verdicts: indicator, rules, and the columns of `counted`.

    Texts are dictionary columns: names are few, figures are many.
    """
    rows = pa.concat_tables([rows.select(["place", *COUNTS.values()]) for _, rows in verdicts])
    of = np.repeat(np.arange(len(verdicts)), [len(rows) for _, rows in verdicts])
    of, table = _counted(rows, of, len(verdicts), calendar, tree)
    for name in ("rules", "indicator"):
        table = table.add_column(0, name, _texts([getattr(indicator, name) for indicator, _ in verdicts], of))
    return table


def counted(rows: pa.Table, calendar: Calendar, tree: Tree, key: str) -> pa.Table:
    """One row a place of any level, month and value of the text column `key`; months without anybody left out.

    rows: verdicts as of verdicts.judged. Columns: place, month, numerator, denominator, excluded, level, provisional, KEY.
    Who lives in no known place counts at the root only.
    """
    value, values = _coded(rows[key])
    of, table = _counted(rows, value, len(values), calendar, tree)
    return plain(table.append_column(key, _texts(values, of)))


def plain(table: pa.Table) -> pa.Table:
    """The same with texts as texts."""
    coded = [field.name for field in table.schema if pa.types.is_dictionary(field.type)]
    for name in coded:
        table = table.set_column(table.column_names.index(name), name, table[name].cast(pa.string()))
    return table.combine_chunks()


def _counted(rows: pa.Table, key: Any, keys: int, calendar: Calendar, tree: Tree) -> tuple[Any, pa.Table]:
    """(the key of each row, the rest of `counted`); key: one of so many for each of the verdicts."""
    from winay.engine.masks import count  # brings Numba, which a snapshot's figures do without

    place, places = _coded(rows["place"])
    masks = [rows[mask].to_numpy() for mask in COUNTS.values()]
    counts = count(place * keys + key, *masks, len(places) * keys, len(calendar.months))
    ups, lifted = _lifted(counts.reshape(len(places), keys, len(calendar.months), len(COUNTS)), places, calendar, tree)
    up, of, month = np.nonzero(lifted[..., 1] + lifted[..., 2])
    levels = [tree.places[code].level if code in tree.places else "" for code in ups]
    table = {
        "place": _texts(ups, up),
        "month": _texts(list(map(str, calendar.months)), month),
        **{name: lifted[up, of, month, n] for n, name in enumerate(COUNTS)},
        "level": _texts(levels, up),
        "provisional": np.array([calendar.provisional(m) for m in calendar.months])[month],
    }
    return of, pa.table(table)


def _texts(texts: list[str], at: Any) -> Any:
    return pa.array(texts, pa.string()).dictionary_encode().take(pa.array(at))


def _coded(column: Any) -> tuple[NDArray[np.int32], list[str]]:
    """(the number of each text, the texts)."""
    coded = column if pa.types.is_dictionary(column.type) else column.fill_null("").dictionary_encode()
    coded = coded.unify_dictionaries().combine_chunks()
    return coded.indices.to_numpy(), coded.dictionary.to_pylist()


def _lifted(counts: Any, places: list[str], calendar: Calendar, tree: Tree) -> tuple[list[str], Any]:
    """(places of all levels, their counts): each month on the tree that stands on its judging day."""
    from winay.engine.masks import add

    days = [day_of(day) for day in calendar.days]
    eras = tree.eras(tuple(days))
    above = [[tree.above(place, era[0]) or [tree.root or ""] for place in places] for era in eras]
    ups = sorted({up for era in above for some in era for up in some})
    at = {up: n for n, up in enumerate(ups)}
    lifted = np.zeros((len(ups), *counts.shape[1:]), np.int64)
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
    less, more = figures(gone, calendar, tree), figures(come, calendar, tree)
    moved = pa.concat_tables([less, more])
    touched = pa.array(_coded(moved["place"])[1], pa.string())
    place, places = _coded(before["place"])
    here = before.filter(pa.array(np.asarray(pc.is_in(pa.array(places, pa.string()), touched))[place]))
    every = pa.concat_tables([here.select(moved.column_names), moved])
    key, keys = np.zeros(len(every), np.int64), 1
    for name in ("indicator", "rules", "place", "month"):
        number, names = _coded(every[name])
        key, keys = key * len(names) + number, keys * len(names)
    row = np.full(keys, -1)  # of a figure that moves
    row[key[len(here) :]] = np.arange(len(moved))
    result = moved.take(pa.array(row[row >= 0]))
    signs = np.repeat([1, -1, 1], [len(here), len(less), len(more)])
    for count in COUNTS:
        total = np.bincount(key, signs * every[count].to_numpy(), keys)[row >= 0].astype(np.int64)
        result = result.set_column(result.column_names.index(count), count, pa.array(total))
    return result


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
