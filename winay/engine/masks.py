"""Month masks, compiled: made of spells of days, and counted."""

from typing import Any

import numpy as np

from winay.core.ages import MonthEnd, after
from winay.engine.compiled import jit
from winay.engine.judging import OF_MONTHS, Calendar, Days, Mask, When
from winay.programme.indicators import Indicator


@jit
def before(when: When, subject: int, day: int) -> int:
    """The months judged before a day."""
    if len(when.own):
        return when.every if when.own[subject] < day else 0
    return when.table[min(max(day - when.first, 0), len(when.table) - 1)]  # type: ignore[no-any-return]


@jit
def between(starts: Days, ends: Days, subjects: Any, when: When) -> Mask:
    """One mask a spell: the months judged on a day in [start, end). subjects: whose `own` days."""
    result = np.empty(len(starts), np.int32)
    for i in range(len(starts)):
        result[i] = before(when, subjects[i], ends[i]) & ~before(when, subjects[i], starts[i])
    return result


def cohort(indicator: Indicator, births: Days, calendar: Calendar, when: When, month_end: MonthEnd) -> Mask:
    """The months in whose cohort a subject born on each day is, by age or episode alone."""
    if indicator.kind not in OF_MONTHS:
        return calendar.month_of(when.own)
    low, high = (after(age, births, month_end) for age in indicator.age)  # type: ignore[union-attr]
    mask: Mask = between(low, high, np.arange(len(births)), when)
    return mask


def born_in_year(births: Days, when: When) -> Mask:
    """The months judged in the calendar year of birth."""
    ends = (births.astype("datetime64[D]").astype("datetime64[Y]") + 1).astype("datetime64[D]").astype(np.int32)
    mask: Mask = between(births.copy(), ends, np.arange(len(births)), when)
    return mask


@jit
def count(place: Any, sign: int, met: Any, denominator: Any, excluded: Any, counts: Any) -> None:
    """Adds rows (sign 1), or takes them away (-1), in the counts [place, month, count]."""
    for row in range(len(place)):
        left, month = met[row] | denominator[row] | excluded[row], 0
        while left:
            if left & 1:
                counts[place[row], month, 0] += sign * (met[row] >> month & 1)
                counts[place[row], month, 1] += sign * (denominator[row] >> month & 1)
                counts[place[row], month, 2] += sign * (excluded[row] >> month & 1)
            left, month = left >> 1, month + 1


@jit
def add(pairs: Any, counts: Any, lifted: Any, first: int, last: int) -> None:
    """Adds the counts of some months of each place to each place above it; pairs: (from, to)."""
    for n in range(len(pairs)):
        for key in range(counts.shape[1]):
            for month in range(first, last):
                for which in range(3):
                    lifted[pairs[n, 1], key, month, which] += counts[pairs[n, 0], key, month, which]
