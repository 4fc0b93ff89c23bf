"""Records looked for in a stretch of time that ends on the judging day: so many in it, or what the latest one says."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from winay.core.ages import Age, MonthEnd, after
from winay.engine.compiled import jit
from winay.engine.judging import Days, Mask, When
from winay.engine.masks import between
from winay.engine.units import Units
from winay.programme.criteria import Latest, Seen
from winay.programme.indicators import Count
from winay.programme.load import Programme

Rows = NDArray[np.int64]
Spell = tuple[Rows, Days, Days]
"""(unit, first day, day after the last) on which something holds, one entry a record."""


def months_of(asked: Seen | Latest, programme: Programme, units: Units, when: When) -> Mask:
    """[unit]: the months judged while what a criterion asks holds."""
    number, month_end = programme.service_numbers, programme.head.month_end
    if isinstance(asked, Seen):
        rows, days = units.records(number[asked.service])
        return _masks(seen(rows, days, asked.times, asked.gap.days, asked.length, month_end), units, when)
    rows, days = units.records(number[asked.measured])
    good = np.isin(
        rows << 32 | days, [row << 32 | day for row, day in zip(*units.records(number[asked.is_]), strict=True)]
    )
    return _masks(latest(rows, days, good, asked.length, month_end), units, when)


def months_counted(asked: Count, programme: Programme, units: Units, when: When) -> list[Mask]:
    """[unit]: the months judged when the first, second… record of the calendar year had been counted."""
    rows, days = units.records(programme.service_numbers[asked.service])
    last = int(_numbered(rows, year_end(days), days, asked.gap.days).max(initial=1))
    return [_masks(seen(rows, days, n, asked.gap.days, None), units, when) for n in range(1, last + 1)]


def _masks(spells: Iterator[Spell], units: Units, when: When) -> Mask:
    result = np.zeros(len(units), np.int32)
    for rows, starts, ends in spells:
        np.bitwise_or.at(result, rows, between(starts, ends, rows, when))
    return result


def year_end(days: Days) -> Days:
    """The first day of the year after each day's."""
    years = days.astype("datetime64[D]").astype("datetime64[Y]")
    following: Days = (years + 1).astype("datetime64[D]").astype(np.int32)
    return following


def _gone(days: Days, within: Age | None, month_end: MonthEnd) -> Days:
    """From when on a record of each day is too old; `within` None: the calendar year."""
    return year_end(days) if within is None else after(within, days, month_end) + np.int32(1)


def seen(
    units: Rows, days: Days, times: int, gap: int, within: Age | None, month_end: MonthEnd = "clip"
) -> Iterator[Spell]:
    """The spells in which at least `times` records, each `gap` days or more after the one counted before, are in the stretch.

    units, days: one row a record, sorted, distinct. In a calendar year counting begins anew.
    """
    gone = _gone(days, within, month_end)
    if within is None:
        number = _numbered(units, gone, days, gap)
        yield units[number == times], days[number == times], gone[number == times]
        return
    counted = np.flatnonzero(_numbered(units, np.zeros(len(days), np.int32), days, gap) > 0)
    first, last = counted[: len(counted) - times + 1], counted[times - 1 :]
    same = units[first] == units[last]
    yield units[last[same]], days[last[same]], gone[first[same]]


@jit
def _numbered(units: Rows, stretch: Days, days: Days, gap: int) -> NDArray[np.int32]:
    """The number a record has among those counted of its unit and stretch; 0 where it is too near the one before."""
    result = np.zeros(len(days), np.int32)
    number, last = 0, 0
    for i in range(len(days)):
        if i == 0 or units[i] != units[i - 1] or stretch[i] != stretch[i - 1]:
            number = 0
        if number == 0 or days[i] - last >= gap:
            number, last = number + 1, days[i]
            result[i] = number
    return result


def latest(
    units: Rows, days: Days, holds: NDArray[np.bool_], within: Age | None, month_end: MonthEnd = "clip"
) -> Iterator[Spell]:
    """The spells in which the last record, not older than the stretch, is one that `holds`."""
    following = np.append(days[1:], np.int32(0))
    last = np.append(units[1:] != units[:-1], True)[: len(units)]
    gone = _gone(days, within, month_end)
    ends = np.where(last, gone, np.minimum(gone, following)).astype(np.int32)
    yield units[holds], days[holds], ends[holds]
